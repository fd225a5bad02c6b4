/**
 * `npm run bench`: runs the measures, prints what they find, and writes results.json and the pictures; a whole run also renews what of it
 * is committed. See README.md for what is measured, and how.
 */
import { existsSync, readFileSync, rmSync } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { isRunning } from '@landline/local-servers';
import { ROOT } from '../test/support/root.ts';
import { readOptions, USAGE, type RunOptions } from './bench-options.ts';
import { judgeGoals } from './goals.ts';
import { describeMachine } from './machine.ts';
import { accept } from './measure/accept.ts';
import { ackLatency } from './measure/ack-latency.ts';
import { apply, applyTranscripts } from './measure/apply.ts';
import { endToEnd } from './measure/end-to-end.ts';
import { growth } from './measure/growth.ts';
import { scale } from './measure/scale.ts';
import { soak } from './measure/soak.ts';
import { FULL, QUICK } from './plan.ts';
import type { Report } from './report/report.ts';
import { goalTable, measureTables, textOf } from './report/tables.ts';
import { publish, writeReport } from './report/write-report.ts';
import { Results } from './results.ts';
import { startServices, type Services } from './services.ts';

/** All measures by name, in the order in which they run. `cost` is measured by end-to-end. Each throws when the work that it measured is wrong. */
const MEASURES = {
  accept,
  apply,
  'apply-transcripts': applyTranscripts,
  'end-to-end': endToEnd,
  'ack-latency': ackLatency,
  growth,
  scale,
  soak,
};
const BENCH = join(ROOT, 'bench');
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
process.exitCode = await measureAll(options);

/** The whole run; the exit code tells whether all of it worked, never how fast. */
async function measureAll(run: RunOptions): Promise<number> {
  await takeTurn();
  const services = await startServices(FOLDER);
  let stopping: Promise<void> | undefined;
  const stop = () => (stopping ??= services.stop());
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
    if (run.isWhole) await publish(report, BENCH);
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
  const machine = await describeMachine(FOLDER, services);
  const results = new Results();
  const faults: string[] = [];
  for (const [name, work] of Object.entries(MEASURES)) {
    if (!run.only.includes(name)) continue;
    say(`— ${name} —`);
    const before = results.all().length;
    try {
      // oxlint-disable-next-line no-await-in-loop -- one at a time: they share the machine
      await work({ services, plan, log: say }, results);
    } catch (error) {
      if (told.aborted) break; // its servers were taken away
      // The others are still worth having.
      faults.push(`${name}: ${String(error).slice(0, FAULT_LENGTH)}`);
      process.stderr.write(`${name} broke off: ${error instanceof Error ? error.stack : String(error)}\n`);
    }
    for (const table of measureTables(results.all().slice(before))) print(`\n${textOf(table)}\n`);
    // A run that is cut off keeps what it has found.
    await writeReport(reportSoFar(), output);
  }
  return reportSoFar();

  function reportSoFar(): Report {
    const measured = results.all();
    return {
      startedAt: begun,
      tookSeconds: Math.round((performance.now() - startedAt) / 1000),
      machine,
      settings: services.settings,
      plan,
      measured,
      goals: judgeGoals(measured),
      faults,
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
