import { setTimeout as wait } from 'node:timers/promises';
import type { BenchContext } from '../bench-context.ts';
import type { Contender } from '../contender.ts';
import type { LoadResult } from '../load/load.ts';
import { formatNumber } from '../report/format-number.ts';
import type { Results } from '../results.ts';
import { commitsSince, querySql } from './commits.ts';
import { addCost, readAccount, resetPeaks } from './cost.ts';
import { isFast, onStage, openStage, type Stage } from './stage.ts';

const CONNECTIONS = 64;
/** Events per second at low load, for the way from 200 to row. */
const LOW_RATE = 200;
/** The most events that are made ahead for the closed loop, a second. */
const MOST_PER_SECOND = 25_000;
const DRAIN_LIMIT_MS = 180_000;
/** Postgres tells of a backend's work, and the receiver of its own, only a moment later. */
const SETTLE_MS = 500;

/**
 * end-to-end: generator, receiver, queue, worker and Postgres together. A closed loop runs for a time, and the clock runs until
 * the last event is in the tables: what piled up counts against the rate. Then a low rate, and half of the measured one, for the
 * time from 200 to row. What it all costs is read on the way.
 */
export async function endToEnd(bench: BenchContext, results: Results): Promise<void> {
  for (let round = 1; round <= bench.plan.rounds; round++) {
    for (const contender of [...bench.contenders, bench.withJournal]) {
      // oxlint-disable-next-line no-await-in-loop -- one at a time: they share the machine
      const rate = await onStage(openStage(bench, contender), (stage) => measure(bench, results, stage));
      bench.log(`end to end, round ${round}: ${contender.name} ${formatNumber(rate)}/s`);
    }
  }
}

async function measure(bench: BenchContext, results: Results, stage: Stage): Promise<number> {
  const { contender } = stage;
  const workers = await stage.startWorkers(1);
  const accounted = { receivers: stage.receivers, workers };
  const { plan } = bench;
  const warm = await stage.warmUp();
  await stage.untilDrained(DRAIN_LIMIT_MS);
  await wait(SETTLE_MS);

  const low = await prepare(stage, plan.lowRateSeconds, LOW_RATE);
  resetPeaks(bench, accounted);
  const beforeLow = await readAccount(bench, accounted);
  const lowLoad = await low.run();
  await stage.untilDrained(DRAIN_LIMIT_MS);
  await wait(SETTLE_MS);
  addCost(results, contender, 'low load', {
    before: beforeLow,
    after: await readAccount(bench, accounted),
    load: lowLoad,
  });

  const seconds = plan.endToEndSeconds;
  const full = await stage.prepare({
    kind: 'live',
    connections: CONNECTIONS,
    seconds,
    count: isFast(contender) ? Math.ceil(seconds * MOST_PER_SECOND) : plan.eventsOfOthers,
  });
  resetPeaks(bench, accounted);
  const before = await readAccount(bench, accounted);
  const load = await full.run();
  await stage.untilDrained(DRAIN_LIMIT_MS);
  const rate = await rateOf(stage, load);
  addCost(results, contender, 'full load', { before, after: await readAccount(bench, accounted), load });
  add(results, contender, 'full load', 'events', '/s', rate);
  add(results, contender, 'full load', 'accepted', '/s', load.accepted.ids.length / load.seconds);

  const halfRate = Math.max(1, Math.floor(rate / 2));
  const half = await run(stage, {
    count: Math.ceil(halfRate * plan.lowRateSeconds),
    seconds: plan.lowRateSeconds,
    ratePerSecond: halfRate,
  });
  await stage.untilDrained(DRAIN_LIMIT_MS);
  await addRowLatency(results, stage, `${LOW_RATE}/s`, lowLoad);
  await addRowLatency(results, stage, 'half of its own rate', half);
  await stage.check([warm, lowLoad, load, half]);
  return rate;
}

function prepare(stage: Stage, seconds: number, ratePerSecond: number): ReturnType<Stage['prepare']> {
  return stage.prepare({
    kind: 'live',
    connections: CONNECTIONS,
    count: seconds * ratePerSecond,
    seconds,
    ratePerSecond,
  });
}

async function run(
  stage: Stage,
  load: { count: number; seconds: number; ratePerSecond?: number },
): Promise<LoadResult> {
  const prepared = await stage.prepare({ kind: 'live', connections: CONNECTIONS, ...load });
  const result = await prepared.run();
  await stage.untilDrained(DRAIN_LIMIT_MS);
  return result;
}

/** Events a second from the first request to the commit of the last event. */
async function rateOf({ place }: Stage, load: LoadResult): Promise<number> {
  const commits = await commitsSince(place.databaseUrl, { page: 0, at: load.startedAt });
  const last = commits.at(-1)?.at ?? Number.NaN;
  return (load.accepted.ids.length * 1000) / (last - load.startedAt);
}

/** The time from the answer to the commit of the event's row; where the row comes first, as for direct, it is none. */
async function addRowLatency(
  results: Results,
  { contender, place }: Stage,
  variant: string,
  { accepted }: LoadResult,
): Promise<void> {
  const rows = await querySql<{ ms: number }>(
    place.databaseUrl,
    `SELECT GREATEST(0, extract(epoch FROM pg_xact_commit_timestamp(e.xmin)) * 1000 - a.at)::float8 AS ms
     FROM unnest($1::uuid[], $2::float8[]) AS a (id, at) JOIN webhook_events AS e USING (id) ORDER BY ms`,
    [accepted.ids, [...accepted.at]],
  );
  const at = (share: number) => rows[Math.min(rows.length - 1, Math.floor(rows.length * share))]?.ms ?? Number.NaN;
  add(results, contender, `200 to row, ${variant}`, 'p50', 'ms', at(0.5));
  add(results, contender, `200 to row, ${variant}`, 'p99', 'ms', at(0.99));
}

function add(
  results: Results,
  { name }: Contender,
  variant: string,
  metric: string,
  unit: string,
  value: number,
): void {
  results.add({ measure: 'end-to-end', variant, contender: name, metric, unit }, value);
}
