/**
 * The spool did not take a body, or lost one.
 *
 * - `full`: SPOOL_LIMIT_BYTES or the disk has no room.
 * - `crowded`: other bodies that are not verified yet have the room. The spool itself is well.
 * - `failed`: the disk refused a write, or the folder cannot be used.
 */
export class SpoolError extends Error {
  readonly code: 'full' | 'crowded' | 'failed';

  constructor(code: SpoolError['code'], message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'SpoolError';
    this.code = code;
  }
}

/** Returns the error of a write to the spool. */
export function spoolError(cause: unknown): SpoolError {
  if (cause instanceof SpoolError) return cause;
  const code = cause instanceof Error && 'code' in cause ? cause.code : undefined;
  if (code === 'ENOSPC' || code === 'EDQUOT') {
    return new SpoolError('full', 'The disk of SPOOL_DIR is full. Free disk space, or give the spool a larger disk.', {
      cause,
    });
  }
  const reason = cause instanceof Error ? cause.message : String(cause);
  return new SpoolError('failed', `The spool in SPOOL_DIR takes no bodies: ${reason}`, { cause });
}

/** A body on the disk is not what was written: its file ends too early, or is gone. */
export class DamagedBodyError extends Error {
  override readonly name = 'DamagedBodyError';
}

/** The file of a body is gone: another process took it over, or a person removed it. */
export class MissingBodyError extends Error {
  override readonly name = 'MissingBodyError';
}

/** Returns the report of a body that cannot be read any more. */
export function damagedError(path: string, eventId: string): Error {
  return new Error(
    `The spool's file ${path} (event ${eventId}) is damaged. It is set aside as ….damaged: look at its disk, and fetch the event from the provider`,
  );
}
