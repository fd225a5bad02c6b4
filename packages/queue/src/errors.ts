/**
 * Redis did not take the event: it is away, slow, nearly full, a replica, or refused by the check. The sender may try again.
 *
 * After a time-out or a lost connection the outcome is unknown: Redis may have the job. A repeat is harmless then, because the ledger
 * knows each event by its content.
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

/** How long a job that was handed back rests before it is taken again, in ms. Shorter, and it spins; longer, and users notice. */
const HAND_BACK_DELAY_MS = 1000;

/**
 * Thrown by a `process` function: the job goes back and is taken again after `delayMs`. It spends no attempt, because the fault is not
 * the job's.
 */
export class HandBackError extends Error {
  readonly code = 'hand_back';
  readonly delayMs: number;

  constructor(message: string, options: ErrorOptions & { delayMs?: number } = {}) {
    super(message, options);
    this.name = 'HandBackError';
    this.delayMs = options.delayMs ?? HAND_BACK_DELAY_MS;
  }
}
