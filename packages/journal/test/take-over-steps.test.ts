import { cpSync, mkdirSync, readdirSync } from 'node:fs';
import { mkdir, readdir, rename, rm } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { makeTempFolder } from '../../../test/support/temp-folder.ts';
import { writeNotes } from '../src/takeover/notes.ts';
import { holdFolder } from '@landline/held-folder';
import { takeOver } from '../src/takeover/take-over.ts';
import { aClock } from './support/a-clock.ts';
import { aJournal, drain, event, leftBehind, segmentFiles } from './support/a-journal.ts';

const QUARTER_MS = 15 * 60_000;

/** The journal of a killed process: three files, each with a group that Redis has and a group that it lacks. */
async function killed(): Promise<string> {
  const clock = aClock();
  const journal = await aJournal(clock.options);
  journal.keepNote('of the dead');
  for (const number of [1, 2, 3]) {
    (await journal.append([event(`enqueued ${number}`)])).enqueued();
    (await journal.append([event(`pending ${number}`)])).failed();
    clock.pass(QUARTER_MS);
    // No record is that young, so this redoes none. It begins the next file and writes the marks.
    await journal.redo(Infinity);
  }
  return leftBehind(journal.dir);
}

const PENDING = ['pending 1', 'pending 2', 'pending 3'];

/**
 * Copies a journal as it is now, without locks. The copy is synchronous, so that no process changes a file meanwhile.
 */
function copyNow(dir: string, copy: string): string {
  mkdirSync(copy, { recursive: true });
  for (const folder of readdirSync(dir)) {
    cpSync(join(dir, folder), join(copy, folder), { recursive: true, filter: (path) => !path.endsWith('/lock') });
  }
  return copy;
}

/** Takes a killed process's journal over, and keeps what lies there at each step: as many copies as a kill could leave. */
async function steps(): Promise<{ dead: string; copies: [string, string][] }> {
  const dir = await killed();
  const [dead = ''] = await readdir(dir);
  const own = await holdFolder(dir);
  const into = await makeTempFolder();
  const copies: [string, string][] = [];
  const keep = (name: string) => copies.push([name, copyNow(dir, join(into, `${copies.length}`))]);
  keep('before anything');
  let adopted = 0;
  await takeOver({
    journalDir: dir,
    folder: own,
    inherit: async (notes) => {
      keep('before the notes are written');
      await writeNotes(own.path, { note: 'of the heir', inherited: [...notes] });
      keep('after the notes are written');
    },
    onTaken: (segment) => {
      keep(`after file ${++adopted} has moved`);
      void segment.close();
    },
    onError: (error) => expect.unreachable(error.message),
  });
  keep('after the folder is gone');
  await own.release();
  return { dead, copies };
}

it('a process that is killed at any step of a take-over leaves all of it to the next, once, with its notes', async () => {
  const { copies } = await steps();
  expect(copies.map(([name]) => name)).toEqual([
    'before anything',
    'before the notes are written',
    'after the notes are written',
    'after file 1 has moved',
    'after file 2 has moved',
    'after file 3 has moved',
    'after file 4 has moved',
    'after the folder is gone',
  ]);
  for (const [name, dir] of copies) {
    const next = await aJournal({ dir, ...aClock().options });
    expect([name, (await drain(next)).sort()]).toEqual([name, PENDING]);
    expect([name, next.inherited().map(({ note }) => note)]).toEqual([name, expect.arrayContaining(['of the dead'])]);
    expect([name, next.errors]).toEqual([name, []]);
    expect([name, await readdir(dir)]).toEqual([name, [expect.any(String)]]);
    await next.close();
  }
});

it('a note that lies in two folders, because its heir was killed, is inherited once', async () => {
  const { copies } = await steps();
  const [, dir = ''] = copies.find(([name]) => name === 'after file 1 has moved') ?? [];
  const next = await aJournal({ dir, ...aClock().options });
  expect(next.inherited().filter(({ note }) => note === 'of the dead')).toHaveLength(1);
});

describe('between the move of a file and that of its mark', () => {
  it('a kill makes all of the file pending, and the note of its writer still leads to it', async () => {
    const { dead, copies } = await steps();
    const [, dir = ''] = copies.find(([name]) => name === 'after file 1 has moved') ?? [];
    const [moved = ''] = (await segmentFiles(dir)).filter((path) => !path.includes(`/${dead}/`));
    await rename(`${moved}.mark`, join(dir, dead, `${basename(moved)}.mark`));
    const next = await aJournal({ dir, ...aClock().options });
    expect((await drain(next)).sort()).toEqual(['enqueued 1', ...PENDING]);
    const owner = next.inherited().find(({ note }) => note === 'of the dead')?.owner;
    await next.redo(0, owner);
    expect((await drain(next)).sort()).toEqual(['enqueued 1', 'enqueued 2', 'enqueued 3', ...PENDING]);
  });

  it('a folder in which only marks are left is removed', async () => {
    const dir = await killed();
    for (const path of await segmentFiles(dir)) await rm(path);
    const next = await aJournal({ dir });
    expect((await readdir(dir)).length).toBe(1);
    expect([await drain(next), next.inherited(), next.errors]).toEqual([[], [], []]);
  });
});

describe('several processes at once', () => {
  it('share what one has left: each group comes back once, from one of them', async () => {
    const dir = await killed();
    const heirs = await Promise.all(Array.from({ length: 5 }, () => aJournal({ dir, ...aClock().options })));
    const bodies = await Promise.all(heirs.map((heir) => drain(heir)));
    expect(bodies.flat().sort()).toEqual(PENDING);
    expect(heirs.flatMap(({ errors }) => errors)).toEqual([]);
    // Each process can redo the records that it has taken over.
    await Promise.all(heirs.map((heir) => heir.redo(0)));
    const redone = await Promise.all(heirs.map((heir) => drain(heir)));
    expect(redone.flat().sort()).toEqual(['enqueued 1', 'enqueued 2', 'enqueued 3', ...PENDING]);
  });

  it('pass a journal on through five that are killed, with every note and each group once', async () => {
    let dir = await killed();
    for (const number of [1, 2, 3, 4, 5]) {
      const heir = await aJournal({ dir, ...aClock().options });
      heir.keepNote(`of heir ${number}`);
      await heir.redo(Infinity);
      dir = await leftBehind(dir);
    }
    const last = await aJournal({ dir, ...aClock().options });
    expect(last.inherited().map(({ note }) => note)).toEqual([
      'of heir 5',
      'of heir 4',
      'of heir 3',
      'of heir 2',
      'of heir 1',
      'of the dead',
    ]);
    expect((await drain(last)).sort()).toEqual(PENDING);
  });
});

it('a folder whose files cannot be moved is tried again, and its note is inherited once', async () => {
  const dir = await killed();
  const [path = ''] = await segmentFiles(dir);
  const clock = aClock();
  const journal = await aJournal({ ...clock.options });
  // A folder is in the first file's place, so no rename succeeds.
  const [own = ''] = await readdir(journal.dir);

  await mkdir(join(journal.dir, own, basename(path)));
  await rename(dirname(path), join(journal.dir, basename(dirname(path))));
  for (let i = 0; i < 3; i++) {
    clock.pass(10_000);
    await journal.redo(Infinity);
  }
  expect(journal.inherited().map(({ note }) => note)).toEqual(['of the dead']);
  expect(journal.errors).toEqual([expect.stringContaining('tried again')]);
  await rm(join(journal.dir, own, basename(path)), { recursive: true });
  clock.pass(10_000);
  await journal.redo(Infinity);
  expect((await drain(journal)).sort()).toEqual(PENDING);
});
