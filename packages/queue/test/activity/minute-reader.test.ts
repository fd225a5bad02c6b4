import { expect, test } from 'vitest';
import { noCounts } from '../../src/activity/activity-counts.ts';
import { createMinuteReader } from '../../src/activity/minute-reader.ts';

const MINUTE = 60_000;
/** 2026-01-01T12:00:00Z */
const NOON = 1_767_268_800_000;
const ago = (minutes: number) => NOON - minutes * MINUTE;

test('a settled minute is read again after half a minute, and one that may still change each time', async () => {
  let elapsed = 0;
  const asked: number[] = [];
  const reader = createMinuteReader(
    (starts) => {
      asked.push(...starts);
      return Promise.resolve(starts.map((at) => ({ ...noCounts(), accepted: at })));
    },
    () => NOON,
    () => elapsed,
  );
  /** Reads ten minutes, and returns which of them were asked for, in minutes before noon. */
  const read = async () => {
    asked.length = 0;
    const found = await reader.read(ago(10), NOON);
    expect(found.map(({ at, accepted }) => [at, accepted])).toEqual(
      [10, 9, 8, 7, 6, 5, 4, 3, 2, 1].map((minutes) => [ago(minutes), ago(minutes)]),
    );
    return asked.map((at) => (NOON - at) / MINUTE);
  };
  expect(await read()).toEqual([10, 9, 8, 7, 6, 5, 4, 3, 2, 1]);
  // A minute is settled when it ended more than five minutes ago.
  expect(await read()).toEqual([6, 5, 4, 3, 2, 1]);
  elapsed = 29_999;
  expect(await read()).toEqual([6, 5, 4, 3, 2, 1]);
  elapsed = 30_000;
  expect(await read()).toEqual([10, 9, 8, 7, 6, 5, 4, 3, 2, 1]);
});

test('a day is read in parts', async () => {
  const parts: number[] = [];
  const reader = createMinuteReader(
    (starts) => {
      parts.push(starts.length);
      return Promise.resolve(starts.map(() => noCounts()));
    },
    () => NOON,
  );
  expect(await reader.read(NOON - 1440 * MINUTE, NOON)).toHaveLength(1440);
  expect(parts).toEqual([240, 240, 240, 240, 240, 240]);
});
