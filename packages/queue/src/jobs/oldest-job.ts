import type { Queue } from 'bullmq';
import type { Redis } from 'ioredis';
import { z } from 'zod';

/** Of the jobs in one state. */
const LOOKED_AT = 512;

const LISTS = ['wait', 'paused', 'active'];
const SETS = ['prioritized', 'delayed', 'failed'];

const idsSchema = z.array(z.string());

/**
 * When the oldest of a queue's jobs that are not done was enqueued, in unix ms; Infinity when there is none. Jobs that rest in `failed`
 * are not done either. What came later than a look is younger than the look: an answer stays true as a bound.
 *
 * Undefined where there are more jobs than are looked at: one that was handed back or is tried again lies among those that came later.
 */
export async function oldestJobAt(connection: Redis, queue: Queue<unknown>): Promise<number | undefined> {
  const states = await readStates(connection, queue);
  if (states.some((ids) => ids.length > LOOKED_AT)) return undefined;
  const times = await Promise.all(states.flat().map((id) => connection.hget(queue.toKey(id), 'timestamp')));
  return times.reduce((oldest, time) => (time === null ? oldest : Math.min(oldest, Number(time))), Infinity);
}

/** The ids of the jobs in each state, all read at one moment: a job that moves between two reads would be in none of them. */
async function readStates(connection: Redis, queue: Queue<unknown>): Promise<string[][]> {
  const look = connection.multi();
  for (const state of LISTS) look.lrange(queue.toKey(state), 0, LOOKED_AT);
  for (const state of SETS) look.zrange(queue.toKey(state), '0', String(LOOKED_AT));
  const answers = (await look.exec()) ?? [];
  return answers.map(([error, ids]) => {
    if (error !== null) throw error;
    return idsSchema.parse(ids);
  });
}
