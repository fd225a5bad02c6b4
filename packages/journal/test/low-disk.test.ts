import { execFileSync } from 'node:child_process';
import { rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, it, onTestFinished, test, vi } from 'vitest';
import { makeTempFolder } from '../../../test/support/temp-folder.ts';
import { lowBelow } from '@landline/held-folder/disk-space';
import { aJournal, drain, event, MEBIBYTE, segmentFiles, type TestJournal } from './support/a-journal.ts';

const GIBIBYTE = 1024 * MEBIBYTE;

it.each([
  [4 * MEBIBYTE, 0.4 * MEBIBYTE],
  [GIBIBYTE, 0.1 * GIBIBYTE],
  [10 * GIBIBYTE, GIBIBYTE],
  [1000 * GIBIBYTE, GIBIBYTE],
  // A file system that does not report its size.
  [0, 0],
])('a disk of %i bytes is low below %f', (total, low) => {
  expect(lowBelow({ free: 0, total })).toBe(Math.floor(low));
});

/** Fills several files with events that Redis has, and writes one record that Redis lacks. */
async function fill(journal: TestJournal): Promise<void> {
  (await journal.append([event('pending')])).failed();
  for (let i = 0; i < 40; i++) {
    // oxlint-disable-next-line no-await-in-loop -- one after the other
    (await journal.append([event(`${i}`.padEnd(20_000, 'x'))])).enqueued();
  }
}

it('on a low disk the journal keeps only what Redis lacks, and reports the disk once', async () => {
  const space = { free: 50 * GIBIBYTE, total: 100 * GIBIBYTE };
  const journal = await aJournal({ limitBytes: MEBIBYTE, diskSpace: () => Promise.resolve({ ...space }) });
  await fill(journal);
  expect((await segmentFiles(journal.dir)).length).toBeGreaterThan(3);
  space.free = GIBIBYTE - 1;
  // The first file, which has the record that Redis lacks, and the current one.
  await vi.waitUntil(async () => (await segmentFiles(journal.dir)).length === 2, { timeout: 20_000 });
  expect(journal.stats()).toMatchObject({ status: 'ready', diskFreeBytes: GIBIBYTE - 1 });
  await fill(journal);
  await vi.waitUntil(async () => (await segmentFiles(journal.dir)).length <= 3, { timeout: 20_000 });
  expect(journal.errors).toEqual([expect.stringContaining(`less than ${GIBIBYTE} bytes free`)]);
  space.free = 50 * GIBIBYTE;
  await vi.waitUntil(() => journal.stats().diskFreeBytes === space.free, { timeout: 20_000 });
  await fill(journal);
  // No record is that young, so this redoes none. It only waits for a tick.
  await journal.redo(Infinity);
  expect((await segmentFiles(journal.dir)).length).toBeGreaterThan(3);
  expect((await drain(journal)).filter((body) => body === 'pending')).toHaveLength(3);
});

it('a system that does not say how much is free changes nothing', async () => {
  const journal = await aJournal({
    limitBytes: MEBIBYTE,
    diskSpace: () => Promise.reject(new Error('it does not say')),
  });
  await fill(journal);
  await journal.redo(Infinity);
  expect((await segmentFiles(journal.dir)).length).toBeGreaterThan(3);
  expect(journal.errors).toEqual(['it does not say']);
});

test('a real disk that others fill has room again from the journal, before it is full', async (context) => {
  const disk = await makeTempFolder();
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=16m', 'tmpfs', disk], { stdio: 'pipe' });
  } catch (error) {
    context.skip(`no file system can be mounted here: ${String(error)}`);
  }
  onTestFinished(() => void execFileSync('umount', ['--lazy', disk]));
  const journal = await aJournal({ dir: join(disk, 'journal'), limitBytes: 8 * MEBIBYTE });
  (await journal.append([event('pending')])).failed();
  for (let i = 0; i < 100; i++) (await journal.append([event(`${i}`.padEnd(50_000, 'x'))])).enqueued();
  const before = journal.stats().bytes;
  await writeFile(join(disk, 'others'), Buffer.alloc(16 * MEBIBYTE - before - MEBIBYTE));
  await vi.waitUntil(() => journal.stats().bytes < before / 2, { timeout: 20_000 });
  expect([journal.status(), journal.errors]).toEqual(['ready', [expect.stringContaining(disk)]]);
  await rm(join(disk, 'others'));
  expect((await drain(journal)).map((body) => body.slice(0, 7))).toContain('pending');
});
