import { mkdir, open, readdir, readFile, rm, stat, truncate, writeFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { listJournal, verifyJournalFile } from '../src/inspect-journal.ts';
import { readRecords } from '../src/segment/read-records.ts';
import { aJournal, drain, event, leftBehind, segmentFiles } from './support/a-journal.ts';

const HEADER_BYTES = 12;

interface Left {
  dir: string;
  path: string;
  bytes: Buffer;
  /** Where each record begins, and the end. */
  starts: number[];
}

/** The files of a killed process: a record for each body. Redis has none of them, unless `enqueued` names it. */
async function left(bodies: string[], enqueued: string[] = []): Promise<Left> {
  const journal = await aJournal();
  for (const body of bodies) {
    const entry = await journal.append([event(body)]);
    if (enqueued.includes(body)) entry.enqueued();
    else entry.failed();
  }
  // No record is that young, so this redoes none. It writes the mark.
  await journal.redo(Infinity);
  const dir = await leftBehind(journal.dir);
  const [path = ''] = await segmentFiles(dir);
  const bytes = await readFile(path);
  const starts = [];
  for (let at = bytes.indexOf('LLR1'); at >= 0; at = bytes.indexOf('LLR1', at + 1)) starts.push(at);
  return { dir, path, bytes, starts: [...starts, bytes.length] };
}

/** The findings of a process that takes over: the bodies, its reports, and the files of damaged bytes. */
async function found(dir: string): Promise<{ bodies: string[]; errors: string[]; aside: string[] }> {
  const journal = await aJournal({ dir });
  const bodies = await drain(journal);
  const names = await readdir(dir, { recursive: true });
  await journal.close();
  return { bodies, errors: journal.errors, aside: names.filter((name) => name.includes('.damaged-')) };
}

describe('a flipped bit', () => {
  it('anywhere in a record costs that record and no other, and is found at once', { timeout: 60_000 }, async () => {
    const { path, bytes, starts } = await left(['first', 'second', 'third']);
    for (let at = HEADER_BYTES; at < bytes.length; at++) {
      for (let bit = 0; bit < 8; bit++) {
        const damaged = Buffer.from(bytes);
        damaged[at] = (damaged[at] ?? 0) ^ (1 << bit);
        await writeFile(path, damaged);
        const record = starts.findLastIndex((start) => start <= at);
        expect([at, bit, await verifyJournalFile(path)]).toEqual([
          at,
          bit,
          {
            path,
            records: 2,
            events: 2,
            // The mark says that the whole file was on the disk, so no record in it was being written.
            damage: [{ from: starts[record], to: starts[record + 1], isTorn: false }],
          },
        ]);
      }
    }
  });

  it.each([
    ['the magic', 0],
    ['the version', 4],
  ])('in %s of the file leaves the file as it is, and is reported', async (_name, at) => {
    const { dir, path, bytes } = await left(['first']);
    bytes[at] = (bytes[at] ?? 0) ^ 1;
    await writeFile(path, bytes);
    expect(await found(dir)).toEqual({
      bodies: [],
      errors: [expect.stringContaining('does not begin as one')],
      aside: [],
    });
    expect(await readFile(path)).toEqual(bytes);
  });

  it('in each of three records costs the three, and each is set aside by itself where another lies between', async () => {
    const { dir, path, bytes, starts } = await left(['1', '2', '3', '4', '5']);
    for (const record of [0, 2, 4]) bytes[(starts[record] ?? 0) + 30] = (bytes[(starts[record] ?? 0) + 30] ?? 0) ^ 1;
    await writeFile(path, bytes);
    const { bodies, errors, aside } = await found(dir);
    expect(bodies).toEqual(['2', '4']);
    expect([errors.length, aside.length]).toEqual([3, 3]);
    const kept = await Promise.all(aside.sort().map((name) => readFile(join(dir, name))));
    const records = [0, 2, 4].map((record) => bytes.subarray(starts[record], starts[record + 1]));
    expect(kept.map(String).sort()).toEqual(records.map(String).sort());
  });
});

describe('bytes that are gone', () => {
  it.each([0, 1, 11])('of a file down to %i bytes leave nothing to enqueue, and the file as it is', async (length) => {
    const { dir, path } = await left(['first']);
    await truncate(path, length);
    const { bodies, errors } = await found(dir);
    expect([bodies, errors]).toEqual([[], [expect.stringContaining('does not begin as one')]]);
    expect((await stat(path)).size).toBe(length);
  });

  it('of a file down to its header are reported, and nothing is left of the file', async () => {
    const { dir, path } = await left(['first']);
    await truncate(path, HEADER_BYTES);
    const { bodies, errors } = await found(dir);
    expect([bodies, errors]).toEqual([[], [expect.stringContaining('before what was written to it')]]);
    expect(await readdir(dir)).toEqual([]);
  });

  it('in the middle of a record cost it, and the records behind it come back', async () => {
    const { dir, path, bytes, starts } = await left(['first', 'second', 'third']);
    const [, second = 0, third = 0] = starts;
    const cut = Buffer.concat([bytes.subarray(0, second + 30), bytes.subarray(third)]);
    await writeFile(path, cut);
    const { bodies, errors, aside } = await found(dir);
    expect(bodies).toEqual(['first', 'third']);
    expect(errors).toEqual([
      expect.stringContaining('before what was written to it'),
      expect.stringContaining('are no record'),
    ]);
    expect(await readFile(join(dir, aside[0] ?? ''))).toEqual(bytes.subarray(second, second + 30));
  });

  it.each([1, 30, 5000])('and are %i zeros at the end of the file are set aside', async (count) => {
    const { dir, path, bytes } = await left(['first', 'second']);
    await writeFile(path, Buffer.concat([bytes, Buffer.alloc(count)]));
    const { bodies, errors, aside } = await found(dir);
    expect([bodies, errors.length]).toEqual([['first', 'second'], 1]);
    expect(await readFile(join(dir, aside[0] ?? ''))).toEqual(Buffer.alloc(count));
  });

  it('and are zeros over whole records are set aside as one', async () => {
    const { dir, path, bytes, starts } = await left(['first', 'second', 'third', 'fourth']);
    const [, second, , fourth] = starts;
    bytes.fill(0, second, fourth);
    await writeFile(path, bytes);
    const { bodies, errors, aside } = await found(dir);
    expect([bodies, errors.length, aside.length]).toEqual([['first', 'fourth'], 1, 1]);
  });

  it('of a part that Redis has cost nothing', async () => {
    const { dir, path, bytes, starts } = await left(['enqueued', 'pending'], ['enqueued']);
    bytes.fill(0, starts[0], starts[1]);
    await writeFile(path, bytes);
    expect(await found(dir)).toEqual({ bodies: ['pending'], errors: [], aside: [] });
  });
});

it('bytes that are cut off under a living process are missed at once, however many', async () => {
  const { path, starts, bytes } = await left(['first', 'second']);
  await truncate(path, starts[1]);
  const handle = await open(path);
  const kinds = [];
  const to = 100_000_000;
  for await (const part of readRecords(handle, { from: HEADER_BYTES, to, seed: bytes.readUInt32LE(8) })) {
    kinds.push([part.kind, part.from, part.to]);
  }
  await handle.close();
  expect(kinds).toEqual([
    ['record', HEADER_BYTES, starts[1]],
    ['damage', starts[1], to],
  ]);
});

describe('a mark', () => {
  const BODIES = ['enqueued', 'pending'];

  it.each<[string, (path: string) => Promise<void>]>([
    ['that is gone', (path) => rm(path)],
    ['that is empty', (path) => writeFile(path, '')],
    ['that is cut', async (path) => truncate(path, 20)],
    ['that is another text', (path) => writeFile(path, 'a text')],
    ['that is no object', (path) => writeFile(path, '[]')],
    ['of another form', (path) => writeFile(path, '{"end": "all"}')],
    [
      'with an end before the beginning',
      (path) => writeFile(path, '{"end":-1,"records":0,"pending":[],"reenqueued":[]}'),
    ],
  ])('%s makes all of its file pending', async (_name, damage) => {
    const { dir, path } = await left(BODIES, ['enqueued']);
    await damage(`${path}.mark`);
    expect((await found(dir)).bodies).toEqual(BODIES);
  });

  it('that is as it was makes pending what Redis lacks', async () => {
    const { dir } = await left(BODIES, ['enqueued']);
    expect((await found(dir)).bodies).toEqual(['pending']);
  });

  it('that is older than its file makes all pending that came since', async () => {
    const { dir, path, bytes, starts } = await left(['1', '2', '3'], ['1', '2', '3']);
    const older = { end: starts[1], records: 1, pending: [], reenqueued: [], lastAt: Date.now() };
    await writeFile(`${path}.mark`, JSON.stringify(older));
    expect((await found(dir)).bodies).toEqual(['2', '3']);
    expect(bytes.length).toBe(starts[3]);
  });

  it('of an older version, with the fields of that time alone, counts', async () => {
    const { dir, path, starts } = await left(BODIES, BODIES);
    const [, from, to] = starts;
    const mark = { end: to, records: 2, pending: [{ from, to, records: 1 }], reenqueued: [] };
    await writeFile(`${path}.mark`, JSON.stringify(mark));
    expect((await found(dir)).bodies).toEqual(['pending']);
  });

  it('that is newer than its file, which lost its end, makes no more pending than there is', async () => {
    const { dir, path, starts } = await left(['1', '2']);
    await truncate(path, starts[1]);
    const { bodies, errors } = await found(dir);
    expect([bodies, errors]).toEqual([['1'], [expect.stringContaining('before what was written to it')]]);
  });

  it('whose numbers were damaged counts for nothing', async () => {
    const { dir, path } = await left(BODIES);
    const text = await readFile(`${path}.mark`, 'utf8');
    // The end of what is pending, one digit of it.
    await writeFile(`${path}.mark`, text.replace(/"to":(\d+)\d/, '"to":$10'));
    expect((await found(dir)).bodies).toEqual(BODIES);
  });
});

describe('what is no segment', () => {
  it.each<[string, (path: string) => Promise<unknown>]>([
    ['a text with the name of a segment', (path) => writeFile(path, 'a text that is longer than a header')],
    ['an empty file with the name of a segment', (path) => writeFile(path, '')],
    ['a folder with the name of a segment', (path) => mkdir(path)],
  ])('%s is left as it is, and the rest is taken over', async (_name, make) => {
    const { dir, path } = await left(['pending']);
    const foreign = join(dirname(path), basename(path).replace(/^\d/, '9'));
    await make(foreign);
    const { bodies, errors } = await found(dir);
    expect(bodies).toEqual(['pending']);
    expect(errors).toEqual(expect.arrayContaining([expect.stringContaining(foreign)]));
    await expect(stat(foreign)).resolves.toBeDefined();
  });

  it('a file of another name in the folder of a dead process is neither listed nor enqueued', async () => {
    const { dir, path } = await left(['pending']);
    await writeFile(join(dirname(path), 'copy.log'), await readFile(path));
    expect((await listJournal(dir)).map((file) => file.path)).toEqual([path]);
    expect((await found(dir)).bodies).toEqual(['pending']);
  });
});
