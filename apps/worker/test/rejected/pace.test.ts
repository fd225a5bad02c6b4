import { expect, it, vi } from 'vitest';
import { createPace } from '../../src/rejected/pace.ts';

const alive = new AbortController().signal;

it('runs one at a time, in order, and goes on after one that fails', async () => {
  const pace = createPace();
  const running: string[] = [];
  let most = 0;
  let under = 0;
  const work = (name: string) => async () => {
    most = Math.max(most, ++under);
    await new Promise(setImmediate);
    under--;
    running.push(name);
    if (name === 'b') throw new Error('b failed');
  };
  const all = ['a', 'b', 'c'].map((name) => pace.run(work(name), alive));
  expect((await Promise.allSettled(all)).map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled']);
  expect(running).toEqual(['a', 'b', 'c']);
  expect(most).toBe(1);
});

it('rests nine times as long as the work took', async () => {
  const pace = createPace();
  await pace.run(async (spent) => spent(20), alive);
  const startedAt = performance.now();
  await pace.run(async () => undefined, alive);
  expect(performance.now() - startedAt).toBeGreaterThan(170);
});

it('gives a rest up when it is asked to leave', async () => {
  const pace = createPace();
  await pace.run(async (spent) => spent(10_000), alive);
  const leaving = new AbortController();
  const work = vi.fn<() => Promise<void>>();
  const waiting = pace.run(work, leaving.signal);
  await new Promise(setImmediate);
  leaving.abort(new Error('leaving'));
  await expect(waiting).rejects.toThrow('aborted');
  await expect(pace.run(work, leaving.signal)).rejects.toThrow('leaving');
  expect(work).not.toHaveBeenCalled();
});
