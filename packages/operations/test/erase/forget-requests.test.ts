import { expect, test } from 'vitest';
import { namesInFilter } from '../../src/erase/forget-requests.ts';

const names = namesInFilter({ conversations: ['conv_1'], users: ['u1', 'user-4711'], numbers: ['+12025550147'] });

test.each<[Record<string, string>, boolean]>([
  [{ user: 'u1' }, true],
  [{ conversation: 'conv_1' }, true],
  [{ by: 'number', subject: '+12025550147' }, true],
  [{ number: 'sip:+1-202-555-0147@example.com' }, true],
  [{ text: 'as user-4711 said' }, true],
  [{ text: 'u1 is too short to be looked for in a text' }, false],
  [{ error: 'as user-4711 said' }, false],
  [{ user: 'u12', conversation: 'conv_2' }, false],
  [{}, false],
])('a filter names a person, or does not: %j', (filter, isNamed) => {
  expect(names(filter)).toBe(isNamed);
});
