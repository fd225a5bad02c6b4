import fc from 'fast-check';
import { expect, it } from 'vitest';
import { addRange, bytesIn, recordsIn, removeRange, type Range } from '../src/segment/ranges.ts';

const SPACE = 60;
const span = fc
  .tuple(fc.nat(SPACE), fc.nat(SPACE))
  .map(([a, b]) => ({ from: Math.min(a, b), to: Math.max(a, b), records: 1 }));
const step = fc.record({ kind: fc.constantFrom('add', 'remove'), range: span });

it('holds exactly the bytes that were added and not removed since, sorted and apart', () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 30 }), (steps) => {
      const ranges: Range[] = [];
      const bytes = new Set<number>();
      for (const { kind, range } of steps) {
        if (kind === 'add') addRange(ranges, range);
        else removeRange(ranges, range);
        for (let at = range.from; at < range.to; at++) bytes[kind === 'add' ? 'add' : 'delete'](at);
      }
      const held = ranges.flatMap(({ from, to }) => Array.from({ length: to - from }, (_, i) => from + i));
      expect(held).toEqual([...bytes].sort((a, b) => a - b));
      expect(bytesIn(ranges)).toBe(bytes.size);
      expect(ranges.every(({ records }) => records >= 1)).toBe(true);
    }),
  );
});

it('counts the records of neighbours, and takes away those that were taken', () => {
  const ranges: Range[] = [];
  addRange(ranges, { from: 10, to: 20, records: 2 });
  addRange(ranges, { from: 20, to: 40, records: 3 });
  expect(ranges).toEqual([{ from: 10, to: 40, records: 5 }]);
  removeRange(ranges, { from: 10, to: 20, records: 2 });
  expect(recordsIn(ranges)).toBe(3);
});
