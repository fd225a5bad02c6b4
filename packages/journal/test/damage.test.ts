import { readdir, readFile, rm, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { beginRecord, sealRecord } from '../src/segment/record.ts';
import { aJournal, drain, event, leftBehind, segmentFiles, type TestJournal } from './support/a-journal.ts';

const BODIES = ['first', 'second', 'third'];

/** A segment as a killed process leaves it: the bodies are not enqueued. */
async function aSegment(bodies = BODIES): Promise<{ dir: string; path: string; bytes: Buffer }> {
  const journal = await aJournal();
  for (const body of bodies) (await journal.append([event(body)])).failed();
  const dir = await leftBehind(journal.dir);
  const [path = ''] = await segmentFiles(dir);
  return { dir, path, bytes: await readFile(path) };
}

async function reopened(dir: string): Promise<{ journal: TestJournal; bodies: string[]; aside: string[] }> {
  const journal = await aJournal({ dir });
  const bodies = await drain(journal);
  const names = await readdir(dir, { recursive: true });
  return { journal, bodies, aside: names.filter((name) => name.includes('.damaged-')).map((name) => join(dir, name)) };
}

it('cuts a last record that was torn, at whichever byte, without a word', async () => {
  const { bytes } = await aSegment();
  const last = bytes.lastIndexOf('LLR1');
  for (let length = last; length < bytes.length; length += 13) {
    // oxlint-disable-next-line no-await-in-loop -- one after the other
    const { dir, path } = await aSegment();
    // oxlint-disable-next-line no-await-in-loop -- one after the other
    await truncate(path, length);
    // No tick has passed since the write, so no mark covers it.
    await rm(`${path}.mark`, { force: true });
    // oxlint-disable-next-line no-await-in-loop -- one after the other
    const { journal, bodies, aside } = await reopened(dir);
    expect([length, bodies, aside, journal.errors]).toEqual([length, ['first', 'second'], [], []]);
  }
});

it.each<[string, (bytes: Buffer) => number, string[], (bytes: Buffer) => number]>([
  ['the last record', (bytes) => bytes.length - 1, ['first', 'second'], (bytes) => bytes.lastIndexOf('LLR1')],
  // The seed, with which every checksum begins.
  ["the segment's own number", () => 8, [], (bytes) => bytes.indexOf('LLR1')],
])('sets aside what was on the disk and is no record any more: %s', async (_name, at, left, from) => {
  const damaged = await aSegment();
  damaged.bytes[at(damaged.bytes)] = (damaged.bytes[at(damaged.bytes)] ?? 0) ^ 0xff;
  await writeFile(damaged.path, damaged.bytes);
  const { journal, bodies, aside } = await reopened(damaged.dir);
  expect(bodies).toEqual(left);
  expect(await readFile(aside[0] ?? '')).toEqual(damaged.bytes.subarray(from(damaged.bytes)));
  expect(journal.errors).toEqual([expect.stringContaining(aside[0] ?? '')]);
});

it('reports once that records are gone from the end that had been on the disk, and goes on with the others', async () => {
  const { dir, path, bytes } = await aSegment();
  const pending = [{ from: bytes.indexOf('LLR1'), to: bytes.length, records: 3 }];
  await writeFile(`${path}.mark`, JSON.stringify({ end: bytes.length, records: 3, pending, reenqueued: [] }));
  await truncate(path, bytes.lastIndexOf('LLR1'));
  const { journal, bodies } = await reopened(dir);
  expect(journal.errors).toEqual([expect.stringContaining('before what was written to it')]);
  expect(bodies).toEqual(['first', 'second']);
  await journal.close();
  expect((await reopened(dir)).journal.errors).toEqual([]);
});

it('leaves a torn end to the process that reads it, however many processes take it over before', async () => {
  const { dir, path, bytes } = await aSegment();
  await truncate(path, bytes.length - 1);
  await rm(`${path}.mark`, { force: true });
  const first = await aJournal({ dir });
  await first.close();
  const second = await reopened(dir);
  expect([second.bodies, second.aside, second.journal.errors]).toEqual([['first', 'second'], [], []]);
  await second.journal.close();
  expect((await reopened(dir)).journal.errors).toEqual([]);
});

it('sets damage in the middle aside in a file that the error names, and goes on behind it', async () => {
  const { bytes } = await aSegment();
  const [from, to] = [bytes.indexOf('LLR1', bytes.indexOf('first')), bytes.lastIndexOf('LLR1')];
  for (let at = from; at < to; at += 11) {
    // oxlint-disable-next-line no-await-in-loop -- one after the other
    const damaged = await aSegment();
    damaged.bytes[at] = (damaged.bytes[at] ?? 0) ^ 0xff;
    // oxlint-disable-next-line no-await-in-loop -- one after the other
    await writeFile(damaged.path, damaged.bytes);
    // oxlint-disable-next-line no-await-in-loop -- one after the other
    const { journal, bodies, aside } = await reopened(damaged.dir);
    expect([at, bodies]).toEqual([at, ['first', 'third']]);
    expect(aside).toHaveLength(1);
    // oxlint-disable-next-line no-await-in-loop -- one after the other
    expect(await readFile(aside[0] ?? '')).toEqual(damaged.bytes.subarray(from, to));
    expect(journal.errors).toEqual([expect.stringContaining(aside[0] ?? '')]);
  }
});

it('never takes what stands in a body for a record, where the record itself is damaged', async () => {
  const inner = sealRecord(beginRecord([event('forged')]), 1_767_225_600_000, 0).toString('latin1');
  const { dir, path, bytes } = await aSegment(['first', inner, 'third']);
  const at = bytes.indexOf('LLR1', bytes.indexOf('first')) + 8;
  bytes[at] = (bytes[at] ?? 0) ^ 0xff;
  await writeFile(path, bytes);
  const { bodies } = await reopened(dir);
  expect(bodies).toEqual(['first', 'third']);
});

it('leaves a file without a segment header as it is, reports it, and takes over the rest', async () => {
  const { dir, path } = await aSegment();
  const foreign = path.replace(/\d(?=-[0-9a-f]+\.log$)/, '9');
  await writeFile(foreign, 'not a segment');
  const { journal, bodies } = await reopened(dir);
  expect(bodies).toEqual(BODIES);
  expect(journal.errors).toEqual([expect.stringContaining('does not begin as one')]);
  await journal.close();
  expect(await readFile(foreign, 'utf8')).toBe('not a segment');
});

it('takes all of a file for pending whose mark makes no sense', async () => {
  const { dir, path } = await aSegment();
  await writeFile(`${path}.mark`, '{"end": -1');
  expect((await reopened(dir)).bodies).toEqual(BODIES);
});
