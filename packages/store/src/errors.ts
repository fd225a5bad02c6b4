/**
 * What a database error means, whatever library threw it:
 * `conflict` passes at once; `connection`, `resources` and `configuration` are outside the event and may last;
 * `timeout` may be either; `data` is the event's own fault; `corruption` needs a person; `unknown` is any other.
 */
export type FaultClass =
  'conflict' | 'connection' | 'resources' | 'timeout' | 'configuration' | 'data' | 'corruption' | 'unknown';

/** A failure of the database, with what it means for the work in hand. */
export class StoreError extends Error {
  /** The SQLSTATE, else Prisma's or Node's code, else `unknown`. */
  readonly code: string;
  readonly faultClass: FaultClass;

  constructor(faultClass: FaultClass, code: string, message: string, cause: unknown) {
    super(message, { cause });
    this.name = 'StoreError';
    this.code = code;
    this.faultClass = faultClass;
  }
}

/** The tables could not be brought up to date. */
export class MigrationError extends Error {
  readonly code = 'migration_failed';

  constructor(message: string, cause?: unknown) {
    super(message, { cause });
    this.name = 'MigrationError';
  }
}
