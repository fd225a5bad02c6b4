import { setTimeout as wait } from 'node:timers/promises';
import { runSql } from '../../test/support/run-sql.ts';
import type { BenchContext } from '../bench-context.ts';
import { CONTENDERS, takingPart, WITH_JOURNAL } from '../contenders.ts';
import type { PreparedLoad } from '../load/generator.ts';
import type { LoadResult } from '../load/load.ts';
import { formatNumber } from '../report/format-number.ts';
import type { Results } from '../results.ts';
import { startMeters } from './cost.ts';
import { CONNECTIONS, fullLoad, onStage, type Stage, type StageLoad } from './stage.ts';

/** The low rate for measuring the time from 200 to row, in events per second. */
const LOW_RATE = 200;
/** Postgres and the receiver report their work only a moment later. */
const SETTLE_MS = 500;

/**
 * end-to-end: measures generator, receiver, queue, worker and Postgres together. A closed loop runs for a time, and the clock runs until
 * the last event is in the tables: so queued events lower the rate. Then loads at a low rate, and at half of the measured rate, give the
 * time from 200 to row. The measure reads the costs as well.
 */
export async function endToEnd(bench: BenchContext, results: Results): Promise<void> {
  for (let round = 1; round <= bench.plan.rounds; round++) {
    for (const contender of takingPart(bench.plan, [...CONTENDERS, WITH_JOURNAL])) {
      // oxlint-disable-next-line no-await-in-loop -- one at a time: they share the machine
      const rate = await onStage(bench, { contender }, (stage) => measure(bench, results, stage));
      bench.log(`end to end, round ${round}: ${contender.name} ${formatNumber(rate)}/s`);
    }
  }
}

async function measure(bench: BenchContext, results: Results, stage: Stage): Promise<number> {
  const { contender } = stage;
  const { lowRateSeconds } = bench.plan;
  const workers = await stage.startWorkers(1);
  const programs = new Map([
    ...stage.receivers.map((receiver) => ['receiver', receiver] as const),
    ...workers.map((worker) => ['worker', worker] as const),
  ]);
  const warm = await stage.warmUp();
  await stage.untilDrained();
  await wait(SETTLE_MS);

  async function runAtCost(variant: string, prepared: PreparedLoad, settleMs: number): Promise<LoadResult> {
    const addCost = await startMeters(bench, programs);
    const load = await prepared.run();
    await stage.untilDrained();
    await wait(settleMs);
    await addCost(results, { contender: contender.name, variant }, load);
    return load;
  }

  const low = await runAtCost('low load', await stage.prepare(atRate(LOW_RATE, lowRateSeconds)), SETTLE_MS);
  const full = await runAtCost('full load', await stage.prepare(fullLoad(bench, contender)), 0);
  const rate = await stage.rateOf(full);
  const name = { measure: 'end-to-end', variant: 'full load', contender: contender.name, unit: '/s' };
  results.add({ ...name, metric: 'events' }, rate);
  results.add({ ...name, metric: 'accepted' }, full.accepted.ids.length / full.seconds);

  const half = await (await stage.prepare(atRate(Math.max(1, Math.floor(rate / 2)), lowRateSeconds))).run();
  await stage.untilDrained();
  await addRowLatency(results, stage, { variant: `${LOW_RATE}/s`, accepted: low.accepted });
  await addRowLatency(results, stage, { variant: 'half of its own rate', accepted: half.accepted });
  await stage.check([warm, low, full, half]);
  return rate;
}

function atRate(ratePerSecond: number, seconds: number): StageLoad {
  const count = Math.ceil(ratePerSecond * seconds);
  return { kind: 'live', connections: CONNECTIONS, count, seconds, ratePerSecond };
}

/** Computes the time from the answer to the commit of the event's row. It is 0 where the row comes first, as for direct. */
async function addRowLatency(
  results: Results,
  stage: Stage,
  { variant, accepted }: { variant: string; accepted: LoadResult['accepted'] },
): Promise<void> {
  const rows = await runSql<{ ms: number }>(
    stage.place.databaseUrl,
    `SELECT GREATEST(0, extract(epoch FROM pg_xact_commit_timestamp(e.xmin)) * 1000 - a.at)::float8 AS ms
     FROM unnest($1::uuid[], $2::float8[]) AS a (id, at) JOIN webhook_events AS e USING (id) ORDER BY ms`,
    [accepted.ids, [...accepted.at]],
  );
  const at = (share: number) => rows[Math.min(rows.length - 1, Math.floor(rows.length * share))]?.ms ?? Number.NaN;
  const name = {
    measure: 'end-to-end',
    variant: `200 to row, ${variant}`,
    contender: stage.contender.name,
    unit: 'ms',
  };
  results.add({ ...name, metric: 'p50' }, at(0.5));
  results.add({ ...name, metric: 'p99' }, at(0.99));
}
