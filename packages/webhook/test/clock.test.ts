import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { CONVERSATION_STATUSES } from '../src/changes.ts';
import { AUTHORITY, cappedClock, earliestClock, latestClock, rankClock, type Authority } from '../src/clock.ts';
import { idempotencyKey } from '../src/idempotency-key.ts';

const authority = fc.constantFrom<Authority>('seen', 'configured', 'live', 'final');
const time = fc.integer({ min: 0, max: 2 ** 48 - 1 });
const id = fc.uint8Array().map(idempotencyKey);
const sign = (a: number | string, b: number | string) => (a < b ? -1 : a > b ? 1 : 0);

describe('a clock', () => {
  test('is 32 hex digits, so that Postgres can keep it as a uuid', () => {
    fc.assert(
      fc.property(authority, time, id, (a, t, i) => {
        expect(latestClock(a, t, i)).toMatch(/^[0-9a-f]{32}$/);
        expect(earliestClock(a, t, i)).toMatch(/^[0-9a-f]{32}$/);
      }),
    );
    expect(rankClock(5)).toBe(`05${'0'.repeat(30)}`);
  });

  test('orders by authority first, then by time, then by event', () => {
    fc.assert(
      fc.property(fc.tuple(authority, time, id), fc.tuple(authority, time, id), ([a, t, i], [b, u, j]) => {
        const rest = sign(AUTHORITY[a], AUTHORITY[b]);
        expect(sign(latestClock(a, t, i), latestClock(b, u, j))).toBe(rest || sign(t, u) || sign(i, j));
        expect(sign(earliestClock(a, t, i), earliestClock(b, u, j))).toBe(rest || sign(u, t) || sign(i, j));
      }),
    );
  });

  test('of two events at one time is never the same', () => {
    const one = idempotencyKey(Buffer.from('one'));
    const two = idempotencyKey(Buffer.from('two'));

    expect(latestClock('live', 5, one)).not.toBe(latestClock('live', 5, two));
    expect(latestClock('live', 5, one)).toBe(latestClock('live', 5, one));
  });

  test('keeps its time and event when its authority is capped', () => {
    fc.assert(
      fc.property(authority, authority, time, id, (most, a, t, i) => {
        const lower = AUTHORITY[a] < AUTHORITY[most] ? a : most;
        expect(cappedClock(most, latestClock(a, t, i))).toBe(latestClock(lower, t, i));
      }),
    );
  });

  test('of a status goes up with it, whenever and by whomever it is written', () => {
    const clocks = CONVERSATION_STATUSES.map((_, rank) => rankClock(rank));

    expect(clocks).toEqual(clocks.toSorted());
    expect(new Set(clocks).size).toBe(clocks.length);
  });
});
