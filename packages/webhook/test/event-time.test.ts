import fc from 'fast-check';
import { afterEach, describe, expect, test } from 'vitest';
import { addSeconds, readTime } from '../src/event-time.ts';
import type { Json } from '../src/json.ts';

const MS = 1_739_537_297_000;

const ROWS: [Json, number | undefined][] = [
  [1_739_537_297, MS],
  [1_739_537_297.25, MS + 250],
  [1_739_537_297_000, MS],
  [1_739_537_297_123.9, MS + 124],
  ['1739537297', MS],
  [' 1739537297 ', MS],
  ['1739537297.5', MS + 500],
  ['1739537297000', MS],
  [1, undefined],
  [12.5, undefined],
  ['12.5', undefined],
  [946_684_799, undefined],
  [946_684_800, 946_684_800_000],
  [946_684_799_999, undefined],
  ['1999-12-31T23:59:59Z', undefined],
  ['0001-01-01T00:00:00Z', undefined],
  ['2000-01-01', 946_684_800_000],
  [99_999_999_999, 99_999_999_999_000],
  [100_000_000_000, undefined],
  ['2025-02-14T12:48:17Z', MS],
  ['2025-02-14T12:48:17z', MS],
  ['2025-02-14t12:48:17', MS],
  ['2025-02-14T12:48:17', MS],
  ['2025-02-14 12:48:17', MS],
  ['2025-02-14T12:48:17+00:00', MS],
  ['2025-02-14T14:48:17+02:00', MS],
  ['2025-02-14T14:48:17+0200', MS],
  ['2025-02-14 07:48:17 -05:00', MS],
  ['2025-02-14 12:48:17+00', MS],
  ['2025-02-14T12:48:17.123', MS + 123],
  ['2025-02-14T12:48:17.123456', MS + 123],
  ['2025-02-14T12:48:17.123456+00:00', MS + 123],
  ['2025-02-14 12:48:17.123456+00', MS + 123],
  ['2025-02-14T12:48:17,123Z', MS + 123],
  ['2025-02-14T12:48:17.5Z', MS + 500],
  ['2025-02-14T12:48', MS - 17_000],
  ['2025-02-14', Date.UTC(2025, 1, 14)],
  ['9999-12-31T23:59:59Z', Date.UTC(9999, 11, 31, 23, 59, 59)],
  // Microseconds and nanoseconds since 1970 lie past the year 9999.
  [1_739_537_297_000_000, undefined],
  ['1739537297000000', undefined],
  ['1739537297123456789', undefined],
  [0, undefined],
  ['0', undefined],
  [-1_739_537_297, undefined],
  ['-1739537297', undefined],
  ['1e9', undefined],
  ['0x67af1e11', undefined],
  ['', undefined],
  ['now', undefined],
  ['Wed, 08 Oct 2025 13:54:12 +0000', undefined],
  ['14/02/2025', undefined],
  ['2025-13-14T12:48:17Z', undefined],
  ['2025-02-14T25:48:17Z', undefined],
  ['2025-02-14T12:48:17 in the afternoon', undefined],
  ['2025-02-14T12:48:17 PM', undefined],
  ['1969-12-31T23:59:59Z', undefined],
  [Number.POSITIVE_INFINITY, undefined],
  [Number.NaN, undefined],
  [1e300, undefined],
  [true, undefined],
  [null, undefined],
  [[1_739_537_297], undefined],
  [{ seconds: 1_739_537_297 }, undefined],
];

describe('readTime', () => {
  test.each(ROWS)('%j: %s', (value, expected) => {
    expect(readTime(value)).toBe(expected);
  });

  describe('in another time zone', () => {
    const zone = process.env['TZ'];
    afterEach(() => {
      if (zone === undefined) delete process.env['TZ'];
      else process.env['TZ'] = zone;
    });

    test.each(['America/St_Johns', 'Asia/Tokyo'])('%s reads the same', (name) => {
      process.env['TZ'] = name;

      expect(new Date(MS).getTimezoneOffset()).not.toBe(0);
      for (const [value, expected] of ROWS) expect(readTime(value)).toBe(expected);
    });
  });

  test('gives whole milliseconds between 1970 and 9999 or nothing', () => {
    const value = fc.oneof(
      fc.double(),
      fc.string(),
      fc.double().map(String),
      fc.date({ noInvalidDate: true }).map((d) => d.toISOString()),
    );
    fc.assert(
      fc.property(value, (time) => {
        const read = readTime(time) ?? 1;
        expect(Number.isSafeInteger(read) && read > 0 && read < 253_402_300_800_000).toBe(true);
      }),
    );
  });

  test('reads back a time in every form', () => {
    fc.assert(
      fc.property(fc.integer({ min: 946_684_800_000, max: 99_999_999_999_999 }), (time) => {
        expect(readTime(time)).toBe(time);
        expect(readTime(String(time))).toBe(time);
        expect(readTime(new Date(time).toISOString())).toBe(time);
        expect(readTime(Math.floor(time / 1000))).toBe(Math.floor(time / 1000) * 1000);
      }),
    );
  });
});

describe('addSeconds', () => {
  test.each([
    [0, MS],
    [22.4, MS + 22_400],
    [0.0004, MS],
    [-1, undefined],
    [1e15, undefined],
    [1e300, undefined],
  ])('%s seconds on', (seconds, expected) => {
    expect(addSeconds(MS, seconds)).toBe(expected);
  });
});
