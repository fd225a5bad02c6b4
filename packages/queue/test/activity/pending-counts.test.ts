import { describe, expect, it } from 'vitest';
import { createPendingCounts } from '../../src/activity/pending-counts.ts';

/** 2026-01-01T00:00:00Z */
const MIDNIGHT = 1_767_225_600_000;
const HOUR = 3_600_000;

/** Pending counts with a clock that a test sets. */
function aPending(at: number) {
  const clock = { at };
  return { clock, pending: createPendingCounts(() => clock.at) };
}

/** The starts and accepted counts of what is taken, oldest first. */
function accepted(pending: ReturnType<typeof createPendingCounts>) {
  const { minutes = [], slots = [] } = pending.take() ?? {};
  const read = (all: typeof minutes) =>
    all.map(([at, counts]) => [at - MIDNIGHT, counts.accepted]).toSorted(([a = 0], [b = 0]) => a - b);
  return { minutes: read(minutes), slots: read(slots) };
}

describe('counts that Redis does not have yet', () => {
  it('belong to the minute and the slot in which they were counted, however late they are taken', () => {
    const { clock, pending } = aPending(MIDNIGHT + 59_999);
    pending.count('accepted', 1);
    clock.at = MIDNIGHT + 60_000;
    pending.count('accepted', 2);
    clock.at = MIDNIGHT + 64_999;
    pending.count('accepted', 3);
    clock.at = MIDNIGHT + 65_000;
    pending.count('accepted', 4);
    clock.at = MIDNIGHT + 121_000;
    expect(accepted(pending)).toEqual({
      minutes: [
        [0, 1],
        [60_000, 9],
      ],
      slots: [
        [55_000, 1],
        [60_000, 5],
        [65_000, 4],
      ],
    });
    expect(pending.take()).toBeUndefined();
  });

  it('keep the times from receipt to row in buckets', () => {
    const { pending } = aPending(MIDNIGHT);
    for (const ms of [0, 5, 6, 3_600_001]) pending.observeReceiptToRow(ms);
    const [[, counts] = []] = pending.take()?.minutes ?? [];
    expect(counts?.receiptToRow).toEqual([2, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1]);
  });

  it('are one entry for each minute of 25 hours at most, however long nobody takes them', () => {
    const { clock, pending } = aPending(MIDNIGHT);
    for (let second = 0; second < 30 * 3600; second += 5) {
      clock.at = MIDNIGHT + second * 1000;
      pending.count('accepted', 1);
    }
    clock.at = MIDNIGHT + 30 * HOUR;
    const first = pending.take();
    // The newest hour comes first, and of the slots the last three minutes.
    expect(first?.minutes).toHaveLength(60);
    expect(first?.minutes[0]?.[0]).toBe(MIDNIGHT + 30 * HOUR - 60_000);
    expect(first?.slots.map(([at]) => at - MIDNIGHT - 30 * HOUR)).toEqual(
      Array.from({ length: 36 }, (_, i) => -5000 * (i + 1)),
    );
    let minutes = 60;
    for (let more = pending.take(); more !== undefined; more = pending.take()) minutes += more.minutes.length;
    expect(minutes).toBe(1500);
  });

  it('go to the time that the clock shows, also where it was set back', () => {
    const { clock, pending } = aPending(MIDNIGHT + HOUR);
    pending.count('accepted', 1);
    clock.at = MIDNIGHT;
    pending.count('accepted', 2);
    expect(accepted(pending).minutes).toEqual([
      [0, 2],
      [HOUR, 1],
    ]);
  });
});
