import { join } from 'node:path';

/** Where `npm start` has the receiver keep its journal, unless JOURNAL_DIR says otherwise. */
export function journalFolder(root: string): string {
  return join(root, '.data', 'journal');
}
