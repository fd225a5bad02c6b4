import { SourceError } from './content.ts';
import { isKey, markedKey } from './recording-key.ts';
import { StorageError } from './storage-error.ts';
import type { PutOptions, StoredObject } from './storage.ts';

/** What a storage does for one key. */
export interface StoreSteps {
  /** Stores the content under exactly this key. Returns its URL; undefined where the key holds another content. */
  storeAt: (key: string, options: PutOptions) => Promise<string | undefined>;
  /** Turns an error of a write into the one to throw. */
  toError: (error: unknown) => unknown;
}

/**
 * Creates the `put` of a storage: the key, or else the key with the content's hash. Puts of one key follow each other, so
 * ten of the same content write it once, and none of this process overwrites another where a server or file system
 * cannot prevent it.
 */
export function createPut({ storeAt, toError }: StoreSteps): (options: PutOptions) => Promise<StoredObject> {
  const inTurn = createTurns();

  async function store(options: PutOptions): Promise<StoredObject> {
    const marked = markedKey(options.key, options.sha256);
    const url = (await storeAt(options.key, options)) ?? (await storeAt(marked, options));
    if (url !== undefined) return { url };
    throw new StorageError(
      'refused',
      `The keys ${options.key} and ${marked} both hold other contents. Move them away.`,
    );
  }

  return async (options) => {
    if (!isKey(options.key)) throw new StorageError('refused', 'A key that was not made safe is never stored.');
    try {
      return await inTurn(options.key, () => store(options));
    } catch (error) {
      throw error instanceof SourceError ? error.cause : toError(error);
    }
  };
}

/** Runs a task once the tasks of the same key that came before have ended. A key without tasks takes no memory. */
function createTurns(): <T>(key: string, task: () => Promise<T>) => Promise<T> {
  const last = new Map<string, Promise<unknown>>();
  return async (key, task) => {
    const result = (last.get(key) ?? Promise.resolve()).then(task);
    const ended = result.catch(() => undefined);
    last.set(key, ended);
    try {
      return await result;
    } finally {
      if (last.get(key) === ended) last.delete(key);
    }
  };
}
