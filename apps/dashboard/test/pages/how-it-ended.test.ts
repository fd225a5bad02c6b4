import { expect, it } from 'vitest';
import { howItEnded } from '../../pages/operations/how-it-ended.ts';

it.each([
  [{ done: 3, failed: 0 }, 'good'],
  [{ done: 2, failed: 1 }, 'warn'],
  [{ done: 0, failed: 3 }, 'bad'],
  // Nothing matched.
  [{ done: 0, failed: 0 }, 'good'],
])('an operation that is done with %j is shown as %s', (counts, tone) => {
  expect(howItEnded(counts).tone).toBe(tone);
});
