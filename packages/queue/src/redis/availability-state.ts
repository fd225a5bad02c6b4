import { QueueUnavailableError } from '../errors.ts';
import { reportChanges, type ChangeReporter } from './report-changes.ts';

/**
 * Whether events may be written to Redis.
 *
 * | status    | means                                                            |
 * | --------- | ---------------------------------------------------------------- |
 * | `ready`   | the last write or check succeeded                                |
 * | `away`    | Redis is down, slow, nearly full or refuses writes               |
 * | `refused` | Redis would lose acknowledged events, so we do not write to it   |
 */
export type QueueStatus = 'ready' | 'away' | 'refused';

/** What the user of a Redis is called with. */
export interface AvailabilityEvents {
  /** Redis is no longer fit for writes: fail what waits for it. */
  onAway: (fault: QueueUnavailableError) => void;
  /** What the check of Redis warns of; once for each warning, and again when it changes. */
  onWarning: (message: string) => void;
  /** Why Redis is away or refused; once per outage, never with an event's content. */
  onError: (error: Error) => void;
  /** Redis takes writes again, after `onError` reported why it did not. */
  onReady: () => void;
}

/** The status of one Redis, and what its changes need. */
export interface AvailabilityState extends AvailabilityEvents {
  status: QueueStatus;
  /** Why no write should be tried now; undefined when ready. */
  fault: QueueUnavailableError | undefined;
  readonly errors: ChangeReporter;
  /** Whether a fault was ever found, so that the next return must be reported. */
  hasLeft: boolean;
  isClosed: boolean;
}

/** Returns the state of a Redis that was not reached yet. */
export function notReachedYet(events: AvailabilityEvents): AvailabilityState {
  return {
    ...events,
    status: 'away',
    fault: new QueueUnavailableError('Redis has not been reached yet.'),
    errors: reportChanges(events.onError),
    hasLeft: false,
    isClosed: false,
  };
}

/** Makes Redis unavailable because of `cause`, reports that, and returns the fault for callers. */
export function leave(state: AvailabilityState, status: 'away' | 'refused', cause: Error): QueueUnavailableError {
  const fault = new QueueUnavailableError(`Redis is ${status}: ${cause.message}`, { cause });
  state.status = status;
  state.fault = fault;
  state.hasLeft = true;
  if (!state.isClosed) state.errors.report(cause);
  state.onAway(fault);
  return fault;
}

/** Makes Redis ready. The next fault is reported even if it is the same as the last. */
export function enter(state: AvailabilityState): void {
  state.status = 'ready';
  state.fault = undefined;
  state.errors.reset();
}

/** Reports that Redis is back, unless it was well from the start. */
export function reportReturn({ hasLeft, isClosed, onReady }: AvailabilityState): void {
  if (hasLeft && !isClosed) onReady();
}
