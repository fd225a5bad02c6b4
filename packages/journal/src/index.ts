export type { JournalEntry } from './entry.ts';
export { JournalUnavailableError } from './errors.ts';
export {
  listJournal,
  readJournalFile,
  verifyJournalFile,
  type JournalDamage,
  type JournalFile,
  type JournalFileCheck,
} from './inspect-journal.ts';
export { createJournal, type Journal, type JournalOptions, type JournalStats, type JournalStatus } from './journal.ts';
export type { InheritedNote } from './notes.ts';
export type { PendingGroup } from './read-pending.ts';
export type { JournalledEvent, JournalRecord } from './record.ts';
export { journalVariables } from './variables.ts';
