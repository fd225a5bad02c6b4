import { expect, it } from 'vitest';
import { createTimeIndex } from '../../src/segment/time-index.ts';

it('knows no place before the first record', () => {
  const index = createTimeIndex();
  expect(index.placeOf(Infinity)).toBeUndefined();
  index.note(1000, 12, 0);
  expect(index.placeOf(999)).toBeUndefined();
});

it('knows the place of a time, or the last one before it', () => {
  const index = createTimeIndex();
  const places = [
    { at: 1000, from: 12, records: 0 },
    { at: 2000, from: 100, records: 3 },
    { at: 9000, from: 500, records: 7 },
  ];
  for (const { at, from, records } of places) index.note(at, from, records);
  expect([1000, 1999, 2000, 8999, 9000, Infinity].map((since) => index.placeOf(since)?.from)).toEqual([
    12, 12, 100, 100, 500, 500,
  ]);
});

it('keeps one place a second, so that a busy segment stays small in memory', () => {
  const index = createTimeIndex();
  for (let i = 0; i < 5000; i++) index.note(i, 12 + i, i);
  const places = new Set(Array.from({ length: 5000 }, (_, since) => index.placeOf(since)?.from));
  expect([...places]).toEqual([12, 1012, 2012, 3012, 4012]);
});
