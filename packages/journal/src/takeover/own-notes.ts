import { writeNotes, type InheritedNote } from './notes.ts';

/** The notes of a process: its own, and those of processes that are gone. */
export interface OwnNotes {
  /** Keeps a note of our own for whoever takes the journal over. */
  keep(note: unknown): void;
  /** The notes of processes that are gone whose segments have all come. */
  inherited(): readonly InheritedNote[];
  /** Keeps notes whose segments are about to come; they are on the disk when it resolves, and shown by `showArrived`. @throws the disk's error */
  arrive(folder: string, notes: readonly InheritedNote[]): Promise<void>;
  /** Shows what has arrived: all segments have come that it asks for. */
  showArrived(): void;
  /** Drops an inherited note that is done with. */
  forget(note: InheritedNote): void;
  /** Writes the notes down where they have changed. @throws the disk's error; then it is tried again next time */
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
      // A note may lie in two folders, or in one that could not be taken over before.
      for (const each of notes) {
        if (![...inherited, ...arrived].some((known) => isSame(known, each))) arrived.push(each);
      }
      await write(folder);
    },
    showArrived() {
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
