/** Why a server of this machine does not run, as a code for programs. */
export type LocalServerErrorCode = 'redis_missing' | 'redis_failed' | 'postgres_unsupported' | 'postgres_failed';

/** A server of this machine does not start. The message says what the operator can do. */
export class LocalServerError extends Error {
  readonly code: LocalServerErrorCode;

  constructor(code: LocalServerErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'LocalServerError';
    this.code = code;
  }
}
