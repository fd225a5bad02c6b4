import type { RecordingsToRemove } from '@landline/store';
import type { RecordingRemover } from '@landline/recordings';

/** Files that are listed at once. */
const PAGE = 100;

/** The longest reason that is kept, in characters. */
const MOST_CHARACTERS = 500;

/** After so many failures in a row the storage is not asked any more in this run. */
const MOST_FAILURES = 5;

/** What recordings are removed with. */
export interface RemovePorts {
  recordings: RecordingsToRemove;
  storage: Pick<RecordingRemover, 'remove'>;
}

/** What `removeRecordings` did. */
export interface RemovedRecordings {
  removed: number;
  /** Those that are still there. The next call tries them again. */
  failed: number;
  /** Why the last of them is still there. */
  error: string | undefined;
}

/**
 * Removes the files that the storage is to lose, each once. A file that cannot be removed stays on the list, with the reason. Several workers may do
 * this at once: to remove a file that is gone does nothing.
 *
 * @throws  StoreError; the signal's reason as soon as it is aborted. What is removed by then is off the list.
 */
export async function removeRecordings(
  { recordings, storage: asked }: RemovePorts,
  signal: AbortSignal,
): Promise<RemovedRecordings> {
  const storage = askWhileItAnswers(asked);
  const done: RemovedRecordings = { removed: 0, failed: 0, error: undefined };
  let after: string | undefined;
  // oxlint-disable no-await-in-loop -- one after the other: a storage that is away is asked only once at a time
  for (;;) {
    const page = await recordings.list({ after, limit: PAGE });
    after = page.at(-1)?.url;
    if (after === undefined) return done;
    for (const file of page) {
      signal.throwIfAborted();
      const error = await storage.remove(file.url).then(() => undefined, reasonOf);
      if (error === undefined) await recordings.removed(file);
      else await recordings.stays(file.url, error);
      done.removed += error === undefined ? 1 : 0;
      done.failed += error === undefined ? 0 : 1;
      done.error = error ?? done.error;
    }
  }
  // oxlint-enable no-await-in-loop
}

/** Stops to ask a storage that fails again and again: each question may take half a minute. */
function askWhileItAnswers(storage: RemovePorts['storage']): RemovePorts['storage'] {
  let failures = 0;
  let last: unknown;
  return {
    async remove(url) {
      if (failures >= MOST_FAILURES) throw last;
      try {
        await storage.remove(url);
        failures = 0;
      } catch (error) {
        failures++;
        last = error;
        throw error;
      }
    },
  };
}

/** A StorageError says what to do, and holds no credential. */
function reasonOf(error: unknown): string {
  const message = error instanceof Error ? error.message : String(error);
  return message.replaceAll('\0', '\ufffd').slice(0, MOST_CHARACTERS).toWellFormed();
}
