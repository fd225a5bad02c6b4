import { mkdir, readdir, stat, truncate } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { makeTempFolder } from '../../../../test/support/temp-folder.ts';
import { createClock } from '../../src/clock.ts';
import { beginSegment } from '../../src/segment/begin-segment.ts';
import type { Segment } from '../../src/segment/segment.ts';
import { createFolderWatch, type FolderWatch } from '../../src/takeover/folder-watch.ts';
import { writeNotes } from '../../src/takeover/notes.ts';
import { createOwnNotes, type OwnNotes } from '../../src/takeover/own-notes.ts';
import { holdFolder } from '@landline/held-folder';
import { aClock } from '../support/a-clock.ts';
import { append, bodiesIn } from '../support/a-segment.ts';

const INTERVAL_MS = 10_000;

interface Scene {
  dir: string;
  notes: OwnNotes;
  watch: FolderWatch;
  adopted: Segment[];
  errors: unknown[];
  check: () => Promise<void>;
  pass: (ms: number) => void;
}

async function aWatch(): Promise<Scene> {
  const dir = await makeTempFolder();
  const own = await holdFolder(dir);
  const { options, pass } = aClock();
  const notes = createOwnNotes();
  const adopted: Segment[] = [];
  const errors: unknown[] = [];
  const watch = createFolderWatch({
    dir,
    clock: createClock({ wall: options.now, elapsed: options.elapsed }),
    notes,
    onTaken: (segment) => void adopted.push(segment),
    onError: (error) => void errors.push(error),
  });
  onTestFinished(async () => {
    await Promise.all(adopted.map((segment) => segment.close()));
    await own.release();
  });
  return { dir, notes, watch, adopted, errors, check: () => watch.check(own), pass };
}

/** The folder of a process that is gone, with a note and a record that Redis lacks; the path of its file. */
async function left(dir: string, owner: string): Promise<string> {
  const folder = join(dir, owner);
  await mkdir(folder);
  await writeNotes(folder, { note: `of ${owner}`, inherited: [] });
  const segment = await beginSegment(folder, owner, { at: 1, number: 0 });
  await append(segment, [owner]);
  await segment.close();
  return segment.path();
}

it('searches at once, and then every ten seconds', async () => {
  const { dir, adopted, check, pass } = await aWatch();
  await left(dir, 'aaaaaaaaaaaa');
  await check();
  expect(adopted).toHaveLength(1);
  await left(dir, 'bbbbbbbbbbbb');
  pass(INTERVAL_MS - 1);
  await check();
  expect(adopted).toHaveLength(1);
  pass(1);
  await check();
  expect(await Promise.all(adopted.map((segment) => bodiesIn(segment)))).toEqual([['aaaaaaaaaaaa'], ['bbbbbbbbbbbb']]);
});

it('shows the notes of what it took over, and leaves no folder behind', async () => {
  const { dir, notes, errors, check } = await aWatch();
  await left(dir, 'aaaaaaaaaaaa');
  await left(dir, 'bbbbbbbbbbbb');
  await check();
  expect(notes.inherited().map(({ note }) => note)).toEqual(['of aaaaaaaaaaaa', 'of bbbbbbbbbbbb']);
  expect([(await readdir(dir)).length, errors]).toEqual([1, []]);
});

it('counts what it could not take over', async () => {
  const { dir, watch, adopted, errors, check, pass } = await aWatch();
  const path = await left(dir, 'aaaaaaaaaaaa');
  await truncate(path, 4);
  await truncate(path, 50);
  await check();
  expect([watch.unheldBytes(), adopted, errors.length]).toEqual([50, [], 1]);
  expect((await stat(path)).size).toBe(50);
  await truncate(path, 0);
  pass(INTERVAL_MS);
  await check();
  expect(watch.unheldBytes()).toBe(0);
});

it('removes what a process left that died while it made its folder, a minute after it saw it', async () => {
  const { dir, check, pass } = await aWatch();
  await mkdir(join(dir, '.aaaaaaaaaaaa'));
  for (let i = 0; i < 7; i++) {
    await check();
    expect(await readdir(dir)).toHaveLength(2);
    pass(INTERVAL_MS);
  }
  await check();
  expect(await readdir(dir)).toHaveLength(1);
});
