import { describe, expect, it } from 'vitest';
import {
  damagedFileOf,
  encodeSegmentHeader,
  hasFilesToKeep,
  SEGMENT_FILE,
  seedIn,
  segmentFileName,
} from '../../src/segment/format.ts';

describe('the header of a segment', () => {
  it.each([0, 1, 0x12345678, 0xffffffff])('gives its seed back: %i', (seed) => {
    const header = encodeSegmentHeader(seed);
    expect([header.length, seedIn(header)]).toEqual([12, seed]);
    expect(seedIn(Buffer.concat([header, Buffer.from('LLR1')]))).toBe(seed);
  });

  it('is the same bytes as it ever was', () => {
    expect(encodeSegmentHeader(0x04030201).toString('hex')).toBe('4c4c4a310100000001020304');
  });

  it.each([
    '',
    '4c4c4a',
    '4c4c4a31010000000102',
    '4c4c4a310200000001020304',
    '4c4c4a320100000001020304',
    '000000000000000000000000',
  ])('is none: %s', (hex) => {
    expect(seedIn(Buffer.from(hex, 'hex'))).toBeUndefined();
  });
});

describe('the name of a segment', () => {
  it('is recognised with what it says', () => {
    const name = segmentFileName('0123456789ab', 1_767_225_600_000, 12);
    expect(SEGMENT_FILE.exec(name)?.slice(1)).toEqual(['001767225600000', '0123456789ab']);
  });

  it.each(['notes.json', 'lock', 'a.log', '001767225600000-000012-xyz.log', '001767225600000-000012-ab.log.mark'])(
    'is not %s',
    (name) => {
      expect(SEGMENT_FILE.test(name)).toBe(false);
    },
  );
});

it('a folder holds something where there is a segment in it, or damaged bytes of one', () => {
  const segment = segmentFileName('ab', 1, 1);
  expect(hasFilesToKeep([])).toBe(false);
  expect(hasFilesToKeep(['lock', 'notes.json', `${segment}.mark`, `${segment}.mark.new`])).toBe(false);
  expect(hasFilesToKeep(['lock', segment])).toBe(true);
  expect(hasFilesToKeep([damagedFileOf(segment, 12)])).toBe(true);
});
