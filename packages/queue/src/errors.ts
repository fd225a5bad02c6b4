/**
 * Redis did not take the event: it is away, slow, nearly full, a replica, or refused by the check.
 * The sender may try again. After a time-out or a lost connection the outcome is unknown: the job may be in Redis all the same,
 * and a repeat is harmless, because the ledger knows each event by its content.
 */
export class QueueUnavailableError extends Error {
  readonly code = 'queue_unavailable';

  constructor(message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'QueueUnavailableError';
  }
}

/** This Redis would lose acknowledged events. The message says what to set. */
export class RedisRefusedError extends Error {
  readonly code = 'redis_refused';

  constructor(message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'RedisRefusedError';
  }
}

/** How long a job that was handed back rests before it is taken again, in ms: long enough not to spin, short enough not to be felt. */
const HAND_BACK_DELAY_MS = 1000;

/** Thrown by a `process` function: the job goes back and is taken again after `delayMs`. No attempt is spent, for the fault is not the job's. */
export class HandBackError extends Error {
  readonly code = 'hand_back';
  readonly delayMs: number;

  constructor(message: string, options: ErrorOptions & { delayMs?: number } = {}) {
    super(message, options);
    this.name = 'HandBackError';
    this.delayMs = options.delayMs ?? HAND_BACK_DELAY_MS;
  }
}
