import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { makeTempFolder } from '../../../../test/support/temp-folder.ts';
import { readMark, removeMark, writeMark, type Mark } from '../../src/segment/mark.ts';

const MARK: Mark = {
  end: 400,
  records: 3,
  pending: [{ from: 12, to: 200, records: 1 }],
  reenqueued: [{ from: 200, to: 300, at: 1_767_225_600_000 }],
  proven: 400,
  owners: ['0123456789ab'],
  lastAt: 1_767_225_600_123,
};

async function aPath(): Promise<string> {
  return join(await makeTempFolder(), 'segment.log');
}

it('a mark says what was written to it, and the newest counts', async () => {
  const path = await aPath();
  await writeMark(path, MARK);
  expect(await readMark(path)).toEqual(MARK);
  await writeMark(path, { ...MARK, end: 500, pending: [] });
  expect(await readMark(path)).toEqual({ ...MARK, end: 500, pending: [] });
  expect(await readdir(join(path, '..'))).toEqual(['segment.log.mark']);
});

it('a mark with any bit of it flipped says nothing, or what it said', async () => {
  const path = await aPath();
  await writeMark(path, MARK);
  const bytes = await readFile(`${path}.mark`);
  for (let bit = 0; bit < bytes.length * 8; bit++) {
    const damaged = Buffer.from(bytes);
    damaged[bit >> 3] = (damaged[bit >> 3] ?? 0) ^ (1 << (bit & 7));
    await writeFile(`${path}.mark`, damaged);
    expect([bit, (await readMark(path)) ?? MARK]).toEqual([bit, MARK]);
  }
});

it('a mark that was cut says nothing, wherever', async () => {
  const path = await aPath();
  await writeMark(path, MARK);
  const bytes = await readFile(`${path}.mark`);
  for (let length = 0; length < bytes.length; length++) {
    await writeFile(`${path}.mark`, bytes.subarray(0, length));
    expect([length, await readMark(path)]).toEqual([length, undefined]);
  }
});

it('a mark of a version that wrote no checksum, and of one that writes more, is read', async () => {
  const path = await aPath();
  await writeFile(`${path}.mark`, JSON.stringify(MARK));
  expect(await readMark(path)).toEqual(MARK);
  const newer = { ...MARK, later: [1, 2] };
  await writeMark(path, newer);
  expect(await readMark(path)).toEqual(MARK);
});

it('a mark is valid JSON with the checksum last, which older versions pass over', async () => {
  const path = await aPath();
  await writeMark(path, MARK);
  const value: unknown = JSON.parse(await readFile(`${path}.mark`, 'utf8'));
  expect(value).toEqual({ ...MARK, crc: expect.any(Number) });
});

it('a mark that is not there says nothing, and is removed without a word', async () => {
  const path = await aPath();
  expect(await readMark(path)).toBeUndefined();
  await removeMark(path);
  await writeMark(path, MARK);
  await removeMark(path);
  expect(await readMark(path)).toBeUndefined();
});
