import { expect, it } from 'vitest';
import { createEnqueueState } from '../../src/segment/enqueue-state.ts';

const A = { from: 12, to: 100, records: 1 };
const B = { from: 100, to: 150, records: 1 };
const C = { from: 150, to: 300, records: 2 };

it('of a segment without a record is complete', () => {
  const state = createEnqueueState();
  expect([state.isComplete(), state.pending(), state.unsettled()]).toEqual([true, [], []]);
});

it('is complete only when every part on its way has arrived', () => {
  const state = createEnqueueState();
  state.hold(A);
  state.hold(B);
  expect([state.isComplete(), state.pending()]).toEqual([false, []]);
  expect(state.settle(A, 'enqueued')).toBe(true);
  expect(state.isComplete()).toBe(false);
  expect(state.settle(B, 'enqueued')).toBe(true);
  expect(state.isComplete()).toBe(true);
});

it('settles a part once, and never one that it does not hold', () => {
  const state = createEnqueueState();
  state.hold(A);
  expect([state.settle(A, 'failed'), state.settle(A, 'enqueued'), state.settle({ ...A }, 'failed')]).toEqual([
    true,
    false,
    false,
  ]);
  expect(state.pending()).toEqual([A]);
});

it('joins parts that touch, in the order of the file', () => {
  const state = createEnqueueState();
  for (const range of [C, A, B]) state.addPending({ ...range });
  expect(state.pending()).toEqual([{ from: 12, to: 300, records: 4 }]);
});

it('takes a part out of the middle, and puts it back where it failed', () => {
  const state = createEnqueueState([{ from: 12, to: 300, records: 4 }]);
  state.take(B);
  expect(state.pending().map(({ from, to }) => [from, to])).toEqual([
    [12, 100],
    [150, 300],
  ]);
  expect(state.unsettled().map(({ from, to }) => [from, to])).toEqual([[12, 300]]);
  state.settle(B, 'failed');
  expect(state.pending().map(({ from, to }) => [from, to])).toEqual([[12, 300]]);
});

it('a part that Redis lost while it was on its way stays pending when it arrives', () => {
  const state = createEnqueueState();
  state.hold(A);
  state.addPending({ ...A });
  state.settle(A, 'enqueued');
  expect([state.pending(), state.isComplete()]).toEqual([[A], false]);
});

it('passes over what cannot be enqueued, and nothing else', () => {
  const state = createEnqueueState([{ from: 12, to: 300, records: 4 }]);
  state.skip({ from: 100, to: 150 });
  expect(state.pending().map(({ from, to }) => [from, to])).toEqual([
    [12, 100],
    [150, 300],
  ]);
});

it('gives up what is on its way, and hears no word of it any more', () => {
  const state = createEnqueueState();
  state.hold(A);
  state.giveUp();
  expect([state.pending(), state.settle(A, 'enqueued')]).toEqual([[A], false]);
});

it('what may be lacking is a copy: to change it changes nothing', () => {
  const state = createEnqueueState([{ ...A }]);
  for (const range of state.unsettled()) range.to = 1;
  expect(state.pending()).toEqual([A]);
});
