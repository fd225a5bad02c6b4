import type { MinuteActivity, ProcessSample, QueueOverview } from '@landline/queue';
import { StoreError, type Attention } from '@landline/store';
import { NO_DATABASE, type ApiPorts } from '../ports.ts';
import { kept, within } from '../kept.ts';

/** How long a reading is kept for all consoles, in ms. They ask each second, and an event is to be seen within two of them. */
const KEPT_MS = 250;

/** How long the depth of the queues is kept, in ms: Redis looks at 512 jobs of each shard for it. */
const QUEUE_KEPT_MS = 1_000;

/** How long the counts of Postgres are kept, in ms: nobody hurries to a thing that needs attention within a second. */
const ATTENTION_KEPT_MS = 2_000;

/** How long Redis and Postgres may take, in ms. The overview shows what is missing, and does not wait for it. */
const LIMIT_MS = 1_500;

/** How old the last reading may be for two readings to tell what was between them, in ms. */
const CONTINUED_MS = 10_000;

const DAY_MS = 24 * 3_600_000;

/** All that the overview is made of. What is null could not be read, and a fault says why. Times in unix ms. */
export interface Reading {
  at: number;
  /** Sums of the last 60 seconds. */
  now: MinuteActivity | null;
  /** Each minute of the last day, and of the ten minutes in which it began. */
  minutes: readonly MinuteActivity[] | null;
  processes: readonly ProcessSample[] | null;
  queue: QueueOverview | null;
  canarySentAt: number | null;
  attention: Attention | null;
  redisFault: string | null;
  postgresFault: string | null;
  /** Since when receivers have told in each reading that their journals hold events that Redis does not have. */
  journalHeldSince: number | null;
}

/** What readings are made with. */
export interface ReadingPorts extends Pick<ApiPorts, 'lookups' | 'queues' | 'activity' | 'canary'> {
  now?: () => number;
}

/** Makes the reading of the overview, which all consoles share. It never rejects. */
export function createReading(ports: ReadingPorts): () => Promise<Reading> {
  const { lookups, queues, now = Date.now } = ports;
  const queue = kept(() => queues.overview(), QUEUE_KEPT_MS);
  const attention = lookups && kept(() => lookups.attention(), ATTENTION_KEPT_MS);
  let last: Pick<Reading, 'at' | 'journalHeldSince'> | undefined;
  return kept(async () => {
    const at = now();
    const [redis, postgres] = await Promise.all([readRedis({ ...ports, queue }, at), readPostgres(attention)]);
    const reading = { at, ...redis, ...postgres, journalHeldSince: heldSince(redis.processes, at, last) };
    last = reading;
    return reading;
  }, KEPT_MS);
}

type OfRedis = Pick<Reading, 'now' | 'minutes' | 'processes' | 'queue' | 'canarySentAt' | 'redisFault'>;

type RedisPorts = Pick<ReadingPorts, 'activity' | 'canary'> & { queue: () => Promise<QueueOverview> };

async function readRedis({ activity, queue: readQueue, canary }: RedisPorts, at: number): Promise<OfRedis> {
  const [now, minutes, processes, queue, sentAt] = await Promise.allSettled([
    ask(activity.now()),
    ask(activity.minutes(Math.floor((at - DAY_MS) / 600_000) * 600_000, at)),
    ask(activity.processes()),
    ask(readQueue()),
    ask(canary.newest()),
  ]);
  return {
    now: valueOf(now),
    minutes: valueOf(minutes),
    processes: valueOf(processes),
    queue: queueOf(valueOf(queue)),
    canarySentAt: valueOf(sentAt) ?? null,
    redisFault: redisFault(valueOf(queue), [now, minutes, processes, queue]),
  };
}

function ask<T>(reading: Promise<T>): Promise<T> {
  return within(reading, LIMIT_MS);
}

function valueOf<T>(settled: PromiseSettledResult<T>): T | null {
  return settled.status === 'fulfilled' ? settled.value : null;
}

/** Where no shard answers, its sums say nothing. */
function queueOf(queue: QueueOverview | null): QueueOverview | null {
  return queue === null || queue.away.length === queue.shards.length ? null : queue;
}

function redisFault(queue: QueueOverview | null, readings: readonly PromiseSettledResult<unknown>[]): string | null {
  if (queue !== null && queue.away.length > 0) {
    if (queue.shards.length === 1) return 'Redis does not answer: see that it runs, and that REDIS_URL is right.';
    return `Redis does not answer for shard ${queue.away.join(', ')}: see that it runs, and that REDIS_URL is right.`;
  }
  if (readings.every(({ status }) => status === 'fulfilled')) return null;
  return 'Redis does not answer: see that it runs, and that REDIS_URL is right.';
}

async function readPostgres(
  attention: (() => Promise<Attention>) | undefined,
): Promise<Pick<Reading, 'attention' | 'postgresFault'>> {
  if (attention === undefined) return { attention: null, postgresFault: NO_DATABASE };
  try {
    const found = await ask(attention());
    return { attention: found, postgresFault: null };
  } catch (error) {
    const advice = error instanceof StoreError ? (error.advice ?? '') : '';
    const message = `Postgres does not answer: see that it runs, and that READER_DATABASE_URL is right. ${advice}`;
    return { attention: null, postgresFault: message.trim() };
  }
}

function heldSince(
  processes: readonly ProcessSample[] | null,
  at: number,
  last: Pick<Reading, 'at' | 'journalHeldSince'> | undefined,
): number | null {
  const isHeld = processes?.some(({ gauges }) => (gauges['journalPendingRecords'] ?? 0) > 0) ?? false;
  if (!isHeld) return null;
  const since = last !== undefined && at - last.at <= CONTINUED_MS ? last.journalHeldSince : null;
  return since ?? at;
}
