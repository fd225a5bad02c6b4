import type { Queue } from 'bullmq';
import type { Redis } from 'ioredis';
import { z } from 'zod';

/** Why BullMQ says that it failed a job whose workers have died too often. */
const STALLED_REASON = 'job stalled more than allowable limit';

/** How long such a job rests in `failed` before its first, second and third come-back, in ms. After the third it stays. */
const RESTS_MS = [60_000, 900_000, 3_600_000];

/** How many jobs one call examines. */
const PAGE_JOBS = 500;

/** How many deaths a job that comes back starts with: it is still a suspect (see suspects.ts). */
const DEATHS_LEFT = 2;

/** Notes in the job how often it came back, and resets its count of deaths. Returns 1 to the first worker, 0 to the others. */
const COME_BACK = `
if not redis.call('ZSCORE', KEYS[1], ARGV[1]) then return 0 end
if (redis.call('HGET', KEYS[2], 'comebacks') or '0') ~= ARGV[2] then return 0 end
redis.call('HSET', KEYS[2], 'comebacks', ARGV[2] + 1, 'stc', ARGV[3])
return 1`;

const jobsSchema = z.array(z.tuple([z.string(), z.array(z.string().nullable())]));

/** A place in the list of jobs that rest in `failed`, oldest first. */
export interface FailedPosition {
  /** The index of the next job to examine. */
  from: number;
}

/**
 * Examines the next jobs in `failed`, and retries those whose workers died too often. Ten restarts by force during an outage do that to
 * a job that did nothing wrong. A job that kills its workers comes back three times, after longer and longer rests, and then stays.
 *
 * @param now  The current time in unix ms.
 * @returns    Where the next call must go on; 0 after the last job.
 */
export async function retryStalled(
  connection: Redis,
  queue: Queue<unknown>,
  { from, now }: FailedPosition & { now: number },
): Promise<FailedPosition> {
  const failed = queue.toKey('failed');
  const ids = await connection.zrange(failed, String(from), String(from + PAGE_JOBS - 1));
  const jobs = await Promise.all(
    ids.map(async (id) => [id, await connection.hmget(queue.toKey(id), 'failedReason', 'finishedOn', 'comebacks')]),
  );
  let left = ids.length;
  for (const [id, [reason, finishedOn, comebacks]] of jobsSchema.parse(jobs)) {
    const restMs = RESTS_MS[Number(comebacks ?? 0)];
    if (reason !== STALLED_REASON || restMs === undefined || Number(finishedOn) + restMs > now) continue;
    // oxlint-disable-next-line no-await-in-loop -- seldom any
    const isOurs = await connection.eval(COME_BACK, 2, failed, queue.toKey(id), id, comebacks ?? '0', DEATHS_LEFT);
    if (isOurs !== 1) continue;
    // oxlint-disable-next-line no-await-in-loop -- seldom any
    await (await queue.getJob(id))?.retry('failed', { resetAttemptsMade: true });
    left -= 1;
  }
  return { from: ids.length < PAGE_JOBS ? 0 : from + left };
}
