import type { Queue } from 'bullmq';
import type { Redis } from 'ioredis';
import { z } from 'zod';

/** How many jobs of one state are examined. */
const EXAMINED_JOBS = 512;

const LISTS = ['wait', 'paused', 'active'];
const SETS = ['prioritized', 'delayed', 'failed'];

const idsSchema = z.array(z.string());

/**
 * Returns when the oldest job that is not done was enqueued, in unix ms; Infinity when every job is done. Jobs that rest in `failed` are
 * not done. Jobs that come later are younger, so the answer stays true as a lower bound.
 *
 * Returns undefined where there are too many jobs to examine: a job that was handed back or is tried again lies among younger ones.
 */
export async function oldestJobAt(connection: Redis, queue: Queue<unknown>): Promise<number | undefined> {
  const states = await readStates(connection, queue);
  if (states.some((ids) => ids.length > EXAMINED_JOBS)) return undefined;
  const times = await Promise.all(states.flat().map((id) => connection.hget(queue.toKey(id), 'timestamp')));
  return times.reduce((oldest, time) => (time === null ? oldest : Math.min(oldest, Number(time))), Infinity);
}

/** Reads the ids of the jobs in each state at one moment. Of two moments both could miss a job that moves between them. */
async function readStates(connection: Redis, queue: Queue<unknown>): Promise<string[][]> {
  const reading = connection.multi();
  for (const state of LISTS) reading.lrange(queue.toKey(state), 0, EXAMINED_JOBS);
  for (const state of SETS) reading.zrange(queue.toKey(state), '0', String(EXAMINED_JOBS));
  const answers = (await reading.exec()) ?? [];
  return answers.map(([error, ids]) => {
    if (error !== null) throw error;
    return idsSchema.parse(ids);
  });
}
