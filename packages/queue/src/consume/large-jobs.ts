import type { Job as QueuedJob, Worker } from 'bullmq';
import type { Redis } from 'ioredis';
import { HandBackError } from '../errors.ts';
import type { JobMemory } from './job-memory.ts';
import { bytesLeft } from './leave-large-data.ts';

/**
 * How many large jobs may wait for their turn beside the jobs that run. They keep no small job out then, and hold no data. Each has a lock,
 * so another worker does not get them: with more, one worker would keep a whole backlog to itself.
 */
const MAX_WAITING = 256;

/** Reads the data of large jobs when it is their turn. */
export interface LargeJobs {
  /**
   * Calls `work` with a job's data: at once, or, where the data was left in Redis, when it fits into memory.
   *
   * @throws  HandBackError when Redis does not give the data; the signal's reason when the job goes back before its turn.
   */
  run(job: QueuedJob<unknown>, work: (data: unknown) => Promise<void>, signal: AbortSignal): Promise<void>;
}

/** What large jobs are read with. */
export interface LargeJobsOptions {
  worker: Worker<unknown, void>;
  connection: Redis;
  memory: Pick<JobMemory, 'large'>;
}

/** Watches a worker that has not begun yet. The worker takes another job in the place of each large one that waits for its turn. */
export function createLargeJobs({ worker, connection, memory }: LargeJobsOptions): LargeJobs {
  const { concurrency } = worker;
  const waiting = new Set<QueuedJob<unknown>>();
  const makeRoom = (): void => void (worker.concurrency = concurrency + Math.min(waiting.size, MAX_WAITING));

  function leave(job: QueuedJob<unknown>): void {
    if (waiting.delete(job)) makeRoom();
  }

  // BullMQ looks for room again right after it has told of a job that it got.
  worker.on('active', (job) => {
    // BullMQ fails a job with a deferred failure by itself.
    if (bytesLeft(job.data) === undefined || job.deferredFailure !== undefined) return;
    waiting.add(job);
    makeRoom();
  });

  return {
    async run(job, work, signal) {
      const bytes = bytesLeft(job.data);
      if (bytes === undefined) return work(job.data);
      try {
        const readAndWork = async () => {
          leave(job);
          await work(await readData(connection, worker.toKey(job.id ?? '')));
        };
        await memory.large.run(bytes, readAndWork, signal);
      } finally {
        leave(job);
      }
    },
  };
}

async function readData(connection: Redis, key: string): Promise<unknown> {
  const text = await connection.hget(key, 'data').catch((error: unknown) => notGiven(error));
  return JSON.parse(text ?? notGiven());
}

/** This is no fault of the job: Redis fails, or another worker has done the job meanwhile. */
function notGiven(cause?: unknown): never {
  throw new HandBackError('Redis does not give the data of a large job.', { cause });
}
