import { writeNotes, type InheritedNote } from './notes.ts';

/** The notes of a process: its own, and those of ended processes. */
export interface OwnNotes {
  /** Keeps this process's note for the process that takes the journal over. */
  keep(note: unknown): void;
  /** The notes of ended processes whose segments have all arrived. */
  inherited(): readonly InheritedNote[];
  /**
   * Keeps notes whose segments are about to arrive. When it resolves, the notes are on the disk; `publishArrived` makes
   * them visible. @throws the disk's error
   */
  arrive(folder: string, notes: readonly InheritedNote[]): Promise<void>;
  /** Makes the arrived notes visible, because all their segments have arrived. */
  publishArrived(): void;
  /** Removes an inherited note whose request is done. */
  forget(note: InheritedNote): void;
  /** Writes the notes where they have changed. @throws the disk's error; the next call tries again */
  write(folder: string): Promise<void>;
}

/** Makes the notes of a process that has none. */
export function createOwnNotes(): OwnNotes {
  let note: unknown;
  let inherited: InheritedNote[] = [];
  let arrived: InheritedNote[] = [];
  let isStale = false;

  async function write(folder: string): Promise<void> {
    isStale = false;
    try {
      await writeNotes(folder, { note, inherited: [...inherited, ...arrived] });
    } catch (error) {
      isStale = true;
      throw error;
    }
  }

  return {
    keep(value) {
      note = value;
      isStale = true;
    },
    inherited: () => inherited,
    async arrive(folder, notes) {
      // A note may be in two folders, or in one that could not be taken over before.
      for (const each of notes) {
        if (![...inherited, ...arrived].some((known) => isSame(known, each))) arrived.push(each);
      }
      await write(folder);
    },
    publishArrived() {
      inherited = [...inherited, ...arrived];
      arrived = [];
    },
    forget(done) {
      inherited = inherited.filter((each) => each !== done);
      isStale = true;
    },
    async write(folder) {
      if (isStale) await write(folder);
    },
  };
}

function isSame(one: InheritedNote, other: InheritedNote): boolean {
  return one.owner === other.owner && JSON.stringify(one.note) === JSON.stringify(other.note);
}
