import type { Queue } from 'bullmq';
import type { Redis } from 'ioredis';

/** Of the jobs in one state. */
const LOOKED_AT = 512;

/**
 * When the oldest of a queue's jobs that are not done was enqueued, in unix ms; Infinity when there is none. Jobs that rest in `failed`
 * are not done either. What came later than a look is younger than the look: an answer stays true as a bound.
 *
 * Undefined where there are more jobs than are looked at: one that was handed back or is tried again lies among those that came later.
 */
export async function oldestJobAt(connection: Redis, queue: Queue<unknown>): Promise<number | undefined> {
  const list = (state: string) => connection.lrange(queue.toKey(state), 0, LOOKED_AT);
  const set = (state: string) => connection.zrange(queue.toKey(state), '0', String(LOOKED_AT));
  const lists = ['wait', 'paused', 'active'].map(list);
  const states = await Promise.all([...lists, ...['prioritized', 'delayed', 'failed'].map(set)]);
  if (states.some((ids) => ids.length > LOOKED_AT)) return undefined;
  const times = await Promise.all(states.flat().map((id) => connection.hget(queue.toKey(id), 'timestamp')));
  return times.reduce((oldest, time) => (time === null ? oldest : Math.min(oldest, Number(time))), Infinity);
}
