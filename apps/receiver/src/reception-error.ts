import { SpoolError } from '@landline/recordings';

/** Says why the receiver did not get a body in full; `statusCode` is the status of the answer. */
export class ReceptionError extends Error {
  readonly code: 'reception_full' | 'body_slow' | 'body_too_large' | 'body_broken';
  readonly statusCode: number;

  constructor(code: ReceptionError['code'], message: string) {
    super(message);
    this.name = 'ReceptionError';
    this.code = code;
    this.statusCode = { reception_full: 503, body_slow: 408, body_too_large: 413, body_broken: 400 }[code];
  }
}

/** Returns the error of a body that the spool does not take. */
export function spoolFault(cause: unknown): Error {
  if (cause instanceof ReceptionError) return cause;
  const reason = cause instanceof SpoolError ? cause.message : String(cause);
  return new ReceptionError('reception_full', reason);
}
