import { StorageError } from '../storage-error.ts';

/** Returns the system's code of an error, such as ENOSPC; undefined where it has none. */
export function systemCode(error: unknown): string | undefined {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : undefined;
}

/** Turns an error of the disk into a StorageError; returns a StorageError as it is. */
export function toFileError(error: unknown, path: string): StorageError {
  if (error instanceof StorageError) return error;
  const code = systemCode(error) ?? String(error);
  switch (code) {
    case 'ENOENT':
      return new StorageError('missing', `There is no recording at ${path}.`, error);
    case 'ENOSPC':
    case 'EDQUOT':
    case 'EFBIG':
      return new StorageError('full', `The disk of the recordings is full (${code}, ${path}). Make room on it.`, error);
    case 'EACCES':
    case 'EPERM':
      return refused(
        `The user of this process may not use ${path} (${code}). Give it the folder of RECORDINGS_URL.`,
        error,
      );
    case 'EROFS':
      return refused(`The disk of the recordings is read-only (${path}). Mount it for writing.`, error);
    case 'ENOTDIR':
    case 'EEXIST':
    case 'EISDIR':
    case 'ELOOP':
      return refused(
        `Something that is no folder or no file of a recording stands at ${path} (${code}). Move it away.`,
        error,
      );
    default:
      return new StorageError('unavailable', `The disk of the recordings fails (${code}, ${path}).`, error);
  }
}

function refused(message: string, cause: unknown): StorageError {
  return new StorageError('refused', message, cause);
}
