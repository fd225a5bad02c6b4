/** Why a server of this machine does not run, for a program to tell apart. */
export type LocalServerErrorCode = 'redis_missing' | 'redis_failed' | 'postgres_unsupported' | 'postgres_failed';

/** A server of this machine does not start. The message tells the operator what to do. */
export class LocalServerError extends Error {
  readonly code: LocalServerErrorCode;

  constructor(code: LocalServerErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'LocalServerError';
    this.code = code;
  }
}
