import type { Journal } from '@landline/journal';
import type { Shard } from '@landline/queue';
import { z } from 'zod';

/** What a process notes for the process that takes its journal over. */
export const noteSchema = z.object({
  /** The key of the beat in Redis. */
  key: z.string(),
  /** The last beat, in unix ms. */
  beat: z.number(),
  /** No job that is not done was enqueued before this, in unix ms. */
  oldest: z.number(),
  /** The process ended in order, and enqueued nothing after this beat. */
  isLast: z.boolean(),
  /** The ids of the requests after losses of Postgres that are carried out. */
  redone: z.array(z.string()).default([]),
});

/** The note of a process with several shards: that of the first, and those of the others. */
export const sharedNoteSchema = noteSchema.extend({ shards: z.array(noteSchema).default([]) });

/** See `noteSchema`. */
export type Note = z.infer<typeof noteSchema>;

/** What a watch for loss works with. */
export interface LossWatchOptions {
  beats: Shard['beats'];
  journal: Pick<Journal, 'redo' | 'keepNote' | 'inherited' | 'forget' | 'now' | 'oldestAt'>;
  /** Tells whether Redis takes writes. */
  isReady: () => boolean;
  /**
   * For one Redis of several: returns since when this process has written to it, by the journal's clock; undefined where it has not. A
   * single Redis may have been written to since the start.
   */
  writtenSince?: (() => number | undefined) | undefined;
  /** The ids of requests that were carried out since the start; the watches of one process share it. */
  carriedOut?: Set<string>;
  /** Called when Redis has lost what was enqueued at or after `sinceMs` (unix ms), and it is pending in the journal again. */
  onLoss: (sinceMs: number) => void;
  /** Called when Postgres has lost what was enqueued at or after `sinceMs`, and it is pending in the journal again. */
  onPostgresLoss: (loss: PostgresLoss) => void;
}

/** A loss of Postgres, and how much of it the journal brings back. */
export interface PostgresLoss {
  /** Events that were enqueued at or after this may be missing, in unix ms; 0 means all events. */
  sinceMs: number;
  /** When the oldest group of this journal was written, in unix ms; undefined where the journal holds none. */
  journalSinceMs: number | undefined;
}

/** What a watch for losses knows. */
export interface Watch extends LossWatchOptions {
  readonly carriedOut: Set<string>;
  /** The key of this process's beat. */
  readonly key: string;
  /** By the journal's clock. Beats are compared with times in the journal, and another clock may be set back between the two. */
  readonly startedAt: number;
  /** The last beat that Redis has certainly taken, and which Redis it was. */
  confirmed: number | undefined;
  identity: string;
  /** No job that is not done is older than this, in unix ms: of this process, and of those whose journals it took over. */
  oldest: number;
  /** What the last search for the oldest job found, in unix ms. */
  lastFound: number;
  note: Note;
  beatCount: number;
  hasBegun: boolean;
}

/** Changes the note, and leaves it in the journal. */
export function keepNote(watch: Watch, change: Partial<Note>): void {
  watch.note = { ...watch.note, ...change };
  watch.journal.keepNote(watch.note);
}
