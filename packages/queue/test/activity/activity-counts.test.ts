import { expect, it } from 'vitest';
import { countsIn, fieldsOf, noCounts, quantile } from '../../src/activity/activity-counts.ts';

const buckets = (counts: Record<number, number>) => Array.from({ length: 17 }, (_, i) => counts[i] ?? 0);

it.each([
  ['nothing', buckets({}), 0.5, null],
  ['one that took up to 5 ms', buckets({ 0: 1 }), 1, 5],
  ['half of them up to 5 ms, the median', buckets({ 0: 10, 4: 10 }), 0.5, 5],
  ['half of them up to 100 ms, three quarters', buckets({ 0: 10, 4: 10 }), 0.75, 75],
  ['the lowest of those from 50 to 100 ms', buckets({ 4: 10 }), 0, 50],
  ['those that took more than an hour', buckets({ 16: 3 }), 0.99, 3_600_000],
])('a quantile of %s', (_, counts, q, expected) => {
  expect(quantile(counts, q)).toBe(expected);
});

it('counts are fields of a hash, and those of another version are left out', () => {
  const counts = { ...noCounts(), accepted: 3, dead: 1, receiptToRow: buckets({ 0: 2, 16: 1 }) };
  expect(fieldsOf(counts)).toEqual([
    ['accepted', 3],
    ['dead', 1],
    ['row:5', 2],
    ['row:more', 1],
  ]);
  expect(countsIn({ accepted: '3', dead: '1', 'row:5': '2', 'row:more': '1', 'row:7': '9', queued: '4' })).toEqual(
    counts,
  );
  expect(countsIn({ accepted: 'many' })).toEqual(noCounts());
});
