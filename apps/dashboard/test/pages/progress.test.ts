import { describe, expect, it } from 'vitest';
import {
  leftText,
  rateOf,
  secondsLeft,
  shareOf,
  withSample,
  type Counted,
  type Sample,
} from '../../pages/operations/progress.ts';
import { perMinute } from '../../pages/overview/per-minute.ts';

const RUNNING: Counted = {
  status: 'running',
  total: 1_000,
  done: 390,
  failed: 10,
  started_at: '2026-11-29T12:00:00.000Z',
  updated_at: '2026-11-29T12:00:20.000Z',
  finished_at: null,
};

function samplesOf(...throughs: number[]): readonly Sample[] {
  return throughs.reduce<readonly Sample[]>((all, through, n) => withSample(all, { at: n * 1_000, through }), []);
}

describe('rate and time left', () => {
  it('are those of the last ten seconds', () => {
    const samples = samplesOf(0, 0, 0, 0, 0, 0, 50, 100, 150, 200, 250, 300, 350, 400, 450, 500);
    const rate = rateOf(RUNNING, samples);
    expect(rate).toBe(50);
    expect(secondsLeft(RUNNING, rate)).toBe(12);
  });

  it('are those of the whole run where it has just been opened', () => {
    expect(rateOf(RUNNING, samplesOf(400))).toBe(20);
  });

  it('begin anew where the count goes back', () => {
    expect(withSample(samplesOf(100, 200), { at: 2_000, through: 0 })).toEqual([{ at: 2_000, through: 0 }]);
  });

  it('are not told of one that has not started, nor of one whose total nobody knows', () => {
    expect(rateOf({ ...RUNNING, status: 'planned', started_at: null }, [])).toBeNull();
    expect(secondsLeft({ ...RUNNING, total: null }, 20)).toBeNull();
    expect(secondsLeft(RUNNING, 0)).toBeNull();
  });

  it('of one that has ended is its rate over all', () => {
    const done = { ...RUNNING, status: 'done', done: 1_000, failed: 0, finished_at: '2026-11-29T12:00:50.000Z' };
    expect(rateOf(done, samplesOf(900, 1_000))).toBe(20);
  });
});

it('the share counts failed ones as through, and is full when it is done', () => {
  expect(shareOf(RUNNING)).toBe(0.4);
  expect(shareOf({ ...RUNNING, total: null })).toBeNull();
  expect(shareOf({ ...RUNNING, total: 0, done: 0, failed: 0 })).toBe(0);
  expect(shareOf({ ...RUNNING, status: 'done', total: 0 })).toBe(1);
});

it.each([
  [0.4, 'about to end'],
  [7.2, '8 s left'],
  [41, '45 s left'],
  [61, '2 min left'],
  [3_700, '1 h 2 min left'],
])('%d seconds left are told as %s', (seconds, text) => {
  expect(leftText(seconds)).toBe(text);
});

it.each([
  [0, 60, '0'],
  [28_080, 60, '468'],
  [90, 60, '1.5'],
  [1, 1_440, '<0.1'],
  [2, 1, '2'],
  [60, 60, '1.0'],
  [1_234_000, 1, '1,234,000'],
])('%i in %i minutes are %s a minute', (count, minutes, text) => {
  expect(perMinute(count, minutes)).toBe(text);
});
