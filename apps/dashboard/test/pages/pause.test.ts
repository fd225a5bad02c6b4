import { describe, expect, it } from 'vitest';
import { pauseAfter, readRetryAfter, type Pace } from '../../pages/api/pause.ts';

/** The pauses after one, two, three ... faults of the same kind. */
function pauses(fault: { status: number; retryAfterMs?: number }, given: Partial<Pace>, count = 5) {
  return Array.from({ length: count }, (_, n) =>
    pauseAfter({ retryAfterMs: undefined, ...fault }, { everyMs: 1_000, isSteady: false, ...given, faults: n + 1 }),
  );
}

describe('pauseAfter', () => {
  it('doubles with each fault, up to 15 seconds', () => {
    expect(pauses({ status: 500 }, {})).toEqual([2_000, 4_000, 8_000, 15_000, 15_000]);
    expect(pauses({ status: 0 }, { everyMs: 5_000 }, 3)).toEqual([10_000, 15_000, 15_000]);
  });

  it('never asks sooner than without a fault', () => {
    expect(pauses({ status: 500 }, { everyMs: 60_000 }, 2)).toEqual([60_000, 60_000]);
  });

  it('waits as long as the answer asks', () => {
    expect(pauses({ status: 429, retryAfterMs: 30_000 }, {}, 2)).toEqual([30_000, 30_000]);
    expect(pauses({ status: 503, retryAfterMs: 5_000 }, {}, 4)).toEqual([5_000, 5_000, 8_000, 15_000]);
  });

  it('keeps a steady pace while a server is away, and only then', () => {
    expect(pauses({ status: 0 }, { isSteady: true }, 2)).toEqual([1_000, 1_000]);
    expect(pauses({ status: 503, retryAfterMs: 5_000 }, { isSteady: true }, 2)).toEqual([1_000, 1_000]);
    expect(pauses({ status: 429, retryAfterMs: 5_000 }, { isSteady: true }, 1)).toEqual([5_000]);
  });

  it('asks some times for what is not there, and then no more', () => {
    expect(pauses({ status: 404 }, {})).toEqual([2_000, 4_000, 8_000, undefined, undefined]);
  });

  it('does not ask again for what cannot be had, nor for what is read once', () => {
    expect(pauses({ status: 400 }, {}, 1)).toEqual([undefined]);
    expect(pauses({ status: 410 }, {}, 1)).toEqual([undefined]);
    expect(pauses({ status: 503 }, { everyMs: 0 }, 1)).toEqual([undefined]);
  });
});

describe('readRetryAfter', () => {
  const now = Date.UTC(2026, 0, 31, 12, 0, 0);

  it('reads seconds and dates', () => {
    expect(readRetryAfter('5', now)).toBe(5_000);
    expect(readRetryAfter('Sat, 31 Jan 2026 12:00:30 GMT', now)).toBe(30_000);
    expect(readRetryAfter('Sat, 31 Jan 2026 11:00:00 GMT', now)).toBe(0);
  });

  it('reads nothing where there is nothing to read', () => {
    expect([null, '', 'soon'].map((header) => readRetryAfter(header, now))).toEqual([undefined, undefined, undefined]);
  });

  it('waits an hour at most', () => {
    expect(readRetryAfter('86400', now)).toBe(3_600_000);
  });
});
