import { expect, it } from 'vitest';
import { noteReenqueued, type Reenqueued } from '../../src/segment/reenqueued.ts';

function noted(...parts: [number, number, number][]): Reenqueued[] {
  const list: Reenqueued[] = [];
  for (const [from, to, at] of parts) noteReenqueued(list, { from, to, at });
  return list;
}

it('keeps parts of one second that follow each other as one, under the time of the last', () => {
  expect(noted([12, 20, 1000], [20, 30, 1400], [30, 40, 1999])).toEqual([{ from: 12, to: 40, at: 1999 }]);
});

it('keeps parts of two seconds apart, however close they are', () => {
  expect(noted([12, 20, 1999], [20, 30, 2000])).toEqual([
    { from: 12, to: 20, at: 1999 },
    { from: 20, to: 30, at: 2000 },
  ]);
});

it('keeps parts apart that do not follow each other', () => {
  expect(noted([12, 20, 1000], [30, 40, 1000], [20, 30, 1000])).toHaveLength(3);
});

it('keeps an hour of catching up in as many parts as there are seconds', () => {
  const parts = Array.from({ length: 36_000 }, (_, i): [number, number, number] => [12 + i, 13 + i, i * 100]);
  expect(noted(...parts)).toHaveLength(3600);
});
