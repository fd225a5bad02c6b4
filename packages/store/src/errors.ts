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
  /** What an operator can do about it, where the code alone says so. It quotes no event. */
  readonly advice: string | undefined;

  constructor(faultClass: FaultClass, code: string, message: string, cause: unknown, advice?: string) {
    super(message, { cause });
    this.advice = advice;
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

/** A setting that cannot be meant, such as a schema that is no name. */
export class ConfigurationError extends Error {
  readonly code = 'configuration_invalid';

  constructor(message: string) {
    super(message);
    this.name = 'ConfigurationError';
  }
}
