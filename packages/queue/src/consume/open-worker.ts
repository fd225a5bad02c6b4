import type { Redis } from 'ioredis';
import type { ChangeReporter } from '../redis/report-changes.ts';
import { backoffMs } from './backoff.ts';
import { jobFailure, type JobFailure } from './job-failure.ts';
import type { JobMemory } from './job-memory.ts';
import type { JobsInHand } from './jobs-in-hand.ts';
import { createLargeJobs } from './large-jobs.ts';
import { leaveLargeData } from './leave-large-data.ts';
import { runJob, type RunJob } from './process-job.ts';
import { createRoom } from './room.ts';
import { SizedWorker } from './sized-worker.ts';
import { createSuspects } from './suspects.ts';
import { workerBackend } from './worker-backend.ts';

/**
 * How long a lock stands without being renewed, in ms. A job whose worker shows no life for this long goes to another worker. Shorter,
 * and a long pause of the event loop makes two workers run one job.
 */
export const LOCK_DURATION_MS = 10_000;

/** How often a worker searches for jobs whose lock has run out, in ms. */
export const STALLED_INTERVAL_MS = 5000;

/**
 * How many deaths of its worker a job survives before it rests in `failed` (see retry-stalled.ts). A restart counts as a death for
 * every job that the worker has, and those jobs did nothing wrong.
 */
const MAX_STALLED_COUNT = 10;

/** How to open a worker. */
export interface WorkerOptions {
  queue: string;
  prefix: string;
  /** For everything but reads that wait for a job. */
  connection: Redis;
  /** For reads that wait for a job. */
  blocking: Redis;
  /** How many jobs run at once. */
  concurrency: number;
  run: RunJob;
  jobs: JobsInHand;
  memory: JobMemory;
  errors: ChangeReporter;
  /** Called for every attempt that failed. */
  onFailed: (failure: JobFailure) => void;
}

/** Opens a BullMQ worker on two connections of ours. It takes no job until `run`. */
export function openWorker(options: WorkerOptions): SizedWorker {
  const { queue, prefix, connection, blocking, run, jobs, memory, errors } = options;
  leaveLargeData(connection, memory.largeOverBytes);
  const suspects = createSuspects();
  const worker = new SizedWorker(
    queue,
    async (job, token) =>
      jobs.run(job.id, async (signal) => {
        const context = { run, signal, largeJobs, report: errors.report };
        try {
          await suspects.run(job, () => runJob(job, token, context), signal);
        } finally {
          room.release(job);
        }
        errors.reset();
      }),
    {
      connection,
      prefix,
      autorun: false,
      concurrency: options.concurrency,
      lockDuration: LOCK_DURATION_MS,
      stalledInterval: STALLED_INTERVAL_MS,
      maxStalledCount: MAX_STALLED_COUNT,
      removeOnComplete: { count: 0 },
      settings: { backoffStrategy: (attempt) => backoffMs(attempt) },
    },
    workerBackend(connection, blocking, prefix),
  );
  const room = createRoom(worker, memory);
  const largeJobs = createLargeJobs({ worker, connection, room, memory });
  worker.on('error', errors.report);
  worker.on('failed', (job, error) => options.onFailed(jobFailure(job, error)));
  worker.on('lockRenewalFailed', (ids) => jobs.loseLocks(ids));
  return worker;
}
