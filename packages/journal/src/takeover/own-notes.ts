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

interface State {
  note: unknown;
  inherited: InheritedNote[];
  arrived: InheritedNote[];
  isStale: boolean;
}

/** Makes the notes of a process that has none. */
export function createOwnNotes(): OwnNotes {
  const state: State = { note: undefined, inherited: [], arrived: [], isStale: false };
  return {
    keep(note) {
      state.note = note;
      state.isStale = true;
    },
    inherited: () => state.inherited,
    async arrive(folder, notes) {
      addNew(state, notes);
      await write(state, folder);
    },
    publishArrived() {
      state.inherited = [...state.inherited, ...state.arrived];
      state.arrived = [];
    },
    forget(done) {
      state.inherited = state.inherited.filter((each) => each !== done);
      state.isStale = true;
    },
    async write(folder) {
      if (state.isStale) await write(state, folder);
    },
  };
}

/** Adds notes that are new. A note may be in two folders, or in one that could not be taken over before. */
function addNew({ inherited, arrived }: State, notes: readonly InheritedNote[]): void {
  for (const each of notes) {
    if (![...inherited, ...arrived].some((known) => isSame(known, each))) arrived.push(each);
  }
}

async function write(state: State, folder: string): Promise<void> {
  const { note, inherited, arrived } = state;
  state.isStale = false;
  try {
    await writeNotes(folder, { note, inherited: [...inherited, ...arrived] });
  } catch (error) {
    state.isStale = true;
    throw error;
  }
}

function isSame(one: InheritedNote, other: InheritedNote): boolean {
  return one.owner === other.owner && JSON.stringify(one.note) === JSON.stringify(other.note);
}
