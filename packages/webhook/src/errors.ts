/**
 * An error for an event that can never be applied. The worker moves the event to the dead letters with this code and
 * message.
 */
export class EventFaultError extends Error {
  readonly code: string;

  constructor(code: string, message: string) {
    super(message);
    this.name = 'EventFaultError';
    this.code = code;
  }
}
