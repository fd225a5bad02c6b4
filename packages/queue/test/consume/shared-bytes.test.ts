import { expect, it } from 'vitest';
import { createSharedBytes } from '../../src/consume/shared-bytes.ts';

it('tells everyone when the limit is reached and when there is room again, and no one else', () => {
  const bytes = createSharedBytes(10);
  const told: string[] = [];
  const stop = bytes.watch(() => told.push(`one: ${bytes.isFull()}`));
  bytes.watch(() => told.push(`other: ${bytes.isFull()}`));
  bytes.add(9);
  expect([bytes.held, bytes.isFull(), told]).toEqual([9, false, []]);
  bytes.add(1);
  bytes.add(5);
  expect(told).toEqual(['one: true', 'other: true']);
  stop();
  bytes.add(-6);
  expect([bytes.held, told]).toEqual([9, ['one: true', 'other: true', 'other: false']]);
});
