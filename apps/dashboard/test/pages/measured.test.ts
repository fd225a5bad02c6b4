import { expect, it } from 'vitest';
import { tickText } from '../../pages/parts/measured.ts';

it.each([
  [250, '250 ms'],
  [2_500, '2.5 s'],
  [30_000, '30 s'],
  [60_000, '1 min'],
  [90_000, '1.5 min'],
  [1_800_000, '30 min'],
  [5_400_000, '1.5 h'],
])('%i ms beside an axis are %s, which is short enough for it', (ms, text) => {
  expect(tickText(ms, 'ms')).toBe(text);
});
