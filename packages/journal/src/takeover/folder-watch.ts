import type { Clock } from '../clock.ts';
import type { Segment } from '../segment/segment.ts';
import type { InheritedNote } from './notes.ts';
import type { OwnNotes } from './own-notes.ts';
import { removeUnfinished, type OwnFolder } from '@landline/held-folder';
import { takeOver } from './take-over.ts';
import { unheldPendingBytes } from './unheld.ts';

/**
 * The interval at which a process searches for folders of ended processes, in ms. A longer interval delays the events
 * that such a process left.
 */
const INTERVAL_MS = 10_000;

/** The dependencies of a folder watch. */
export interface FolderWatchOptions {
  /** The journal's folder. */
  dir: string;
  clock: Clock;
  notes: OwnNotes;
  /** Called with each segment as soon as this process has it. */
  onTaken: (segment: Segment) => void;
  onError: (error: unknown) => void;
}

/** Takes over the folders of processes that have ended. */
export interface FolderWatch {
  /** Searches for folders where the interval has passed. */
  check(own: OwnFolder): Promise<void>;
  /** The bytes that ended processes left, that Redis lacks, and that could not be taken over. */
  unheldBytes(): number;
}

/** Makes a watch. Its first check searches at once. */
export function createFolderWatch({ dir, clock, notes, onTaken, onError }: FolderWatchOptions): FolderWatch {
  const unfinished = new Map<string, number>();
  let lastCheck = -Infinity;
  let unheldBytes = 0;

  async function takeOverTo(own: OwnFolder): Promise<void> {
    try {
      const inherit = (left: readonly InheritedNote[]) => notes.arrive(own.path, left);
      await takeOver({ journalDir: dir, folder: own, inherit, onTaken, onError });
    } finally {
      notes.publishArrived();
    }
  }

  async function checkOnce(own: OwnFolder): Promise<void> {
    await takeOverTo(own);
    unheldBytes = await unheldPendingBytes(dir, own.owner);
    lastCheck = clock.elapsed();
  }

  return {
    async check(own) {
      if (clock.elapsed() - lastCheck < INTERVAL_MS) return;
      await removeUnfinished(dir, unfinished, clock.elapsed()).catch(onError);
      await checkOnce(own).catch(onError);
    },
    unheldBytes: () => unheldBytes,
  };
}
