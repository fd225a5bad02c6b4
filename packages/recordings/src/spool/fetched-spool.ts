import { join } from 'node:path';

/**
 * Returns the folder in `SPOOL_DIR` where fetched audio waits. Receivers look into folders of processes alone, and no such folder has this name. So a worker never takes
 * over the webhook bodies of a receiver that ended: a receiver enqueues with a journal, a worker has none.
 */
export function fetchedSpool(spoolDir: string): string {
  return join(spoolDir, 'fetched');
}
