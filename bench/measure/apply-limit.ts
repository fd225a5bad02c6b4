import { setTimeout as wait } from 'node:timers/promises';
import { choosePort } from '@landline/local-servers';
import type { BenchContext } from '../bench-context.ts';
import type { Place } from '../contender.ts';
import type { Batch } from '../limits/sql-batch.ts';
import { sqlLimit } from '../limits/sql-contender.ts';
import { startWorker } from '../processes.ts';
import { formatNumber } from '../report/format-number.ts';
import { newRun, settle, workOff, type Backlog } from './backlog.ts';
import type { WorkedOff } from './commits.ts';

const PLACE = 'apply-sql-limit';
const TRIAL_LIMIT_MS = 180_000;
const ASK_MS = 100;
/** The numbers of transactions at once. sql-limit tries each of them with each size of a batch. */
const TRANSACTIONS = [1, 2, 3];

/** The outcome of one run of the limit, and the place of its rows. */
export interface LimitRun {
  place: Place;
  done: WorkedOff;
}

/** Finds the best batch for the events of a backlog. @returns A function that applies such events for so many seconds at most. */
export async function openLimit(
  bench: BenchContext,
  { kind, events: count, variant, batchEvents }: Backlog,
): Promise<(seconds: number) => Promise<LimitRun>> {
  const { live, trialEvents } = bench.plan.apply;
  let batch: Batch = { events: batchEvents[2], transactions: 2 };
  if (trialEvents > 0) {
    const batches = batchEvents.flatMap((events) => TRANSACTIONS.map((transactions) => ({ events, transactions })));
    batch = await tryBatches(bench, { kind, count: Math.ceil((trialEvents * count) / live), batches });
  }
  bench.log(`sql-limit, ${variant}: ${batch.events} events in a transaction, ${batch.transactions} at once`);
  return async (seconds) => {
    const place = await bench.services.place(PLACE);
    const contender = sqlLimit({ kind, run: newRun(), count, batches: [batch] });
    await settle(place);
    return { place, done: await workOff({ contender, place, seconds }) };
  };
}

/** Finds the batch with which sql-limit is fastest: a slower limit would flatter the contenders. */
async function tryBatches(
  { services, log }: BenchContext,
  { batches, ...load }: Pick<Backlog, 'kind'> & { count: number; batches: readonly Batch[] },
): Promise<Batch> {
  // The first batch is tried twice: a program that has just started is slow.
  const all = [...batches.slice(0, 1), ...batches];
  const limit = sqlLimit({ ...load, run: newRun(), batches: all });
  const program = await startWorker(limit.worker(await services.place(PLACE), await choosePort(0)));
  const deadline = performance.now() + TRIAL_LIMIT_MS;
  let { rates } = await limit.state();
  // oxlint-disable no-await-in-loop -- asking again and again is the point
  while (rates.length < all.length) {
    program.usage(); // throws when it has ended
    if (performance.now() > deadline) throw new Error('sql-limit did not end its trial.');
    await wait(ASK_MS);
    ({ rates } = await limit.state());
  }
  await program.stop();
  const tried = batches.map((batch, i) => ({ batch, rate: rates[i + 1] ?? 0 }));
  const results = tried.map(({ batch, rate }) => `${batch.events} × ${batch.transactions}: ${formatNumber(rate)}/s`);
  log(`sql-limit, events in a transaction × transactions at once: ${results.join(', ')}`);
  const best = tried.reduce((a, b) => (b.rate > a.rate ? b : a));
  return best.batch;
}
