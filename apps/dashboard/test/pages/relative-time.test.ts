import { expect, it } from 'vitest';
import { bytesText, durationText, relativeTime } from '../../pages/parts/relative-time.ts';

const NOW = Date.UTC(2026, 10, 29, 12);

it.each([
  [0, 'now'],
  [999, 'now'],
  [4_000, '4 s ago'],
  [59_999, '59 s ago'],
  [60_000, '1 min ago'],
  [3_599_000, '59 min ago'],
  [7_200_000, '2 h ago'],
  [3 * 86_400_000, '3 d ago'],
  [9 * 86_400_000, '20 Nov'],
  [400 * 86_400_000, '25 Oct 2025'],
  [-20_000, 'now'],
  [-180_000, 'in 3 min'],
])('%i ms before is %s', (ago, text) => {
  expect(relativeTime(NOW - ago, NOW)).toBe(text);
});

it.each([
  [0.44, '0.4 s'],
  [12, '12 s'],
  [59.6, '1 min 00 s'],
  [247, '4 min 07 s'],
  [3_599.6, '1 h 00 min'],
  [3_780, '1 h 03 min'],
  [187_200, '2 d 4 h'],
])('%d seconds are %s', (seconds, text) => {
  expect(durationText(seconds)).toBe(text);
});

it.each([
  [0, '0 B'],
  [980, '980 B'],
  [1_234, '1.2 kB'],
  [9_960, '10 kB'],
  [999_600, '1.0 MB'],
  [40_000_000, '40 MB'],
])('%i bytes are %s', (bytes, text) => {
  expect(bytesText(bytes)).toBe(text);
});
