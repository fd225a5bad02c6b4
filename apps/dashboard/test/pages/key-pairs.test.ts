import { expect, it } from 'vitest';
import { counts, meaningOf, secondKeys } from '../../pages/keys/key-pairs.ts';

const bound = new Set(['j', 'o', 'esc', 'g o', 'g e']);

it('makes the first key of a pair wait for its second', () => {
  expect(meaningOf('g', '', bound)).toEqual({ waits: 'g' });
  expect(meaningOf('o', 'g', bound)).toEqual({ runs: 'g o' });
});

it('runs the key alone where it makes no pair', () => {
  expect(meaningOf('o', '', bound)).toEqual({ runs: 'o' });
  expect(meaningOf('j', 'g', bound)).toEqual({ runs: 'j' });
  expect(meaningOf('q', 'g', bound)).toBe('nothing');
});

it('takes back the first key by esc, and does nothing else', () => {
  expect(meaningOf('esc', 'g', bound)).toBe('nothing');
  expect(meaningOf('esc', '', bound)).toEqual({ runs: 'esc' });
});

it('tells which keys may be the second', () => {
  expect(secondKeys('g', bound)).toEqual(['o', 'e']);
  expect(secondKeys('j', bound)).toEqual([]);
});

it('lets a held key move, and do nothing else twice', () => {
  expect(['j', 'k', 'down', 'up'].map((key) => counts(key, true))).toEqual([true, true, true, true]);
  expect(['m', 'x', 'r', 'enter', 'g'].map((key) => counts(key, true))).toEqual([false, false, false, false, false]);
  expect(counts('m', false)).toBe(true);
});
