import fc from 'fast-check';
import { open, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { makeTempFolder } from '../../../../test/support/temp-folder.ts';
import { readRecords } from '../../src/segment/read-records.ts';
import { beginRecord, decodeRecord, sealRecord } from '../../src/segment/record.ts';
import { event } from '../support/a-journal.ts';

const SEED = 77;

/** More than what is read at once. */
const LARGE = 1_200_000;

function recordOf(body: string, seed = SEED): Buffer {
  return sealRecord(beginRecord([event(body)]), 1, seed);
}

/**
 * The result of a read: the bodies, and the length of each damaged part, with `torn` where it is the beginning of a
 * record.
 */
async function read(path: string, parts: readonly Buffer[], from = 0): Promise<(string | number)[]> {
  const bytes = Buffer.concat(parts);
  await writeFile(path, bytes);
  const handle = await open(path);
  try {
    const found: (string | number)[] = [];
    let at = from;
    for await (const part of readRecords(handle, { from, to: bytes.length, seed: SEED })) {
      // No byte is skipped, and none is read twice.
      expect(part.from).toBe(at);
      at = part.to;
      if (part.kind === 'record') found.push(decodeRecord(part.record).events[0]?.body ?? '');
      else found.push(...(part.isTorn ? ['torn', part.to - part.from] : [part.to - part.from]));
    }
    expect(at).toBe(bytes.length);
    return found;
  } finally {
    await handle.close();
  }
}

it('reads nothing where there is nothing, and every record where there is no damage', async () => {
  const path = join(await makeTempFolder(), 'file');
  expect(await read(path, [])).toEqual([]);
  expect(
    await read(
      path,
      ['1', '', '3'].map((body) => recordOf(body)),
    ),
  ).toEqual(['1', '', '3']);
  expect(await read(path, [Buffer.alloc(12), recordOf('1')], 12)).toEqual(['1']);
});

it('reads records larger than what it reads at once, and small ones around them', async () => {
  const path = join(await makeTempFolder(), 'file');
  const large = 'x'.repeat(LARGE);
  const bodies = ['1', large, '2', large, large, '3'];
  expect(
    await read(
      path,
      bodies.map((body) => recordOf(body)),
    ),
  ).toEqual(bodies);
});

it('finds the next record behind any damage, wherever it lies to what is read at once', async () => {
  const path = join(await makeTempFolder(), 'file');
  for (const length of [1, 3, 4, 23, 24, 1_048_572, 1_048_575, 1_048_576, 1_048_577, 2_000_000]) {
    const damage = Buffer.alloc(length, 'y');
    expect(await read(path, [recordOf('1'), damage, recordOf('2')])).toEqual(['1', length, '2']);
  }
});

it('takes neither a record of another segment for one, nor one that lies within damage', async () => {
  const path = join(await makeTempFolder(), 'file');
  const other = recordOf('other', SEED + 1);
  expect(await read(path, [recordOf('1'), other, recordOf('2')])).toEqual(['1', other.length, '2']);
  const magics = Buffer.from('LLR1'.repeat(100));
  expect(await read(path, [magics, recordOf('1')])).toEqual([magics.length, '1']);
});

it('distinguishes the beginning of a record at the end from other bytes', async () => {
  const path = join(await makeTempFolder(), 'file');
  const last = recordOf('last');
  for (const length of [1, 4, 23, 24, last.length - 1]) {
    expect(await read(path, [recordOf('1'), last.subarray(0, length)])).toEqual(['1', 'torn', length]);
  }
  expect(await read(path, [recordOf('1'), Buffer.from('rest')])).toEqual(['1', 4]);
});

it('every undamaged record comes back, in order, for any damage', { timeout: 60_000 }, async () => {
  const path = join(await makeTempFolder(), 'file');
  const body = fc.oneof(fc.string(), fc.constantFrom('LLR1', 'LLR1LLR1', recordOf('inner', 0).toString('latin1')));
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.record({ body, damage: fc.option(fc.tuple(fc.nat(), fc.nat(7))) }), { maxLength: 8 }),
      async (records) => {
        const parts = records.map(({ body: text, damage }) => {
          const bytes = recordOf(text);
          const at = (damage?.[0] ?? 0) % bytes.length;
          if (damage) bytes[at] = (bytes[at] ?? 0) ^ (1 << damage[1]);
          return bytes;
        });
        const found = await read(path, parts);
        const intact = records.filter(({ damage }) => !damage).map((each) => each.body);
        expect(found.filter((each) => typeof each === 'string' && each !== 'torn')).toEqual(
          intact.filter((each) => each !== 'torn'),
        );
      },
    ),
    { numRuns: 300 },
  );
});
