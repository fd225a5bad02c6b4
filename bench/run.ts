/**
 * `npm run bench`: runs the measures, prints what they find, and writes latest.json, the pictures and the tables of
 * bench/README.md. See there for what is measured, and how.
 */
import { existsSync, readFileSync, rmSync } from 'node:fs';
import { mkdir, realpath, rm, writeFile } from 'node:fs/promises';
import { dirname, join, relative, resolve } from 'node:path';
import { isRunning } from '../apps/cli/src/services/is-running.ts';
import { readOptions, USAGE, type RunOptions } from './bench-options.ts';
import { CONTENDERS, HTTP_LIMIT, WITH_JOURNAL } from './contenders/contenders.ts';
import { judgeGoals } from './goals.ts';
import { describeMachine } from './machine.ts';
import { MEASURES } from './measures.ts';
import { FULL, QUICK } from './plan.ts';
import { renewReport } from './report/renew.ts';
import type { Report } from './report/report.ts';
import { goalTable, measureTables, textOf } from './report/tables.ts';
import { readReport, writePictures, writeReadme, writeReport } from './report/write-report.ts';
import { Results } from './results.ts';
import { startServices, type Services } from './services.ts';

const ROOT = resolve(import.meta.dirname, '..', '..', '..');
const README = join(ROOT, 'bench', 'README.md');
const DATA = join(ROOT, '.data');
/** On the repository's disk, not among the temporary files: those may lie in memory, where fsync costs nothing. */
const FOLDER = join(DATA, 'bench');
const PID_FILE = join(DATA, 'bench.pid');

/** Of an error in the report, in characters: all of it is on the terminal. */
const FAULT_LENGTH = 300;

const options = readOptions(process.argv.slice(2), Object.keys(MEASURES));
if (typeof options === 'string') {
  process.stderr.write(`${options}\n${USAGE}\n`);
  process.exit(2);
}
const output = join(ROOT, options.folder);
const startedAt = performance.now();
process.exitCode = options.reportOnly ? await reportAnew() : await measureAll(options);

/** Draws the pictures and writes the tables anew, from what was measured before. */
async function reportAnew(): Promise<number> {
  const read = await readReport(output);
  const report: Report = { ...read, goals: judgeGoals(read.measured) };
  await writePictures(report, output);
  if (output === join(ROOT, 'bench', 'results')) await writeReadme(report, README);
  printReport(report);
  return 0;
}

/** The whole run; the exit code tells whether all of it worked, never how fast. */
async function measureAll(run: RunOptions): Promise<number> {
  await takeTurn();
  const services = await startServices(FOLDER);
  const stop = stopOnce(services);
  const told = new AbortController();
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    process.once(signal, () => {
      told.abort();
      void stop().finally(() => process.exit(1));
    });
  }
  try {
    const report = await measure(run, services, told.signal);
    if (told.signal.aborted) return 1; // what broke off then says nothing
    if (run.isWhole || run.isRenewal) await writeReadme(await readReport(output), README);
    printReport(report);
    say(`Written to ${relative(ROOT, output)} after ${Math.round(report.tookSeconds)} s.`);
    return report.faults.length === 0 ? 0 : 1;
  } finally {
    await stop();
  }
}

async function measure(run: RunOptions, services: Services, told: AbortSignal): Promise<Report> {
  const plan = { ...(run.isQuick ? QUICK : FULL), ...(run.rounds !== undefined && { rounds: run.rounds }) };
  const begun = new Date().toISOString();
  const machine = await describeMachine({
    folder: FOLDER,
    redisUrl: services.redis.url,
    databaseUrl: services.postgres.url,
  });
  const old = run.isRenewal ? await readReport(output) : undefined;
  const results = new Results();
  const taken: string[] = [];
  const faults: string[] = [];
  const bench = { services, contenders: CONTENDERS, withJournal: WITH_JOURNAL, httpLimit: HTTP_LIMIT, plan, log: say };
  for (const [name, work] of Object.entries(MEASURES)) {
    if (!run.only.includes(name)) continue;
    say(`— ${name} —`);
    const before = results.all().length;
    try {
      // oxlint-disable-next-line no-await-in-loop -- one at a time: they share the machine
      await work(bench, results);
    } catch (error) {
      if (told.aborted) break; // its servers were taken away
      // The others are still worth having.
      faults.push(`${name}: ${String(error).slice(0, FAULT_LENGTH)}`);
      process.stderr.write(`${name} broke off: ${error instanceof Error ? error.stack : String(error)}\n`);
    }
    for (const table of measureTables(results.all().slice(before))) print(`\n${textOf(table)}\n`);
    taken.push(name);
    // A run that is cut off keeps what it has found. What breaks off takes no other's place.
    if (!old) await writeReport(reportSoFar(), output);
    else if (faults.length === 0) await writeReport(renewReport(old, reportSoFar(), taken), output);
  }
  return reportSoFar();

  function reportSoFar(): Report {
    const measured = results.all();
    return {
      startedAt: begun,
      tookSeconds: Math.round((performance.now() - startedAt) / 1000),
      machine,
      settings: services.settings,
      plan: { ...plan },
      contenders: [...CONTENDERS, WITH_JOURNAL, HTTP_LIMIT].map(({ name, about }) => ({ name, about })),
      measured,
      goals: judgeGoals(measured),
      faults,
      renewed: [],
    };
  }
}

/** Two runs at once would measure each other. */
async function takeTurn(): Promise<void> {
  const other = existsSync(PID_FILE) ? Number(readFileSync(PID_FILE, 'utf8')) : 0;
  if (other > 0 && isRunning(other)) {
    process.stderr.write(`Another run of the benchmark is under way (process ${other}).\n`);
    process.exit(2);
  }
  await mkdir(DATA, { recursive: true });
  await writeFile(PID_FILE, `${process.pid}\n`);
  process.once('exit', () => rmSync(PID_FILE, { force: true }));
}

function stopOnce(services: Services): () => Promise<void> {
  let stopping: Promise<void> | undefined;
  return () => (stopping ??= stopServices(services));
}

/** Postgres may have had to keep its data elsewhere, under a link: that goes too. */
async function stopServices(services: Services): Promise<void> {
  const home = await realpath(join(FOLDER, 'postgres')).catch(() => undefined);
  await services.stop();
  await rm(FOLDER, { recursive: true, force: true });
  if (home !== undefined && relative(FOLDER, home).startsWith('..'))
    await rm(dirname(home), { recursive: true, force: true });
}

function printReport({ measured, goals, faults }: Report): void {
  for (const table of [...measureTables(measured), goalTable(goals)]) print(`\n${textOf(table)}\n`);
  for (const fault of faults) print(`\nBROKEN OFF: ${fault}\n`);
}

function say(line: string): void {
  const seconds = Math.round((performance.now() - startedAt) / 1000);
  print(`${String(Math.floor(seconds / 60)).padStart(2)}:${String(seconds % 60).padStart(2, '0')}  ${line}\n`);
}

function print(text: string): void {
  process.stdout.write(text);
}
