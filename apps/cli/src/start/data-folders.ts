import { join } from 'node:path';

/** Answers the folder for the receiver's journal under `npm start`; JOURNAL_DIR overrides it. */
export function journalFolder(root: string): string {
  return join(root, '.data', 'journal');
}

/** Answers the folder for the receiver's spool under `npm start`; SPOOL_DIR overrides it. */
export function spoolFolder(root: string): string {
  return join(root, '.data', 'spool');
}

/** Answers where recordings are kept under `npm start`; RECORDINGS_URL overrides it. */
export function recordingsUrl(root: string): string {
  return `file:${join(root, '.data', 'recordings')}`;
}
