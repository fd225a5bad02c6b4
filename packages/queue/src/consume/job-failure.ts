import type { Job as QueuedJob } from 'bullmq';
import { cleanError } from '../redis/clean-error.ts';

/** An attempt at a job that failed. */
export interface JobFailure {
  /** The job's id; empty when BullMQ no longer knows which it was. */
  id: string;
  /** Which attempt it was, 1 for the first; 0 when the job is unknown. */
  attempt: number;
  /** No attempt follows: the job rests in `failed`. */
  final: boolean;
  error: Error;
}

/** Makes a failure of the arguments of BullMQ's event `failed`. */
export function jobFailure(job: QueuedJob<unknown> | undefined, thrown: unknown): JobFailure {
  return {
    id: job?.id ?? '',
    attempt: job?.attemptsMade ?? 0,
    final: job === undefined || job.finishedOn !== undefined,
    error: cleanError(thrown),
  };
}
