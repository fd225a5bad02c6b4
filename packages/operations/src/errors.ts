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

/** An operation cannot be done. The message says why, and is kept in its row. */
export class OperationFailedError extends Error {
  readonly code = 'operation_failed';

  constructor(message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'OperationFailedError';
  }
}
