import { readFile, rm, truncate, writeFile } from 'node:fs/promises';
import { expect, it, vi } from 'vitest';
import { listJournal, readJournalFile, verifyJournalFile } from '../src/inspect-journal.ts';
import { aJournal, event, leftBehind, segmentFiles } from './support/a-journal.ts';

it('lists the files of the living and of the dead, with what Redis does not have of them', async () => {
  const gone = await aJournal();
  (await gone.append([event('1')])).failed();
  (await gone.append([event('2')])).enqueued();
  await gone.close();
  const [dead] = await listJournal(gone.dir);
  expect(dead).toMatchObject({ isHeld: false, pendingRecords: 1 });
  expect(dead?.lastAt).toBeGreaterThanOrEqual(dead?.firstAt ?? Infinity);
  const living = await aJournal({ dir: gone.dir });
  await living.append([event('3')]);
  await vi.waitUntil(async () => (await listJournal(gone.dir)).length === 2, { timeout: 20_000 });
  expect((await listJournal(gone.dir)).every(({ isHeld }) => isHeld)).toBe(true);
});

it('finds every record, and damage, and changes nothing', async () => {
  const journal = await aJournal();
  for (const body of ['1', '2', '3']) await journal.append([event(body), event('and')]);
  const [path = ''] = await segmentFiles(journal.dir);
  expect(await verifyJournalFile(path)).toEqual({ path, records: 3, events: 6, damage: [] });
  const bytes = await readFile(path);
  const second = bytes.indexOf('LLR1', bytes.indexOf('LLR1') + 1);
  bytes[second + 30] = (bytes[second + 30] ?? 0) ^ 0xff;
  await writeFile(path, bytes);
  await truncate(path, bytes.length - 1);
  const { records, damage } = await verifyJournalFile(path);
  expect([records, damage.map(({ from, isTorn }) => [from, isTorn])]).toEqual([1, [[second, false]]]);
  expect(await readFile(path)).toEqual(bytes.subarray(0, -1));
});

it('distinguishes a torn end from bytes that had been on the disk', async () => {
  const journal = await aJournal();
  for (const body of ['1', '2']) (await journal.append([event(body)])).failed();
  const dir = await leftBehind(journal.dir);
  const [path = ''] = await segmentFiles(dir);
  const bytes = await readFile(path);
  const second = bytes.lastIndexOf('LLR1');
  await truncate(path, bytes.length - 1);
  await rm(`${path}.mark`, { force: true });
  const damage = { from: second, to: bytes.length - 1 };
  expect(await verifyJournalFile(path)).toMatchObject({ records: 1, damage: [{ ...damage, isTorn: true }] });
  await writeFile(`${path}.mark`, JSON.stringify({ end: bytes.length, records: 2, pending: [], reenqueued: [] }));
  expect(await verifyJournalFile(path)).toMatchObject({ records: 1, damage: [{ ...damage, isTorn: false }] });
});

it('reads the records since a time', async () => {
  let now = 1_767_225_600_000;
  const journal = await aJournal({ now: () => now, elapsed: () => now });
  for (const body of ['1', '2', '3']) {
    await journal.append([event(body)]);
    now += 1000;
  }
  const [path = ''] = await segmentFiles(journal.dir);
  const read = [];
  for await (const record of readJournalFile(path, 1_767_225_601_000)) read.push(record);
  expect(read.map(({ at, events }) => [at, events.map(({ body }) => body)])).toEqual([
    [1_767_225_601_000, ['2']],
    [1_767_225_602_000, ['3']],
  ]);
});

it('reports a file without a segment header; a file shorter than a header counts as torn', async () => {
  const journal = await aJournal();
  await journal.append([event('1')]);
  await journal.close();
  const [path = ''] = await segmentFiles(journal.dir);
  const { length } = await readFile(path);
  await writeFile(path, Buffer.alloc(length));
  expect(await listJournal(journal.dir)).toMatchObject([
    { path, bytes: length, pendingRecords: 1, pendingBytes: length },
  ]);
  expect(await verifyJournalFile(path)).toMatchObject({ records: 0, damage: [{ from: 0, to: length, isTorn: false }] });
  const damage: unknown[] = [];
  for await (const record of readJournalFile(path, 0, (part) => damage.push(part))) damage.push(record);
  expect(damage).toEqual([{ from: 0, to: length, isTorn: false }]);
  await truncate(path, 5);
  expect(await listJournal(journal.dir)).toMatchObject([{ path, bytes: 5, pendingRecords: 0 }]);
  expect(await verifyJournalFile(path)).toMatchObject({ damage: [{ from: 0, to: 5, isTorn: true }] });
});
