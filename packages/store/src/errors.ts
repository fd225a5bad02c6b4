/**
 * What a database error means, whatever library threw it:
 * `conflict` passes at once; `connection`, `resources` and `configuration` are outside the event and may last;
 * `timeout` may be either; `data` is the event's own fault; `corruption` needs a person; `unknown` is any other.
 */
export type FaultClass =
  'conflict' | 'connection' | 'resources' | 'timeout' | 'configuration' | 'data' | 'corruption' | 'unknown';

/** What a `StoreError` says beside its message. */
interface StoreFault {
  faultClass: FaultClass;
  code: string;
  cause?: unknown;
  advice?: string | undefined;
}

/** A failure of the database, with what it means for the work in hand. */
export class StoreError extends Error {
  /** The SQLSTATE, else Prisma's or Node's code, else `unknown`. */
  readonly code: string;
  readonly faultClass: FaultClass;
  /** What an operator can do about it, where the code alone says so. It quotes no event. */
  readonly advice: string | undefined;

  constructor(message: string, { faultClass, code, cause, advice }: StoreFault) {
    super(message, { cause });
    this.name = 'StoreError';
    this.faultClass = faultClass;
    this.code = code;
    this.advice = advice;
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

/** A setting that cannot be meant, such as a schema that is no name. */
export class ConfigurationError extends Error {
  readonly code = 'configuration_invalid';

  constructor(message: string) {
    super(message);
    this.name = 'ConfigurationError';
  }
}
