export { JournalUnavailableError } from './errors.ts';
export {
  listJournal,
  readJournalFile,
  verifyJournalFile,
  type JournalDamage,
  type JournalFile,
  type JournalFileCheck,
} from './inspect-journal.ts';
export type { JournalOptions } from './journal-options.ts';
export { createJournal, type Journal, type JournalStats, type JournalStatus } from './journal.ts';
export type { JournalEntry } from './pending/entry.ts';
export type { PendingGroup } from './pending/read-pending.ts';
export type { JournalRecord } from './segment/record.ts';
export type { InheritedNote } from './takeover/notes.ts';
export { journalVariables } from './variables.ts';
