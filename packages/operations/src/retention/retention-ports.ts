import type { RecordingRemover } from '@landline/recordings';
import type { Forgotten, LaidLetter, RecordingsToRemove, RetentionStore, WhatToForget } from '@landline/store';

/** The dead-letter queue as retention needs it. Each method rejects with code `queue_unavailable` while Redis is away. */
export interface RetentionLetters {
  /**
   * Shows the letters that rest, a page at a time, and removes those that `choose` returns.
   *
   * @param choose  Returns the ids of those to remove.
   * @returns       How many were removed.
   */
  sweep(choose: (letters: LaidLetter[]) => Promise<string[]>): Promise<number>;
  remove(ids: readonly string[]): Promise<void>;
}

/** The store as retention needs it. */
export interface ForgettingStore {
  readonly retention: RetentionStore;
  readonly recordingsToRemove: RecordingsToRemove;
  forgetConversations(ids: readonly string[], what: WhatToForget): Promise<Forgotten>;
}

/** What retention works with. */
export interface RetentionPorts {
  store: ForgettingStore;
  letters: RetentionLetters;
  storage: Pick<RecordingRemover, 'remove'>;
  /** The time of a run that was claimed, in unix milliseconds; by default when the database says that it began. */
  clock?: (startedAt: number) => number;
}
