import { createHash } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Queue } from 'bullmq';
import type { Redis } from 'ioredis';
import { jobName } from '../jobs/job-name.ts';
import { DEAD_LETTER_QUEUE, REJECTED_QUEUE, WEBHOOK_QUEUE } from '../names.ts';
import { setTimeLimit, slowWriteLimitMs } from '../redis/slow-connection.ts';
import type { QueueServers } from '../servers/shard-places.ts';
import { dataOf, readCarried, type CarriedEvent } from './job-contents.ts';
import { notOfRedis, onEachShard } from './on-each-shard.ts';
import { idsInState, JOB_STATES, type JobState } from './rested-jobs.ts';

/** Jobs that are decided about together, and bytes of their data; a larger one is decided about alone. */
const BATCH_JOBS = 64;
const BATCH_BYTES = 2 * 1024 * 1024;

/** Stands in the place of an error that may quote what is gone. */
const FORGOTTEN = 'An event of this job was erased, and the error with it.';

/** Tells of each event whether it is to go. */
export type DecideToForget = (events: readonly CarriedEvent[]) => Promise<boolean[]>;

/** How many events were taken out of Redis, by where they lay. */
export interface ForgottenJobs {
  /** In jobs that wait for a worker, now or later. */
  waiting: number;
  /** In jobs that rest after their last attempt, or were kept when they were done. */
  resting: number;
  dead_letters: number;
  rejected: number;
  /** In jobs that a worker has in hand: they are still there. */
  in_hand: number;
}

/** How to go through the jobs. */
export interface ForgetJobsOptions {
  servers: QueueServers;
  decide: DecideToForget;
  /** Ends the search with the signal's reason. */
  signal: AbortSignal;
}

/**
 * Goes through all jobs of the queues of events, dead letters and refused requests, on every shard and every old one, and takes out the events that are to go.
 * A job of several events stays with the others. Jobs that a worker has in hand stay as they are.
 *
 * @throws  QueueUnavailableError; repeat the whole call.
 */
export async function forgetJobs({ servers, decide, signal }: ForgetJobsOptions): Promise<ForgottenJobs> {
  const counts: ForgottenJobs = { waiting: 0, resting: 0, dead_letters: 0, rejected: 0, in_hand: 0 };
  await onEachShard(servers, [WEBHOOK_QUEUE, DEAD_LETTER_QUEUE, REJECTED_QUEUE], {
    signal,
    async visit(connection, queue) {
      // oxlint-disable-next-line no-await-in-loop -- one state after the other
      for (const state of JOB_STATES) await forgetInState({ connection, queue, state }, { decide, signal, counts });
    },
  });
  return counts;
}

interface Sweep extends Omit<ForgetJobsOptions, 'servers'> {
  counts: ForgottenJobs;
}

interface Where {
  connection: Redis;
  queue: Queue<unknown>;
  state: JobState;
}

interface FoundJob {
  id: string;
  data: string;
  events: CarriedEvent[];
}

async function forgetInState(where: Where, sweep: Sweep): Promise<void> {
  const { connection, queue, state } = where;
  let batch: FoundJob[] = [];
  let bytes = 0;
  // oxlint-disable no-await-in-loop -- batch after batch, so that memory is bounded
  for (const id of await idsInState(connection, queue.toKey(state), state)) {
    sweep.signal.throwIfAborted();
    const data = await readJobData(where, id);
    if (data === undefined) continue;
    if (batch.length >= BATCH_JOBS || (bytes > 0 && bytes + data.length > BATCH_BYTES)) {
      await forgetBatch(batch, where, sweep);
      batch = [];
      bytes = 0;
    }
    batch.push({ id, data, events: readCarried(data) });
    bytes += data.length;
  }
  // oxlint-enable no-await-in-loop
  await forgetBatch(batch, where, sweep);
}

/** Undefined where the job is gone by now. */
async function readJobData({ connection, queue }: Where, id: string): Promise<string | undefined> {
  const key = queue.toKey(id);
  setTimeLimit(connection, slowWriteLimitMs(await connection.hstrlen(key, 'data')));
  return (await connection.hget(key, 'data')) ?? undefined;
}

/** Decides about jobs, and rests for as long as that took: events on their way have half of Redis and of this process. */
async function forgetBatch(batch: readonly FoundJob[], where: Where, { decide, counts }: Sweep): Promise<void> {
  if (batch.length === 0) return;
  const begun = performance.now();
  const decisions = await decide(batch.flatMap(({ events }) => events)).catch(notOfRedis);
  let at = 0;
  for (const job of batch) {
    const goes = decisions.slice(at, (at += job.events.length));
    const going = goes.filter(Boolean).length;
    if (going === 0) continue;
    const kept = job.events.filter((_, i) => goes[i] !== true);
    // oxlint-disable-next-line no-await-in-loop -- one job after the other
    const isDone = where.state !== 'active' && (await takeOut(job, kept, where));
    counts[isDone ? placeOfJob(where) : 'in_hand'] += going;
  }
  await sleep(performance.now() - begun);
}

function placeOfJob({ queue, state }: Where): keyof ForgottenJobs {
  if (queue.name === DEAD_LETTER_QUEUE) return 'dead_letters';
  if (queue.name === REJECTED_QUEUE) return 'rejected';
  return state === 'failed' || state === 'completed' ? 'resting' : 'waiting';
}

/** Returns false where a worker has the job by now. */
async function takeOut({ id, data }: FoundJob, kept: readonly CarriedEvent[], where: Where): Promise<boolean> {
  const { connection, queue } = where;
  if (kept.length === 0) return (await queue.remove(id)) === 1;
  const rest = dataOf(kept);
  const key = queue.toKey(id);
  const hash = createHash('sha1').update(data).digest('hex');
  setTimeLimit(connection, slowWriteLimitMs(rest.length));
  const replaced = await connection.eval(REPLACE, 2, key, `${key}:lock`, hash, rest, jobName(kept.length), FORGOTTEN);
  return replaced === 1;
}

/** Replaces the data of a job that no worker has, where nobody has changed it since it was read. KEYS: the job, its lock. */
const REPLACE = `
local data = redis.call('HGET', KEYS[1], 'data')
if not data or redis.sha1hex(data) ~= ARGV[1] or redis.call('EXISTS', KEYS[2]) == 1 then return 0 end
redis.call('HSET', KEYS[1], 'data', ARGV[2], 'name', ARGV[3])
if redis.call('HEXISTS', KEYS[1], 'failedReason') == 1 then redis.call('HSET', KEYS[1], 'failedReason', ARGV[4]) end
redis.call('HDEL', KEYS[1], 'stacktrace')
return 1`;
