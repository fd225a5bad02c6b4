import { expect, test } from 'vitest';
import { createNamedCalls } from '../../src/reconcile/named-calls.ts';

test('a message names the first calls, each once, and counts the others', () => {
  const calls = createNamedCalls(60);
  expect(calls.text()).toBeUndefined();
  calls.add('a', 'a 404');
  calls.add('a', 'another');
  calls.add('b', 'half \ud800 and \0');
  expect(calls.text()).toBe('a (a 404), b (half \ufffd and \ufffd)');
  for (let i = 0; i < 1_000; i += 1) calls.add(`c${i}`, 'x'.repeat(300));
  expect(calls.text()).toBe('a (a 404), b (half \ufffd and \ufffd), and 1000 more');
});

test('the beginning of the first one is named, however long it is', () => {
  const calls = createNamedCalls(30);
  calls.add('x'.repeat(256), 'a 404');
  expect(calls.text()).toBe(`${'x'.repeat(17)}…`);
  calls.add('b', 'a 404');
  expect(calls.text()).toBe(`${'x'.repeat(17)}…, and 1 more`);
});
