import type { Job as QueuedJob, Worker } from 'bullmq';
import type { Redis } from 'ioredis';
import { HandBackError } from '../errors.ts';
import type { JobMemory } from './job-memory.ts';
import { bytesLeft } from './leave-large-data.ts';
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
  memory: Pick<JobMemory, 'large'>;
}

/** Makes the large jobs of a worker. */
export function createLargeJobs({ worker, connection, room, memory }: LargeJobsOptions): LargeJobs {
  return {
    async run(job, work, signal) {
      const readAndWork = async () => {
        room.endWait(job);
        await work(await readData(connection, worker.toKey(job.id ?? '')));
      };
      await memory.large.run(bytesLeft(job.data) ?? 0, readAndWork, signal);
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
