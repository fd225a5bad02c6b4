import type { JobsOptions } from 'bullmq';

/** The name of a dead letter, as Bull Board shows it; `jobName` makes that of a job of the webhook queue. */
export const JOB_NAME = 'events';

/**
 * How often a job is tried before it rests in `failed`. With the back-off of backoff.ts that is about a minute. Pauses for a dependency
 * that is away do not count.
 */
const JOB_ATTEMPTS = 8;

/**
 * Options of a job of the webhook queue: Redis removes it when it is done and keeps it when it has failed. The id is automatic, or
 * begins with a word of ours, because an id from outside can overwrite the queue's own keys.
 */
export const EVENT_JOB_OPTIONS: JobsOptions = {
  attempts: JOB_ATTEMPTS,
  backoff: { type: 'custom' },
  removeOnComplete: true,
  removeOnFail: false,
};

/** Options of a dead letter: it is tried once for its error and stack, then it rests until a person retries it. */
export const DEAD_LETTER_JOB_OPTIONS: JobsOptions = { attempts: 1, removeOnComplete: true, removeOnFail: false };
