import type { InheritedNote } from '@landline/journal';
import { noteSchema, sharedNoteSchema, type LossWatchOptions, type Note } from './loss-watch-state.ts';

type WatchedJournal = LossWatchOptions['journal'];

/** The key of a part whose shard this process does not have. No Redis has the key, so the part counts as lost. */
const UNKNOWN = 'unknown';

/**
 * Shares a journal among the watches of several shards: returns the journal as each watch sees it.
 *
 * A journal has one note for its process, and each watch keeps a part of it. A note that was inherited is forgotten when every part of it
 * was carried out. A part belongs to the shard that has its key. Where the number of shards was changed, no shard has it: then everything
 * since that process' oldest open job is enqueued again.
 *
 * @param keyPrefixes  What leads the keys of each shard's beats.
 */
export function shareJournal(journal: WatchedJournal, keyPrefixes: readonly string[]): WatchedJournal[] {
  const kept: Note[] = [];
  const parts = createParts(journal, keyPrefixes);
  return keyPrefixes.map((_, shard) => ({
    redo: (sinceMs, owner) => journal.redo(sinceMs, owner),
    now: () => journal.now(),
    oldestAt: () => journal.oldestAt(),
    keepNote(note) {
      if (keyPrefixes.length === 1) return journal.keepNote(note);
      kept[shard] = noteSchema.parse(note);
      const [first, ...shards] = kept.filter((each) => each !== undefined);
      journal.keepNote({ ...first, shards });
    },
    inherited: () => parts.of(shard),
    forget: (part) => parts.forget(part),
  }));
}

/** A part of an inherited note. */
interface Part {
  shard: number;
  note: InheritedNote;
}

/** Splits inherited notes into the parts of the shards, each once. */
function createParts(journal: Pick<WatchedJournal, 'inherited' | 'forget'>, keyPrefixes: readonly string[]) {
  const open = new WeakMap<InheritedNote, Part[]>();

  function partsOf(inherited: InheritedNote): Part[] {
    const known = open.get(inherited) ?? split(inherited, keyPrefixes);
    open.set(inherited, known);
    return known;
  }

  return {
    of: (shard: number): InheritedNote[] =>
      journal.inherited().flatMap((inherited) =>
        partsOf(inherited)
          .filter((part) => part.shard === shard)
          .map(({ note }) => note),
      ),
    forget(note: InheritedNote): void {
      const inherited = journal.inherited().find((each) => partsOf(each).some((part) => part.note === note));
      if (inherited === undefined) return;
      const left = partsOf(inherited).filter((part) => part.note !== note);
      open.set(inherited, left);
      if (left.length === 0) journal.forget(inherited);
    },
  };
}

function split(inherited: InheritedNote, keyPrefixes: readonly string[]): Part[] {
  const { data } = sharedNoteSchema.safeParse(inherited.note);
  // The first watch finds out what such a note asks for.
  if (data === undefined) return [{ shard: 0, note: inherited }];
  const { shards, ...first } = data;
  return [first, ...shards].map((note) => {
    const shard = keyPrefixes.findIndex((prefix) => note.key.startsWith(prefix));
    if (shard >= 0) return { shard, note: { ...inherited, note } };
    return { shard: 0, note: { ...inherited, note: { ...note, key: `${keyPrefixes[0]}${UNKNOWN}` } } };
  });
}
