/** The kinds of faults of a command. */
export type CliErrorCode =
  | 'postgres_failed'
  | 'already_running'
  | 'app_failed'
  | 'query_failed'
  | 'enqueue_failed'
  | 'event_missing'
  | 'operation_missing'
  | 'operation_ended'
  | 'configuration_invalid'
  | 'arguments_invalid';

/** A fault whose message says what the operator can do. The message is printed without a stack. */
export class CliError extends Error {
  readonly code: CliErrorCode;

  constructor(code: CliErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'CliError';
    this.code = code;
  }
}
