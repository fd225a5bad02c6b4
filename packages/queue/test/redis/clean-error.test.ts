import { inspect } from 'node:util';
import { expect, it } from 'vitest';
import { cleanError } from '../../src/redis/clean-error.ts';

it('takes away the command, whose arguments are bodies and passwords, and keeps the error', () => {
  const error = Object.assign(new Error('OOM'), { command: { name: 'set', args: ['secret'] }, code: 'X' });
  expect(cleanError(error)).toBe(error);
  expect(inspect(error)).not.toContain('secret');
  expect(error.code).toBe('X');
});

it.each([
  ['undefined', undefined, 'Thrown, but not an Error: undefined'],
  ['an object', { deep: { secret: 1 } }, 'Thrown, but not an Error: { deep: [Object] }'],
  [
    'a refused connection, which has a code only',
    Object.assign(new Error(''), { code: 'ECONNREFUSED' }),
    'ECONNREFUSED',
  ],
  ['an error with nothing', new TypeError(''), 'TypeError'],
])('gives a message to %s', (_, thrown: unknown, message) => {
  expect(cleanError(thrown).message).toBe(message);
});

it('does not repeat a long text', () => {
  expect(cleanError('x'.repeat(10_000)).message.length).toBeLessThan(300);
});
