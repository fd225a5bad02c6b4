import type { ProviderError } from '../errors.ts';

/** A failure that may pass, so that the request is made again. It never leaves this package. */
export class TransientError extends Error {
  /** What the caller gets when the request is not made again any more. */
  readonly fault: ProviderError;
  /** How long the provider asks to wait, in ms; undefined where it does not say. */
  readonly pauseMs: number | undefined;

  constructor(fault: ProviderError, pauseMs?: number) {
    super(fault.message, { cause: fault });
    this.fault = fault;
    this.pauseMs = pauseMs;
  }
}
