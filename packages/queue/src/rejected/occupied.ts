import type { Queue } from 'bullmq';
import type { Redis } from 'ioredis';
import { z } from 'zod';

/** What a queue holds, in whatever state its jobs are. */
export interface Occupied {
  jobs: number;
  /** Of their data, as Redis has it. */
  bytes: number;
}

/** The lists and sorted sets of a queue's jobs that are not done. */
const STATES = ['wait', 'paused', 'active', 'prioritized', 'delayed', 'failed'];

/** Counts. A counter of our own would drift with each job whose end nobody saw. KEYS: the lists and sets; ARGV: what leads a job's key. */
const COUNT = `
local jobs, bytes = 0, 0
for _, key in ipairs(KEYS) do
  local kind = redis.call('TYPE', key).ok
  local ids = {}
  if kind == 'list' then ids = redis.call('LRANGE', key, 0, -1) end
  if kind == 'zset' then ids = redis.call('ZRANGE', key, 0, -1) end
  for _, id in ipairs(ids) do
    jobs = jobs + 1
    bytes = bytes + redis.call('HSTRLEN', ARGV[1] .. id, 'data')
  end
end
return {jobs, bytes}`;

const countSchema = z.tuple([z.number(), z.number()]);

/** Asks Redis what a queue holds; some tenths of a millisecond for a thousand jobs. Rejects as the connection does. */
export async function readOccupied(connection: Redis, queue: Pick<Queue, 'toKey'>): Promise<Occupied> {
  const keys = STATES.map((state) => queue.toKey(state));
  const [jobs, bytes] = countSchema.parse(await connection.eval(COUNT, keys.length, ...keys, queue.toKey('')));
  return { jobs, bytes };
}
