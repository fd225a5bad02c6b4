/**
 * `npm run bench`: runs the measures, prints the figures, and writes results.json and the pictures. A whole run also renews the figures and
 * pictures that are committed. README.md describes the measures.
 */
import { existsSync, readFileSync, rmSync } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { isRunning } from '@landline/local-servers';
import { ROOT } from '../test/support/root.ts';
import { readOptions, USAGE, type RunOptions } from './bench-options.ts';
import { CONTENDERS, WITH_JOURNAL } from './contenders.ts';
import { judgeGoals } from './goals.ts';
import { describeMachine } from './machine.ts';
import { accept } from './measure/accept.ts';
import { ackLatency } from './measure/ack-latency.ts';
import { apply, applyTranscripts } from './measure/apply.ts';
import { endToEnd } from './measure/end-to-end.ts';
import { growth } from './measure/growth.ts';
import { heldReceivers } from './measure/held-receivers.ts';
import { heldWorkers } from './measure/held-workers.ts';
import { scale } from './measure/scale.ts';
import { soak } from './measure/soak.ts';
import { unitCost } from './measure/unit-cost.ts';
import { FULL, QUICK } from './plan.ts';
import type { Report } from './report/report.ts';
import { goalTable, measureTables, textOf } from './report/tables.ts';
import { publish, writeReport } from './report/write-report.ts';
import { Results } from './results.ts';
import { startServices, type Services } from './services.ts';

/** All measures by name, in the order in which they run. end-to-end measures `cost` as well. A measure throws when the rows are wrong. */
const MEASURES = {
  accept,
  apply,
  'apply-transcripts': applyTranscripts,
  'end-to-end': endToEnd,
  'ack-latency': ackLatency,
  growth,
  scale,
  'held-workers': heldWorkers,
  'unit-cost': unitCost,
  'held-receivers': heldReceivers,
  soak,
};
const BENCH = join(ROOT, 'bench');
const DATA = join(ROOT, '.data');
/** The data lies on the repository's disk. Temporary files may lie in memory, where fsync costs nothing. */
const FOLDER = join(DATA, 'bench');
const PID_FILE = join(DATA, 'bench.pid');

/** Length of an error in the report, in characters. The terminal shows the whole error. */
const FAULT_LENGTH = 300;

const options = readOptions(process.argv.slice(2), {
  measures: Object.keys(MEASURES),
  contenders: [...CONTENDERS, WITH_JOURNAL].map(({ name }) => name),
});
if (typeof options === 'string') {
  process.stderr.write(`${options}\n${USAGE}\n`);
  process.exit(2);
}
const output = join(ROOT, options.folder);
const startedAt = performance.now();
process.exitCode = await measureAll(options);

/** Runs all measures. Answers the exit code: 0 when every measure worked, however fast it was. */
async function measureAll(run: RunOptions): Promise<number> {
  await takeTurn();
  const services = await startServices(FOLDER);
  let stopped: Promise<void> | undefined;
  const stop = () => (stopped ??= services.stop());
  const stopping = new AbortController();
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    process.once(signal, () => {
      stopping.abort();
      void stop().finally(() => process.exit(1));
    });
  }
  try {
    const report = await measure(run, services, stopping.signal);
    if (stopping.signal.aborted) return 1; // a measure that was cut off has no figures
    if (run.isWhole) await publish(report, BENCH);
    printReport(report);
    say(`Written to ${relative(ROOT, output)} after ${Math.round(report.tookSeconds)} s.`);
    return report.faults.length === 0 ? 0 : 1;
  } finally {
    await stop();
  }
}

async function measure(run: RunOptions, services: Services, leaving: AbortSignal): Promise<Report> {
  const { isQuick, contenders, rounds } = run;
  const plan = { ...(isQuick ? QUICK : FULL), contenders, ...(rounds !== undefined && { rounds }) };
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
      if (leaving.aborted) break; // the servers of the measure were stopped
      // The other measures still run.
      faults.push(`${name}: ${String(error).slice(0, FAULT_LENGTH)}`);
      process.stderr.write(`${name} broke off: ${error instanceof Error ? error.stack : String(error)}\n`);
    }
    for (const table of measureTables(results.all().slice(before))) print(`\n${textOf(table)}\n`);
    // The report is written after each measure, so that a run that is cut off keeps its figures.
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

/** Notes this run, and ends the process where another run is under way: two runs at once would slow each other. */
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
