/** An error for a full disk, with the system's code for it (`ENOSPC`). */
export class DiskFullError extends Error {
  readonly code = 'ENOSPC';

  constructor(message: string) {
    super(message);
    this.name = 'DiskFullError';
  }
}

/** Returns whether an error means that the disk, or its owner's quota, has no room. */
export function isOutOfSpace(error: unknown): boolean {
  return error instanceof Error && 'code' in error && (error.code === 'ENOSPC' || error.code === 'EDQUOT');
}

/**
 * An error for a group that the journal did not take. Nothing of the group counts as stored. The reasons:
 *
 * - The disk fails, is full or too slow.
 * - Groups that Redis lacks use up the journal's limit.
 */
export class JournalUnavailableError extends Error {
  readonly code = 'journal_unavailable';

  constructor(message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'JournalUnavailableError';
  }
}

/** Returns what was thrown as an error. */
export function errorOf(thrown: unknown): Error {
  return thrown instanceof Error ? thrown : new Error(String(thrown));
}
