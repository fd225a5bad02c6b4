import type { InheritedNote } from '@landline/journal';
import { expect, it } from 'vitest';
import { shareJournal } from '../src/shared-journal.ts';
import type { Note } from '../src/loss-watch-state.ts';

const noteOf = (key: string, oldest = 1): Note => ({ key, beat: 2, oldest, isLast: false, redone: [] });

/** A journal that has inherited these notes, and what it keeps and forgets. */
function aJournal(...notes: unknown[]) {
  let inherited: InheritedNote[] = notes.map((note, i) => ({ owner: `process ${i}`, note }));
  const kept: unknown[] = [];
  return {
    kept,
    owners: () => inherited.map(({ owner }) => owner),
    journal: {
      redo: () => Promise.resolve(),
      keepNote: (note: unknown) => void kept.push(note),
      inherited: () => inherited,
      forget: (done: InheritedNote) => void (inherited = inherited.filter((each) => each !== done)),
      now: () => 0,
      oldestAt: () => undefined,
    },
  };
}

const notesOf = (view: { inherited: () => readonly InheritedNote[] } | undefined) =>
  view?.inherited().map(({ note }) => note);

it('keeps the note of a single shard as it is', () => {
  const { journal, kept } = aJournal();
  shareJournal(journal, ['a:'])[0]?.keepNote(noteOf('a:1'));
  expect(kept).toEqual([noteOf('a:1')]);
});

it('keeps the notes of all shards in one, which an older process can read as the first', () => {
  const { journal, kept } = aJournal();
  const [a, b] = shareJournal(journal, ['a:', 'b:']);
  a?.keepNote(noteOf('a:1'));
  b?.keepNote(noteOf('b:1'));
  a?.keepNote(noteOf('a:1', 5));
  expect(kept.at(-1)).toEqual({ ...noteOf('a:1', 5), shards: [noteOf('b:1')] });
});

it('gives each shard its part of an inherited note, and forgets the note when all parts are done', () => {
  const { journal, owners } = aJournal({ ...noteOf('a:1'), shards: [noteOf('b:1')] });
  const [a, b] = shareJournal(journal, ['a:', 'b:']);
  expect([notesOf(a), notesOf(b)]).toEqual([[noteOf('a:1')], [noteOf('b:1')]]);
  const [part] = a?.inherited() ?? [];
  if (part !== undefined) a?.forget(part);
  expect([notesOf(a), notesOf(b), owners()]).toEqual([[], [noteOf('b:1')], ['process 0']]);
  const [other] = b?.inherited() ?? [];
  if (other !== undefined) b?.forget(other);
  expect([notesOf(b), owners()]).toEqual([[], []]);
});

it('gives the first shard what no shard knows, under a key that no Redis has', () => {
  const { journal } = aJournal({ ...noteOf('b:1'), shards: [noteOf('gone:1', 7)] }, 'nonsense');
  const [a, b] = shareJournal(journal, ['a:', 'b:']);
  expect(notesOf(a)).toEqual([noteOf('a:unknown', 7), 'nonsense']);
  expect(notesOf(b)).toEqual([noteOf('b:1')]);
});
