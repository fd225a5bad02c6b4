import { expect, it, onTestFinished, vi } from 'vitest';
import { createClock } from '../src/clock.ts';
import { DiskFullError, errorOf, isOutOfSpace } from '../src/errors.ts';
import { inTime } from '../src/in-time.ts';
import { createReporter } from '../src/report-once.ts';
import { createTick } from '../src/tick.ts';
import { aClock } from './support/a-clock.ts';

/** Work that ends when the test says so. */
function slowWork(): { work: () => Promise<void>; started: () => number; end: () => void } {
  const ends: (() => void)[] = [];
  let started = 0;
  return {
    work: () => {
      started += 1;
      return new Promise((done) => ends.push(done));
    },
    started: () => started,
    end: () => ends.shift()?.(),
  };
}

it('a tick that is asked for while one is under way is that one', async () => {
  const { work, started, end } = slowWork();
  const tick = createTick(work);
  const both = [tick.run(), tick.run()];
  expect(started()).toBe(1);
  end();
  await Promise.all(both);
  const next = tick.run();
  expect(started()).toBe(2);
  end();
  await next;
});

it('a tick that must be a new one waits for the one under way', async () => {
  const { work, started, end } = slowWork();
  const tick = createTick(work);
  const first = tick.run();
  const anew = tick.runAnew();
  expect(started()).toBe(1);
  end();
  await first;
  await vi.waitUntil(() => started() === 2, { timeout: 20_000 });
  end();
  await anew;
});

it('nothing is left to settle before the first tick, and after the last', async () => {
  const { work, end } = slowWork();
  const tick = createTick(work);
  await tick.settled();
  const running = tick.run();
  let isSettled = false;
  const settling = tick.settled().then(() => (isSettled = true));
  await Promise.resolve();
  expect(isSettled).toBe(false);
  end();
  await Promise.all([running, settling]);
  expect(isSettled).toBe(true);
});

it('ticks come every second from the start on, until the stop', async () => {
  vi.useFakeTimers();
  onTestFinished(() => void vi.useRealTimers());
  let count = 0;
  const tick = createTick(async () => void count++);
  await vi.advanceTimersByTimeAsync(5000);
  expect(count).toBe(0);
  tick.start();
  await vi.advanceTimersByTimeAsync(3000);
  expect(count).toBe(3);
  tick.stop();
  await vi.advanceTimersByTimeAsync(3000);
  expect(count).toBe(3);
});

it('a tick that was stopped before its start never comes', async () => {
  vi.useFakeTimers();
  onTestFinished(() => void vi.useRealTimers());
  let count = 0;
  const tick = createTick(async () => void count++);
  tick.stop();
  tick.start();
  await vi.advanceTimersByTimeAsync(3000);
  expect(count).toBe(0);
});

it('work that hangs is waited for no longer than its limit, and work that fails rejects', async () => {
  await expect(inTime(new Promise(() => {}), 10)).resolves.toBeUndefined();
  await expect(inTime(Promise.reject(new Error('made up')), 10_000)).rejects.toThrow('made up');
  await expect(inTime(Promise.resolve('done'), 10_000)).resolves.toBeUndefined();
});

it('a repeated error is reported once an hour, another error at once, and a text as an error', () => {
  const { options, pass } = aClock();
  const reported: string[] = [];
  const report = createReporter(({ message }) => reported.push(message), createClock({ elapsed: options.elapsed }));
  for (const message of ['a', 'a', 'b', 'a']) report(new Error(message));
  expect(reported).toEqual(['a', 'b']);
  pass(3_599_999);
  report(new Error('a'));
  expect(reported).toHaveLength(2);
  pass(1);
  report(new Error('a'));
  report('a text');
  expect(reported).toEqual(['a', 'b', 'a', 'a text']);
});

it('a full disk is distinguished from a failing one', () => {
  const quota = Object.assign(new Error('quota'), { code: 'EDQUOT' });
  const fails = Object.assign(new Error('input'), { code: 'EIO' });
  expect([new DiskFullError('full'), quota, fails, new Error('x'), 'ENOSPC', undefined].map(isOutOfSpace)).toEqual([
    true,
    true,
    false,
    false,
    false,
    false,
  ]);
  expect(errorOf(fails)).toBe(fails);
});
