import type { BenchContext } from '../bench-context.ts';
import { LANDLINE } from '../contenders.ts';
import { median, type Results } from '../results.ts';
import { ledgerCount } from './check-applied.ts';
import { CONNECTIONS, onStage, type Stage } from './stage.ts';

/** The length of a piece of the load, in seconds. The generator holds the events of one piece, not of minutes. */
const PIECE_SECONDS = 10;
const MOST_PER_SECOND = 20_000;
const SAMPLE_MS = 1000;

/** soak: puts a receiver under full load for ten minutes, while the worker runs. Its memory must be bounded, and flat. */
export async function soak(bench: BenchContext, results: Results): Promise<void> {
  const { memory, peak } = await onStage(bench, { contender: LANDLINE }, (stage) => watch(bench, stage));
  const add = (metric: string, value: number): void =>
    results.add({ measure: 'soak', variant: 'full load', contender: 'landline', metric, unit: 'MB' }, value);
  const fifth = Math.max(1, Math.floor(memory.length / 5));
  add('peak memory of the receiver', peak);
  add('growth', median(memory.slice(-fifth)) - median(memory.slice(fifth, 2 * fifth)));
}

/** Reads the receiver's memory each second under load, and its peak, in MB. */
async function watch({ plan, log }: BenchContext, stage: Stage): Promise<{ memory: number[]; peak: number }> {
  const memory: number[] = [];
  await stage.startWorkers(1);
  const { databaseUrl } = stage.place;
  let events = 0;
  let peak = 0;
  for (let left = plan.soakSeconds; left > 0;) {
    const seconds = Math.min(PIECE_SECONDS, left);
    const count = Math.ceil(seconds * MOST_PER_SECOND);
    // oxlint-disable no-await-in-loop -- one piece after the other
    const load = await stage.prepare({ kind: 'live', connections: CONNECTIONS, count, seconds });
    const sampling = setInterval(() => memory.push(stage.receivers[0]?.usage().memoryMb ?? Number.NaN), SAMPLE_MS);
    const result = await load.run().finally(() => clearInterval(sampling));
    if (result.accepted.ids.length === 0) throw new Error('Nothing was accepted in the soak.');
    events += result.accepted.ids.length;
    left -= result.seconds;
    peak = stage.receivers[0]?.usage().peakMemoryMb ?? Number.NaN;
    await stage.untilDrained();
    log(`soak: ${Math.max(0, Math.round(left))} s left, ${events} events, ${Math.round(memory.at(-1) ?? 0)} MB`);
  }
  const applied = await ledgerCount(databaseUrl);
  if (applied !== events) throw new Error(`${events} events were accepted in the soak, ${applied} are in the tables.`);
  return { memory, peak };
}
