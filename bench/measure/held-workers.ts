import { setTimeout as wait } from 'node:timers/promises';
import { choosePort } from '@landline/local-servers';
import { runSql } from '../../test/support/run-sql.ts';
import type { BenchContext } from '../bench-context.ts';
import type { Place } from '../contender.ts';
import { LANDLINE } from '../contenders.ts';
import type { EventKind } from '../load/signed-events.ts';
import { startWorker, type RunningProgram } from '../processes.ts';
import { formatNumber } from '../report/format-number.ts';
import type { Results } from '../results.ts';
import { backlogEvents, fillBacklog, settle } from './backlog.ts';
import { ledgerCount } from './check-applied.ts';
import { HELD_CORES, makeShare, whyNoShares } from './cpu-share.ts';
import { watchLocks } from './lock-waits.ts';

const LOADS: readonly { variant: string; kind: EventKind }[] = [
  { variant: 'messages', kind: 'messages1000' },
  { variant: 'live events', kind: 'live1000' },
  { variant: 'transcripts', kind: 'transcript30' },
];

/**
 * held-workers: the same backlog with one, two and four workers, each held to a part of a core. So it shows whether workers wait for each
 * other, not how fast the machine is. It takes root, and is skipped elsewhere.
 */
export async function heldWorkers(bench: BenchContext, results: Results): Promise<void> {
  const reason = whyNoShares();
  if (reason !== undefined) return bench.log(`held-workers: skipped, because ${reason}`);
  for (let round = 1; round <= bench.plan.rounds; round++) {
    for (const { variant, kind } of LOADS) {
      for (const count of bench.plan.heldWorkers.counts) {
        // oxlint-disable-next-line no-await-in-loop -- one at a time: they share the machine
        const { rate, waiting } = await measureHeld(bench, kind, count);
        const name = {
          measure: 'held-workers',
          variant: `${variant}, ${count} × ${HELD_CORES} of a core`,
          contender: 'landline',
        };
        results.add({ ...name, metric: 'events', unit: '/s' }, rate);
        results.add({ ...name, metric: 'sessions that wait for a lock', unit: '%' }, waiting * 100);
        bench.log(`held-workers, round ${round}: ${name.variant} ${formatNumber(rate)}/s`);
      }
    }
  }
}

/** The figures of one run. */
interface Held {
  /** Events a second. */
  rate: number;
  /** The share of the sessions in a transaction that wait for a lock, from 0 to 1. */
  waiting: number;
}

async function measureHeld(bench: BenchContext, kind: EventKind, count: number): Promise<Held> {
  const { seconds, live, transcripts } = bench.plan.heldWorkers;
  const place = await bench.services.place('held-workers');
  const events = kind === 'transcript30' ? transcripts : live;
  await fillBacklog(LANDLINE, place, backlogEvents(kind, events, []));
  await settle(place);
  const shares = Array.from({ length: count }, (_, i) => makeShare(`landline-bench-${process.pid}-${i}`, HELD_CORES));
  const workers: RunningProgram[] = [];
  try {
    for (let i = 0; i < count; i++)
      // oxlint-disable-next-line no-await-in-loop -- one after the other
      workers.push(await startWorker(LANDLINE.worker(place, await choosePort(0))));
    // Not held yet: a worker that has just started loads and compiles for a second, which would be seven held ones.
    await untilApplied(place, events * WARM_PART);
    workers.forEach(({ pid }, i) => shares[i]?.hold(pid));
    await wait(SETTLE_MS);
    const held = await watch(place, seconds);
    if ((await LANDLINE.pending(place)) === 0)
      throw new Error('The backlog was worked off before the end of the watch.');
    return held;
  } finally {
    await Promise.all(workers.map((worker) => worker.stop()));
    for (const share of shares) share.remove();
  }
}

/** The part of the backlog that warms the workers up. */
const WARM_PART = 0.2;
/** How long the workers run held before the watch, in milliseconds: what they had begun before ends. */
const SETTLE_MS = 1000;
const ASK_MS = 20;
const WARM_LIMIT_MS = 60_000;

async function untilApplied(place: Place, events: number): Promise<void> {
  const deadline = performance.now() + WARM_LIMIT_MS;
  // oxlint-disable no-await-in-loop -- asking again and again is the point
  while ((await ledgerCount(place.databaseUrl)) < events) {
    if (performance.now() > deadline) throw new Error('The workers did not warm up in time.');
    await wait(ASK_MS);
  }
}

/** Counts what is committed within a time, and which sessions wait meanwhile. */
async function watch({ databaseUrl }: Place, seconds: number): Promise<Held> {
  const locks = await watchLocks(databaseUrl);
  const before = await ledgerAt(databaseUrl);
  await wait(seconds * 1000);
  const after = await ledgerAt(databaseUrl);
  const waiting = await locks.end();
  return { rate: (after.events - before.events) / (after.at - before.at), waiting };
}

async function ledgerAt(databaseUrl: string): Promise<{ events: number; at: number }> {
  const [row] = await runSql<{ events: number; at: number }>(
    databaseUrl,
    'SELECT count(*)::int AS events, extract(epoch FROM now())::float8 AS at FROM webhook_events',
  );
  return row ?? { events: 0, at: 0 };
}
