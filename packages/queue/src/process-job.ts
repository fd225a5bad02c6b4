import { DelayedError, UnrecoverableError, WaitingError, type Job as QueuedJob } from 'bullmq';
import { z } from 'zod';
import { cleanError } from './clean-error.ts';
import { HandBackError } from './errors.ts';
import { jobSchema, type DeliveredEvent } from './job.ts';

/** A job as `process` gets it. */
export interface ConsumedJob {
  id: string;
  events: DeliveredEvent[];
  /** 1 for the first. Attempts that were handed back do not count. */
  attempt: number;
  /** When this attempt fails, the job rests in `failed`. */
  lastAttempt: boolean;
}

/**
 * Applies a job. Resolves: done. Throws `HandBackError`: back, no attempt spent. Throws anything after `signal` was aborted: back at
 * once, no attempt spent. Throws anything else: an attempt is spent, and it is tried again after a back-off, or rests in `failed`.
 */
export type ProcessJob = (job: ConsumedJob, signal: AbortSignal) => Promise<void>;

/** Runs `process` on one of BullMQ's jobs and turns what it throws into what BullMQ understands. */
export async function processJob(
  job: QueuedJob<unknown>,
  token: string | undefined,
  { process, signal }: { process: ProcessJob; signal: AbortSignal },
): Promise<void> {
  try {
    await process(readJob(job), signal);
  } catch (thrown) {
    const error = cleanError(thrown);
    if (error instanceof HandBackError) {
      await job.moveToDelayed(Date.now() + error.delayMs, token);
      throw new DelayedError();
    }
    if (signal.aborted) {
      await job.moveToWait(token);
      throw new WaitingError();
    }
    throw error;
  }
}

/** A job that no attempt can make sense of fails at once, and keeps its data. */
function readJob(job: QueuedJob<unknown>): ConsumedJob {
  const parsed = jobSchema.safeParse(job.data);
  if (!parsed.success) {
    throw new UnrecoverableError(`This job's data is not a group of events. ${z.prettifyError(parsed.error)}`);
  }
  const attempt = job.attemptsMade + 1;
  return {
    id: job.id ?? '',
    events: parsed.data.events,
    attempt,
    lastAttempt: attempt >= (job.opts.attempts ?? 1),
  };
}
