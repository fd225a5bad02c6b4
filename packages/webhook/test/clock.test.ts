import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { CONVERSATION_STATUSES } from '../src/changes.ts';
import {
  AUTHORITY,
  cappedClock,
  earliestClock,
  latestClock,
  rankClock,
  rankedLatestClock,
  type Authority,
} from '../src/clock.ts';
import { idempotencyKey } from '../src/idempotency-key.ts';

const authority = fc.constantFrom<Authority>('seen', 'configured', 'live', 'final');
const time = fc.integer({ min: 0, max: 2 ** 48 - 1 });
const by = fc.record({ id: fc.uint8Array().map(idempotencyKey), receivedAt: time });
const received = { receivedAt: 9 };
const sign = (a: number | string, b: number | string) => (a < b ? -1 : a > b ? 1 : 0);

describe('a clock', () => {
  test('is 32 hex digits, so that Postgres can keep it as a uuid', () => {
    fc.assert(
      fc.property(authority, time, by, (a, t, i) => {
        expect(latestClock(a, t, i)).toMatch(/^[0-9a-f]{32}$/);
        expect(earliestClock(a, t, i)).toMatch(/^[0-9a-f]{32}$/);
      }),
    );
    expect(rankClock(5)).toBe(`05${'0'.repeat(30)}`);
  });

  test('orders by authority first, then by time', () => {
    fc.assert(
      fc.property(fc.tuple(authority, time, by), fc.tuple(authority, time, by), ([a, t, i], [b, u, j]) => {
        fc.pre(t !== u);
        const rest = sign(AUTHORITY[a], AUTHORITY[b]);
        expect(sign(latestClock(a, t, i), latestClock(b, u, j))).toBe(rest || sign(t, u));
        expect(sign(earliestClock(a, t, i), earliestClock(b, u, j))).toBe(rest || sign(u, t));
      }),
    );
  });

  test('orders what happened at one time by its receipt, and what was received at one time by its event', () => {
    const YEARS = 10 * 365 * 86_400_000;
    const near = fc.tuple(fc.integer({ min: -YEARS, max: YEARS }), fc.uint8Array().map(idempotencyKey));
    fc.assert(
      fc.property(fc.integer({ min: 2 * YEARS, max: 2 ** 48 - 1 }), near, near, (t, [i, one], [j, two]) => {
        const written = (id: string, after: number) => latestClock('live', t, { id, receivedAt: t + after });
        expect(sign(written(one, i), written(two, j))).toBe(sign(i, j) || sign(one.slice(0, 8), two.slice(0, 8)));
      }),
    );
  });

  test('holds however far the receipt is from the time', () => {
    const id = idempotencyKey(Buffer.from('one'));
    const written = (receivedAt: number) => latestClock('live', 2 ** 47, { id, receivedAt });
    const clocks = [0, 2 ** 47 - 1, 2 ** 47, 2 ** 47 + 1, 2 ** 48].map(written);
    expect(clocks).toEqual(clocks.toSorted());
    for (const clock of clocks) expect(clock).toMatch(/^[0-9a-f]{32}$/);
  });

  test('of two events at one time is never the same', () => {
    const one = { ...received, id: idempotencyKey(Buffer.from('one')) };
    const two = { ...received, id: idempotencyKey(Buffer.from('two')) };

    expect(latestClock('live', 5, one)).not.toBe(latestClock('live', 5, two));
    expect(latestClock('live', 5, one)).toBe(latestClock('live', 5, one));
  });

  test('keeps its time and event when its authority is capped', () => {
    fc.assert(
      fc.property(authority, authority, time, by, (most, a, t, i) => {
        const lower = AUTHORITY[a] < AUTHORITY[most] ? a : most;
        expect(cappedClock(most, latestClock(a, t, i))).toBe(latestClock(lower, t, i));
      }),
    );
  });

  test('of what was fetched is below that of every webhook of the same time, and above those of earlier times', () => {
    const HOUR = 3_600_000;
    const at = Date.UTC(2026, 10, 1);
    const clockOf = (name: string, after: number, isFetched: boolean, eventAt = at) =>
      latestClock('final', eventAt, { id: idempotencyKey(name), receivedAt: at + after, isFetched });
    const inOrder = [
      clockOf('a webhook of a second before', 50 * HOUR, false, at - 1000),
      clockOf('fetched before the end, by a clock that is behind', -HOUR, true),
      clockOf('fetched an hour later', HOUR, true),
      clockOf('fetched a year later', 365 * 24 * HOUR, true),
      clockOf('fetched nine years later', 9 * 365 * 24 * HOUR, true),
      clockOf('a webhook, by a clock that is years behind', -5 * 365 * 24 * HOUR, false),
      clockOf('a webhook at once', 5, false),
      clockOf('a webhook an hour later', HOUR, false),
      clockOf('fetched, of a second later', HOUR, true, at + 1000),
    ];
    expect(inOrder).toEqual(inOrder.toSorted());
    expect(new Set(inOrder).size).toBe(inOrder.length);
    const earliest = (isFetched: boolean) => earliestClock('final', at, { ...received, id: 'x', isFetched });
    expect(earliest(true) < earliest(false)).toBe(true);
  });

  test('of a status goes up with it, whenever and by whomever it is written', () => {
    const clocks = CONVERSATION_STATUSES.map((_, rank) => rankClock(rank));

    expect(clocks).toEqual(clocks.toSorted());
    expect(new Set(clocks).size).toBe(clocks.length);
  });
  test('of a final status is above every status that only goes up, and among them the later stands', () => {
    const writer = { ...received, id: idempotencyKey(Buffer.from('one')) };
    const highest = rankClock(CONVERSATION_STATUSES.length - 1);
    expect(rankedLatestClock(CONVERSATION_STATUSES.length, 0, writer) > highest).toBe(true);
    expect(rankedLatestClock(6, 5, writer) > rankedLatestClock(6, 4, writer)).toBe(true);
  });
});
