import { randomBytes } from 'node:crypto';
import { setTimeout as wait } from 'node:timers/promises';
import { choosePort } from '@landline/local-servers';
import { idempotencyKey } from '@landline/webhook';
import { runSql } from '../../test/support/run-sql.ts';
import { withRedis } from '../../test/support/with-redis.ts';
import type { Applier, Place, QueueingContender, SignedEvent } from '../contender.ts';
import { signedEvents, type EventKind } from '../load/signed-events.ts';
import { startWorker } from '../processes.ts';
import { commitsSince, ledgerEnd, type WorkedOff } from './commits.ts';

/** The events that are queued before a worker is timed. */
export interface Backlog {
  variant: string;
  kind: EventKind;
  events: number;
  /** The sizes of a transaction that sql-limit tries, in events. The third size is the usual one. */
  batchEvents: readonly [number, number, number, ...number[]];
}

const ASK_MS = 250;
/** The least number of transactions for a rate. A worker with large transactions runs on until it has made so many … */
const LEAST_COMMITS = 12;
/** … or has run for so much longer, in milliseconds. */
const LEAST_COMMITS_WITHIN_MS = 45_000;
/** How long a worker may take until the first events are applied, in milliseconds. */
const START_LIMIT_MS = 60_000;
/** How long a worker may go on after its window, in milliseconds: its transactions under way. */
const SETTLE_LIMIT_MS = 120_000;

/** Makes events one by one, as they are taken. It adds their ledger ids to `ids`. */
export function* backlogEvents(kind: EventKind, count: number, ids: string[]): Generator<SignedEvent> {
  for (const event of signedEvents(kind, count, newRun())) {
    ids.push(idempotencyKey(event.body));
    yield event;
  }
}

/** Makes a word that no other run uses. */
export function newRun(): string {
  return randomBytes(5).toString('hex');
}

/** How to work off a backlog. */
export interface WorkOff {
  contender: Applier;
  place: Place;
  /** How long the worker runs from the first job on, in seconds. It runs shorter when no event is left, and longer where it commits seldom. */
  seconds: number;
}

/**
 * Starts the worker on a backlog, and stops the worker when no event is left or its time is over.
 *
 * @returns  The commits of the worker, in order, and the time of its start.
 */
export async function workOff({ contender, place, seconds }: WorkOff): Promise<WorkedOff> {
  const queued = await contender.pending(place);
  const from = { page: await ledgerEnd(place.databaseUrl), at: Date.now() };
  const worker = await startWorker(contender.worker(place, await choosePort(0)));
  async function untilLeft(atMost: number, withinMs: number): Promise<boolean> {
    const deadline = performance.now() + withinMs;
    // oxlint-disable no-await-in-loop -- asking again and again is the point
    while (performance.now() < deadline) {
      worker.usage(); // throws when it has ended
      if ((await contender.pending(place)) <= atMost) return true;
      await wait(ASK_MS);
    }
    // oxlint-enable no-await-in-loop
    return false;
  }
  const committed = () => commitsSince(place.databaseUrl, from);
  let stoppedAt = from.at;
  try {
    const started = await untilLeft(queued - 1, START_LIMIT_MS);
    if (!started) throw new Error(`${contender.name} applied nothing within ${START_LIMIT_MS / 1000} s.`);
    let isDone = await untilLeft(0, seconds * 1000);
    const deadline = performance.now() + LEAST_COMMITS_WITHIN_MS;
    // oxlint-disable-next-line no-await-in-loop -- asking again and again is the point
    while (!isDone && performance.now() < deadline && (await committed()).length < LEAST_COMMITS)
      // oxlint-disable-next-line no-await-in-loop
      isDone = await untilLeft(0, 1000);
  } finally {
    stoppedAt = Date.now();
    await worker.stop();
  }
  return { commits: await committed(), startedAt: from.at, stoppedAt };
}

/** Queues events, and analyses the tables, so that Postgres knows the new sizes of the queue's tables. */
export async function fillBacklog(
  contender: QueueingContender,
  place: Place,
  events: Iterable<SignedEvent>,
): Promise<void> {
  await contender.fill(place, events);
  await runSql(place.databaseUrl, 'VACUUM (ANALYZE)');
}

/** Waits until Redis and Postgres have finished their own work after a load: it would count against the next contender. */
export async function settle({ redisUrl, databaseUrl }: Place): Promise<void> {
  await runSql(databaseUrl, 'CHECKPOINT');
  const deadline = performance.now() + SETTLE_LIMIT_MS;
  await withRedis(redisUrl, async (redis) => {
    // oxlint-disable no-await-in-loop -- asking again and again is the point
    while (/aof_rewrite_(?:in_progress|scheduled):1/.test(await redis.info('persistence'))) {
      if (performance.now() > deadline) throw new Error('Redis did not end rewriting its append-only file.');
      await wait(ASK_MS);
    }
  });
}
