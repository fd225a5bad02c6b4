import { beforeEach, expect, it } from 'vitest';
import { keepTop, takeTop } from '../../pages/parts/kept-top.ts';

let kept: Map<string, string>;
const store = {
  getItem: (name: string) => kept.get(name) ?? null,
  setItem: (name: string, value: string) => void kept.set(name, value),
  removeItem: (name: string) => void kept.delete(name),
};

beforeEach(() => {
  kept = new Map();
});

it('gives back where a list was left, once', () => {
  keepTop(store, '/conversations?text="refund"', 1_240.4);
  expect(takeTop(store, '/conversations?text="refund"')).toBe(1_240);
  expect(takeTop(store, '/conversations?text="refund"')).toBe(0);
});

it('begins another list, or one with another filter, at its top', () => {
  keepTop(store, '/conversations?status=done', 900);
  expect(takeTop(store, '/conversations')).toBe(0);
  expect(kept.size).toBe(0);
});

it('forgets the list before when a list was left at its top', () => {
  keepTop(store, '/events', 900);
  keepTop(store, '/conversations', 0);
  expect(takeTop(store, '/events')).toBe(0);
});

it('does not stumble over what is no place', () => {
  kept.set('list-top', '{"a":');
  expect(takeTop(store, '/events')).toBe(0);
});
