import type { Queue } from 'bullmq';
import type { Redis } from 'ioredis';
import { z } from 'zod';
import { askRedis } from '../redis/ask-redis.ts';
import { createProducerConnection, endConnection, firstAttempt } from '../redis/connection.ts';
import { placeOf, type Place } from '../servers/place.ts';
import { createDrainPace } from './drain-pace.ts';
import { eventsIn } from './job-name.ts';
import { openEventQueue } from './open-queue.ts';

/** How long Redis may take to answer, in ms. A reader of metrics does not wait for longer. */
const ANSWER_TIMEOUT_MS = 500;

/** How many of the oldest jobs are examined, and how many of the newest. */
const EXAMINED_JOBS = 256;

/** What waits for a worker in the webhook queue. Jobs that run, are to be tried again, or rest in `failed` are no part of it. */
export interface Backlog {
  jobs: number;
  /** Events in these jobs. Of more than 512 jobs it is an estimate, from the 256 oldest and the 256 newest. */
  events: number;
  /** Age of the oldest of these jobs in Redis, in seconds; 0 where none waits. Of more than 512 jobs it is that of the oldest examined. */
  oldestSeconds: number;
  /** How long these jobs will take; see `DrainPace`. */
  seconds: number;
}

/** Reads the backlog of one Redis. */
export interface BacklogReader {
  /** Looks at the backlog. The pace comes from earlier looks. @throws QueueUnavailableError within a second */
  read(): Promise<Backlog>;
  close(): Promise<void>;
}

/** Which shard to ask, and what the time is in unix ms. */
export interface BacklogOptions extends Place {
  now?: () => number;
}

/** Opens a reader of the backlog; connects at once. */
export function openBacklog({ now = Date.now, ...options }: BacklogOptions): BacklogReader {
  const { redisUrl, ...place } = placeOf(options);
  const connection = createProducerConnection(redisUrl, { ...place, enqueueTimeoutMs: ANSWER_TIMEOUT_MS });
  const connected = firstAttempt(connection);
  const queue = openEventQueue(connection, place.prefix);
  const look = backlogLook(connection, queue, now);

  return {
    read: () => askRedis(connected, 'Redis does not tell its backlog.', look),
    async close() {
      await queue.close();
      endConnection(connection);
    },
  };
}

/** Returns a function that looks at the backlog of a queue; it rejects as the connection does. */
export function backlogLook(
  connection: Redis,
  queue: Queue<unknown>,
  now: () => number = Date.now,
): () => Promise<Backlog> {
  const pace = createDrainPace();
  return async () => {
    const { waiting, held, added, examined } = await readCounts(connection, queue);
    const jobs = await readJobs(connection, queue, examined);
    const oldestAt = Math.min(...jobs.map(({ addedAt }) => addedAt));
    const oldestSeconds = jobs.length === 0 ? 0 : Math.max(0, now() - oldestAt) / 1000;
    const seconds = pace.secondsFor({ at: performance.now(), waiting, left: added - held, oldestSeconds });
    return { jobs: waiting, events: estimateEvents(jobs, waiting), oldestSeconds, seconds };
  };
}

const count = z.coerce.number();
const ids = z.array(z.string());
const countsSchema = z.tuple([count, count, count, count, ids, ids]);

/** Reads all counts at one moment: else a job that moves meanwhile would count twice, or not at all. */
async function readCounts(connection: Redis, queue: Queue<unknown>) {
  const reading = connection
    .multi()
    .llen(queue.toKey('wait'))
    .llen(queue.toKey('active'))
    .zcard(queue.toKey('delayed'))
    // BullMQ increments it for each job that is added, whatever the job's id.
    .get(queue.toKey('id'))
    // A worker takes the last one next.
    .lrange(queue.toKey('wait'), -EXAMINED_JOBS, -1)
    .lrange(queue.toKey('wait'), 0, EXAMINED_JOBS - 1);
  const answers = ((await reading.exec()) ?? []).map(([error, answer]) => {
    if (error !== null) throw error;
    return answer;
  });
  const [waiting, active, delayed, added, oldest, newest] = countsSchema.parse(answers);
  return { waiting, held: waiting + active + delayed, added, examined: new Set([...oldest, ...newest]) };
}

interface ExaminedJob {
  /** Undefined: a job of a version that did not say so. */
  events: number | undefined;
  /** In unix ms. */
  addedAt: number;
}

const fieldsSchema = z.tuple([z.string().nullable(), z.string().nullable()]);

/** Reads what is known of jobs without their data. Those that are done meanwhile are left out. */
async function readJobs(connection: Redis, queue: Queue<unknown>, examined: Iterable<string>): Promise<ExaminedJob[]> {
  const reading = connection.pipeline();
  for (const id of examined) reading.hmget(queue.toKey(id), 'name', 'timestamp');
  return ((await reading.exec()) ?? []).flatMap(([error, fields]) => {
    if (error !== null) throw error;
    const [name, timestamp] = fieldsSchema.parse(fields);
    return name === null || timestamp === null ? [] : [{ events: eventsIn(name), addedAt: Number(timestamp) }];
  });
}

/** Takes the jobs that are not known for average ones; a job has one event at least. */
function estimateEvents(jobs: readonly ExaminedJob[], waiting: number): number {
  const known = jobs.flatMap(({ events }) => events ?? []);
  const sum = known.reduce((total, events) => total + events, 0);
  const average = known.length === 0 ? 1 : sum / known.length;
  return Math.round(sum + average * Math.max(0, waiting - known.length));
}
