import type { Queue } from 'bullmq';
import type { Redis } from 'ioredis';

/** Of the jobs that wait the oldest are at one end. Those in hand and those that are to be tried again lie in any order, and are few. */
const WAITING_LOOKED_AT = 16;
const OTHERS_LOOKED_AT = 512;

/**
 * When the oldest of a queue's jobs that are not done was enqueued, in unix ms; Infinity when there is none. Jobs that rest in `failed`
 * are not done either. What came later than a look is younger than the look: an answer stays true as a bound.
 */
export async function oldestJobAt(connection: Redis, queue: Queue<unknown>): Promise<number> {
  const tail = (state: string, count: number) => connection.lrange(queue.toKey(state), -count, -1);
  const head = (state: string) => connection.zrange(queue.toKey(state), '0', String(OTHERS_LOOKED_AT - 1));
  const lists = [tail('wait', WAITING_LOOKED_AT), tail('paused', WAITING_LOOKED_AT), tail('active', OTHERS_LOOKED_AT)];
  const sets = [head('prioritized'), head('delayed'), head('failed')];
  const ids = (await Promise.all([...lists, ...sets])).flat();
  const times = await Promise.all(ids.map((id) => connection.hget(queue.toKey(id), 'timestamp')));
  return times.reduce((oldest, time) => (time === null ? oldest : Math.min(oldest, Number(time))), Infinity);
}
