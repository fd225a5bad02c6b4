export { recordingVariables } from './variables.ts';
export { openStorage } from './storage/open-storage.ts';
export { bodyKey, recordingKey, type KeyFacts } from './storage/recording-key.ts';
export { StorageError, type StorageFault } from './storage/storage-error.ts';
export { parseStorageUrl, type BucketTarget, type FolderTarget } from './storage/storage-url.ts';
export type { PutOptions, Storage, StoredObject } from './storage/storage.ts';
