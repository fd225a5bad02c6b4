import { expect, it } from 'vitest';
import { aloneIn } from '../../pages/parts/alone-in.ts';

it('a value between gaps is drawn as a dot, for no line leads to it', () => {
  expect(aloneIn([null, 3, null, 4, 5, null, undefined, 6])).toEqual([1, 7]);
  expect(aloneIn([1, 2, 3])).toEqual([]);
  expect(aloneIn([])).toEqual([]);
});
