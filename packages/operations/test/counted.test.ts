import { expect, test } from 'vitest';
import { counted } from '../src/counted.ts';
import { describeErasure } from '../src/erase/counts.ts';

test.each([
  [0, 'body', '0 bodies'],
  [1, 'body', '1 body'],
  [2, 'day', '2 days'],
  [1, 'recording', '1 recording'],
  [2, 'tool call', '2 tool calls'],
])('of %i and %s it says: %s', (count, noun, words) => {
  expect(counted(count, noun)).toBe(words);
});

test('one of a kind is told as one', () => {
  const counts = { conversations: 1, bodies: 2, files_left: 1, operations: 1, messages: 0, journal_until: 'soon' };
  expect(describeErasure(counts)).toBe(
    '1 conversation, 2 bodies, 1 file that could not be removed so far, 1 filter of operations',
  );
});
