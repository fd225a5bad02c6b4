/** Why an operation must end before it is through. */
export type StopCode = 'cancelled' | 'lost' | 'leaving';

/**
 * The reason of an operation's signal:
 *
 * - `cancelled`: somebody asked for the end.
 * - `lost`: another worker has the operation. Nothing may be written for it any more.
 * - `leaving`: this worker leaves, and another one goes on.
 */
export class OperationStoppedError extends Error {
  readonly code: StopCode;

  constructor(code: StopCode) {
    super(`The operation stops: ${code}.`);
    this.name = 'OperationStoppedError';
    this.code = code;
  }
}

/**
 * An operation cannot be done. The message says why, and is kept in its row. Without a `cause` it goes to the log as well: so it names ids and codes, and
 * quotes nobody else's message.
 */
export class OperationFailedError extends Error {
  readonly code = 'operation_failed';

  constructor(message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'OperationFailedError';
  }
}

/** What the provider has of a call cannot be used, now or later. The message says why, and is kept as the call's reason. */
export class UnfetchableError extends Error {
  readonly code = 'unfetchable';

  constructor(message: string) {
    super(message);
    this.name = 'UnfetchableError';
  }
}

/**
 * Why the exact bytes of an event cannot be given:
 *
 * - `gone`: the ledger keeps no bodies of that day any more, or the call was erased.
 * - `deleted`: the audio was deleted.
 * - `not_kept`: nobody had a place to keep the audio or the body in when the event came.
 * - `unreadable`: the storage does not give what it should have. `cause` is its error.
 * - `outside`: the row names a place that is not read from here.
 */
export type BodyMissingReason = 'gone' | 'deleted' | 'not_kept' | 'unreadable' | 'outside';

/** The exact bytes of an event cannot be given. The message says why, and names the event or the file. */
export class BodyMissingError extends Error {
  readonly code = 'body_missing';
  readonly reason: BodyMissingReason;

  constructor(reason: BodyMissingReason, message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'BodyMissingError';
    this.reason = reason;
  }
}
