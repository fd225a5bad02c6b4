/** What can go wrong on this machine, as an operator meets it. */
export type CliErrorCode =
  | 'postgres_failed'
  | 'already_running'
  | 'app_failed'
  | 'query_failed'
  | 'enqueue_failed'
  | 'configuration_invalid'
  | 'arguments_invalid';

/** A fault whose message tells the operator what to do; it is printed without a stack. */
export class CliError extends Error {
  readonly code: CliErrorCode;

  constructor(code: CliErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'CliError';
    this.code = code;
  }
}
