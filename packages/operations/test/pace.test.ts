import { expect, test } from 'vitest';
import { createPace } from '../src/pace.ts';

const NEVER = new AbortController().signal;
const WITHIN = { timeout: 20_000 };

async function secondsOf(work: () => Promise<void>): Promise<number> {
  const startedAt = performance.now();
  await work();
  return (performance.now() - startedAt) / 1000;
}

/** Works for 50 ms behind each of six waits of 100 ms. Answers the seconds of it all. */
async function sixTimes(): Promise<number> {
  const pace = createPace(100);
  const seconds = await secondsOf(async () => {
    for (let i = 0; i < 6; i++) {
      await pace.take(10, NEVER);
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  });
  expect(seconds).toBeGreaterThanOrEqual(0.59);
  return seconds;
}

test('work waits first, so a rate holds also where it begins again and again', async () => {
  const seconds = await secondsOf(async () => {
    for (let i = 0; i < 5; i++) await createPace(100).take(10, NEVER);
  });
  expect(seconds).toBeGreaterThanOrEqual(0.49);
});

test('time that the work itself takes is no part of the wait', async () => {
  // Six times 100 ms and the last work; 50 ms more each time would be 0.9 s. A machine that stalls adds to it, but not each time.
  await expect.poll(sixTimes, WITHIN).toBeLessThan(0.85);
});

test('an outage is not made up for', async () => {
  const pace = createPace(100);
  await pace.take(1, NEVER);
  await new Promise((resolve) => setTimeout(resolve, 1_000));
  const seconds = await secondsOf(async () => {
    for (let i = 0; i < 10; i++) await pace.take(10, NEVER);
  });
  expect(seconds).toBeGreaterThanOrEqual(0.49);
});

test('without a rate nothing waits', async () => {
  await expect.poll(() => secondsOf(() => createPace(null).take(1e9, NEVER)), WITHIN).toBeLessThan(0.1);
});

test('a wait ends with its signal', async () => {
  const stop = new AbortController();
  const waiting = createPace(1).take(1_000, stop.signal);
  stop.abort(new Error('enough'));
  await expect(waiting).rejects.toThrow('enough');
});
