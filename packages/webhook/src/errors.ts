/** An event that can never be applied; it becomes a dead letter with this code and message. */
export class EventFaultError extends Error {
  readonly code: string;

  constructor(code: string, message: string) {
    super(message);
    this.name = 'EventFaultError';
    this.code = code;
  }
}
