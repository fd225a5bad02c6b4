import { join } from 'node:path';

/** Answers the folder for the receiver's journal under `npm start`; JOURNAL_DIR overrides it. */
export function journalFolder(root: string): string {
  return join(root, '.data', 'journal');
}
