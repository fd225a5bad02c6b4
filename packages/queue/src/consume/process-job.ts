import { DelayedError, UnrecoverableError, WaitingError, type Job as QueuedJob } from 'bullmq';
import type { Delivery } from '@landline/webhook';
import { z } from 'zod';
import { cleanError } from '../redis/clean-error.ts';
import { HandBackError } from '../errors.ts';
import { deadEventId } from '../jobs/dead-letter-id.ts';
import { jobSchema, type Death } from '../jobs/job.ts';
import type { LargeJobs } from './large-jobs.ts';
import { bytesLeft } from './leave-large-data.ts';

/** A job as `process` gets it. */
export interface ConsumedJob {
  id: string;
  events: Delivery[];
  /** The ledger id of the event that a dead letter carries; undefined for other jobs. */
  deadEventId?: string | undefined;
  /** Why the event of a dead letter that was restored from the ledger is dead; undefined for other jobs. */
  died?: Death | undefined;
  /** 1 for the first. Attempts that were handed back do not count. */
  attempt: number;
  /** When this attempt fails, the job rests in `failed`. */
  lastAttempt: boolean;
}

/**
 * Applies a job. Its outcome decides what becomes of the job:
 *
 * | `process`                                | the job                                                | spends an attempt |
 * | ---------------------------------------- | ------------------------------------------------------ | ----------------- |
 * | resolves                                 | is done                                                |                   |
 * | throws `HandBackError`                   | goes back, and is taken again after a delay            | no                |
 * | throws after `signal` was aborted        | goes back at once                                      | no                |
 * | throws anything else                     | is tried again after a back-off, or rests in `failed`  | yes               |
 */
export type ProcessJob = (job: ConsumedJob, signal: AbortSignal) => Promise<void>;

/** Runs a job with its data; what becomes of the job is as with `ProcessJob`. */
export type RunJob = (job: QueuedJob<unknown>, data: unknown, signal: AbortSignal) => Promise<void>;

/** What a job runs with. */
export interface RunContext {
  run: RunJob;
  signal: AbortSignal;
  largeJobs: LargeJobs;
  /** Called with errors of Redis that are no failure of the job. */
  report: (error: unknown) => void;
}

/** What a job of events runs with. */
export interface JobContext extends Omit<RunContext, 'run'> {
  process: ProcessJob;
}

/** Runs `process` on one of BullMQ's jobs of events; see `runJob`. */
export function processJob(
  job: QueuedJob<unknown, void>,
  token: string | undefined,
  { process, ...context }: JobContext,
): Promise<void> {
  return runJob(job, token, { ...context, run: runEvents(process) });
}

/** Returns what reads the events of a job and has `process` apply them. */
export function runEvents(process: ProcessJob): RunJob {
  return (job, data, signal) => process(readJob(job, data), signal);
}

/** Runs `run` on one of BullMQ's jobs and turns what it throws into what BullMQ understands. */
export async function runJob(
  job: QueuedJob<unknown, void>,
  token: string | undefined,
  { run, signal, largeJobs, report }: RunContext,
): Promise<void> {
  try {
    if (bytesLeft(job.data) === undefined) await run(job, job.data, signal);
    else await largeJobs.run(job, (data) => run(job, data, signal), signal);
  } catch (thrown) {
    const error = cleanError(thrown);
    if (error instanceof HandBackError) {
      await job.moveToDelayed(Date.now() + error.delayMs, token).catch(report);
      throw new DelayedError();
    }
    if (signal.aborted) {
      await job.moveToWait(token).catch(report);
      throw new WaitingError();
    }
    throw error;
  }
  leaveWhatRedisRefuses(job);
}

/**
 * Leaves a job in Redis when it is done and Redis refuses to remove it. BullMQ would take that for a failure and spend an attempt.
 * Without its lock the job is taken again within seconds, and its events are duplicates then.
 */
function leaveWhatRedisRefuses(job: QueuedJob<unknown>): void {
  const complete = job.moveToCompleted.bind(job);
  job.moveToCompleted = async (...result) => {
    try {
      return await complete(...result);
    } catch (error) {
      throw new DelayedError(`A job that is done could not be taken off the queue: ${cleanError(error).message}`);
    }
  };
}

/** Reads a job. A job that no attempt can make sense of fails at once, and keeps its data. */
function readJob(job: QueuedJob<unknown>, data: unknown): ConsumedJob {
  const parsed = jobSchema.safeParse(data);
  if (!parsed.success) {
    throw new UnrecoverableError(`This job's data is not a group of events. ${z.prettifyError(parsed.error)}`);
  }
  const attempt = job.attemptsMade + 1;
  const { id = '' } = job;
  return {
    id,
    deadEventId: deadEventId(id),
    events: parsed.data.events,
    died: parsed.data.died,
    attempt,
    lastAttempt: attempt >= (job.opts.attempts ?? 1),
  };
}
