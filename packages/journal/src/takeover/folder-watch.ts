import type { Clock } from '../clock.ts';
import type { Segment } from '../segment/segment.ts';
import type { InheritedNote } from './notes.ts';
import type { OwnNotes } from './own-notes.ts';
import { removeUnfinished, type OwnFolder } from './owner.ts';
import { takeOver } from './take-over.ts';
import { unheldPendingBytes } from './unheld.ts';

/** How often a process looks for folders of processes that are gone, in ms. */
const INTERVAL_MS = 10_000;

/** What a folder watch needs. */
export interface FolderWatchOptions {
  /** The journal's folder. */
  dir: string;
  clock: Clock;
  notes: OwnNotes;
  /** Is given each segment as soon as it is ours. */
  onTaken: (segment: Segment) => void;
  onError: (error: unknown) => void;
}

/** Takes over what processes have left that are gone. */
export interface FolderWatch {
  /** Looks where it is time for it. */
  look(own: OwnFolder): Promise<void>;
  /** Of processes that are gone: what Redis lacks and could not be taken over, in bytes. */
  unheldBytes(): number;
}

/** Makes a watch; its first look is due at once. */
export function createFolderWatch({ dir, clock, notes, onTaken, onError }: FolderWatchOptions): FolderWatch {
  const unfinished = new Map<string, number>();
  let lastLook = -Infinity;
  let unheldBytes = 0;

  async function takeOverTo(own: OwnFolder): Promise<void> {
    try {
      const inherit = (left: readonly InheritedNote[]) => notes.arrive(own.path, left);
      await takeOver({ journalDir: dir, folder: own, inherit, onTaken, onError });
    } finally {
      notes.showArrived();
    }
  }

  async function lookOnce(own: OwnFolder): Promise<void> {
    await takeOverTo(own);
    unheldBytes = await unheldPendingBytes(dir, own.owner);
    lastLook = clock.elapsed();
  }

  return {
    async look(own) {
      if (clock.elapsed() - lastLook < INTERVAL_MS) return;
      await removeUnfinished(dir, unfinished, clock.elapsed()).catch(onError);
      await lookOnce(own).catch(onError);
    },
    unheldBytes: () => unheldBytes,
  };
}
