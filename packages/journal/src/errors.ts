/**
 * The journal did not take the group: its disk fails, is full or too slow, or what it may take is used up by groups that
 * Redis does not have yet. Nothing of the group counts as stored.
 */
export class JournalUnavailableError extends Error {
  readonly code = 'journal_unavailable';

  constructor(message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'JournalUnavailableError';
  }
}
