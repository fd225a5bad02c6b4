import type { Delivery } from '@landline/webhook';

/** A group in the journal: it is told what became of it at Redis, once. */
export interface JournalEntry {
  enqueued(): void;
  /** Redis does not have it, or nobody knows. */
  failed(): void;
}

/** Groups that Redis does not have, as they were journalled. */
export interface PendingGroup extends JournalEntry {
  events: Delivery[];
  records: number;
  /** In the journal. */
  bytes: number;
}

/** What a process that is gone has left: the note that it kept, if there is one to read. */
export interface InheritedNote {
  owner: string;
  note: unknown;
}

/**
 * Where groups are kept beside Redis, on a disk of this machine; `createJournal` of @landline/journal makes one.
 * The producer opens and closes none: that is for whoever made it.
 */
export interface GroupJournal {
  /** Resolves when the group is fsynced; rejects when it is not stored. */
  append(events: readonly Delivery[]): Promise<JournalEntry>;
  /** The oldest groups that Redis does not have, to be enqueued as one. One caller at a time. */
  takePending(limit: { maxEvents: number; maxBytes: number }): Promise<PendingGroup | undefined>;
  /**
   * Makes pending again what was enqueued at or after `sinceMs` (unix ms), by the process of an inherited note or by anybody: Redis has
   * lost it. Resolves when that is written down, or cannot be.
   */
  redo(sinceMs: number, owner?: string): Promise<void>;
  /** When the oldest group that is there was journalled, in unix ms; undefined where there is none. */
  oldestAt(): number | undefined;
  /** Keeps a note for whoever takes the journal over. */
  keepNote(note: unknown): void;
  inherited(): readonly InheritedNote[];
  /** What an inherited note asks for is done. */
  forget(note: InheritedNote): void;
  status(): 'ready' | 'failed' | 'full';
  /** The time that groups are kept under, in unix ms; it never goes back. `sinceMs` is held against it. */
  now(): number;
}
