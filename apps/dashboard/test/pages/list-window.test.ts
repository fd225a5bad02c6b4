import { expect, it } from 'vitest';
import { listWindow, scrollToShow } from '../../pages/parts/list-window.ts';

it('draws what is seen of 10,000 rows, and ten more on both sides', () => {
  expect(listWindow(36_000, 720, { count: 10_000, height: 36 })).toEqual({ from: 990, to: 1_030 });
  expect(listWindow(0, 720, { count: 10_000, height: 36 })).toEqual({ from: 0, to: 30 });
  expect(listWindow(36_000, 720, { count: 5, height: 36 })).toEqual({ from: 5, to: 5 });
});

it('scrolls just so far that a row is seen whole', () => {
  const view = { top: 360, height: 360 };
  expect(scrollToShow(12, view, 36)).toBeUndefined();
  expect(scrollToShow(3, view, 36)).toBe(108);
  expect(scrollToShow(20, view, 36)).toBe(396);
});
