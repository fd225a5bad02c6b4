/** An event that stays dead after one more try; it makes its job fail, so that Bull Board shows it and can try again. */
export class DeadEventError extends Error {
  readonly code: string;

  constructor(code: string, message: string, cause?: unknown) {
    super(`${code}: ${message}`, { cause });
    this.name = 'DeadEventError';
    this.code = code;
  }
}
