/**
 * What a fault of the storage means:
 *
 * - `unavailable`: it may pass by itself; try again later;
 * - `refused`: a person has to change rights, credentials or the configuration;
 * - `full`: a person has to make room;
 * - `missing`: nothing is stored there;
 * - `damaged`: the content is not the one that was announced;
 * - `outside`: a storage that is bound to its place was asked for something elsewhere.
 */
export type StorageFault = 'unavailable' | 'refused' | 'full' | 'missing' | 'damaged' | 'outside';

/** A failure of the storage. The message says what to do, and never holds a credential. */
export class StorageError extends Error {
  readonly code: StorageFault;

  constructor(code: StorageFault, message: string, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause });
    this.name = 'StorageError';
    this.code = code;
  }
}
