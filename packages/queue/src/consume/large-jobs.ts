import type { Job as QueuedJob, Worker } from 'bullmq';
import type { Redis } from 'ioredis';
import { HandBackError } from '../errors.ts';
import { unpackData } from '../jobs/event-queue.ts';
import type { JobMemory } from './job-memory.ts';
import { bytesLeft } from './leave-large-data.ts';
import { readData } from './read-data.ts';
import type { Room } from './room.ts';

/** Reads the data of large jobs when it is their turn. */
export interface LargeJobs {
  /**
   * Calls `work` with a large job's data when it fits into memory.
   *
   * @throws  HandBackError when Redis does not give the data; the signal's reason when the job goes back before its turn.
   */
  run(job: QueuedJob<unknown, void>, work: (data: unknown) => Promise<void>, signal: AbortSignal): Promise<void>;
}

/** What large jobs are read with. */
export interface LargeJobsOptions {
  worker: Pick<Worker<unknown, void>, 'toKey'>;
  connection: Redis;
  room: Pick<Room, 'endWait'>;
  memory: Pick<JobMemory, 'large' | 'garbage'>;
}

/** Makes the large jobs of a worker. */
export function createLargeJobs({ worker, connection, room, memory }: LargeJobsOptions): LargeJobs {
  async function readAndWork(job: QueuedJob<unknown, void>, work: (data: unknown) => Promise<void>): Promise<void> {
    room.endWait(job);
    const read = readData({ connection, key: worker.toKey(job.id ?? ''), garbage: memory.garbage });
    const data = await read.catch((error: unknown) => notGiven(error));
    // The text of the data is garbage now.
    memory.garbage.note(bytesLeft(job.data) ?? 0);
    await work(unpackData(data ?? notGiven()));
  }

  return {
    async run(job, work, signal) {
      const bytes = bytesLeft(job.data) ?? 0;
      await memory.large.run(bytes, () => readAndWork(job, work), signal);
      memory.garbage.note(bytes);
    },
  };
}

/** This is no fault of the job: Redis fails, or another worker has done the job meanwhile. */
function notGiven(cause?: unknown): never {
  throw new HandBackError('Redis does not give the data of a large job.', { cause });
}
