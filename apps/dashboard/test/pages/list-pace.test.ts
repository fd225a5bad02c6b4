import { expect, it } from 'vitest';
import { paceAfterScroll } from '../../pages/parts/list-pace.ts';

it('pauses where one scrolls away, and follows again where one scrolls back', () => {
  expect(paceAfterScroll('follows', { top: 40, isHeld: false })).toBe('paused by scrolling');
  expect(paceAfterScroll('paused by scrolling', { top: 80, isHeld: false })).toBe('paused by scrolling');
  expect(paceAfterScroll('paused by scrolling', { top: 0, isHeld: false })).toBe('follows');
});

it('stays paused at the top where keys, a selection or the button have paused it', () => {
  expect(paceAfterScroll('paused by hand', { top: 40, isHeld: false })).toBe('paused by hand');
  expect(paceAfterScroll('paused by hand', { top: 0, isHeld: false })).toBe('paused by hand');
});

it('stays paused at the top while an item is open or selected', () => {
  expect(paceAfterScroll('paused by scrolling', { top: 0, isHeld: true })).toBe('paused by scrolling');
});

it('goes on where it follows and is at the top', () => {
  expect(paceAfterScroll('follows', { top: 0, isHeld: true })).toBe('follows');
});
