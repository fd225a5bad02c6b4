/** The disk has no room; the system says the same with `ENOSPC`. */
export class DiskFullError extends Error {
  readonly code = 'ENOSPC';

  constructor(message: string) {
    super(message);
    this.name = 'DiskFullError';
  }
}

/** Whether room on the disk, or in its owner's share of it, is what was missing. */
export function isOutOfSpace(error: unknown): boolean {
  return error instanceof Error && 'code' in error && (error.code === 'ENOSPC' || error.code === 'EDQUOT');
}

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

/** What was thrown, as an error. */
export function errorOf(thrown: unknown): Error {
  return thrown instanceof Error ? thrown : new Error(String(thrown));
}
