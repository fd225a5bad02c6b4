import { describe, expect, it } from 'vitest';
import { backoffMs } from '../../src/consume/backoff.ts';

const highest = () => 1;
const lowest = () => 0;

describe('backoffMs', () => {
  it('doubles from one second, up to five minutes', () => {
    expect([1, 2, 3, 4, 9, 10, 50].map((attempt) => backoffMs(attempt, highest))).toEqual([
      1000, 2000, 4000, 8000, 256_000, 300_000, 300_000,
    ]);
  });

  it('never waits less than half a second', () => {
    expect([1, 5, 50].map((attempt) => backoffMs(attempt, lowest))).toEqual([500, 500, 500]);
  });

  it('spreads what failed together', () => {
    const waits = new Set(Array.from({ length: 100 }, () => backoffMs(6)));
    expect(waits.size).toBeGreaterThan(50);
  });

  it.each([0, -1, NaN, Infinity, -Infinity, 1e308])('answers a wait for attempt %s as well', (attempt) => {
    const wait = backoffMs(attempt);
    expect(wait).toBeGreaterThanOrEqual(500);
    expect(wait).toBeLessThanOrEqual(300_000);
  });
});
