import { once } from 'node:events';
import { expect, it } from 'vitest';
import { createJobsInHand } from '../../src/consume/jobs-in-hand.ts';
import { waitUntil } from '../support/wait-until.ts';

const nothing = () => Promise.resolve();

/** Work that ends when the test says so, and the signal that it got. */
function byHand() {
  const release = new AbortController();
  const signals: AbortSignal[] = [];
  const work = async (signal: AbortSignal) => {
    signals.push(signal);
    await once(release.signal, 'abort');
  };
  return { work, end: () => release.abort(), isToGoBack: () => signals.some(({ aborted }) => aborted) };
}

it('counts a job from its begin to its end, also when its work fails', async () => {
  const jobs = createJobsInHand();
  const one = byHand();
  const running = jobs.run('1', one.work);
  expect(jobs.count()).toBe(1);
  await expect(jobs.run('2', () => Promise.reject(new Error('no')))).rejects.toThrow('no');
  expect(jobs.count()).toBe(1);
  one.end();
  await running;
  expect(jobs.count()).toBe(0);
});

it('hands back the jobs whose locks are lost, and no others', async () => {
  const jobs = createJobsInHand();
  const [lost, kept, nameless] = [byHand(), byHand(), byHand()];
  const running = [jobs.run('1', lost.work), jobs.run('2', kept.work), jobs.run(undefined, nameless.work)];
  expect(jobs.lockLostAt()).toBeUndefined();
  jobs.loseLocks(['1', 'of another consumer', 'undefined']);
  expect([lost, kept, nameless].map((job) => job.isToGoBack())).toEqual([true, false, false]);
  expect(jobs.lockLostAt()).toEqual(expect.any(Number));
  for (const job of [lost, kept, nameless]) job.end();
  await Promise.all(running);
});

it('says since when the first of the lost locks is lost, and forgets a job that has ended', async () => {
  const jobs = createJobsInHand();
  const [first, second] = [byHand(), byHand()];
  const running = [jobs.run('1', first.work), jobs.run('2', second.work)];
  jobs.loseLocks(['1']);
  const firstLostAt = jobs.lockLostAt() ?? NaN;
  await waitUntil(() => Date.now() > firstLostAt);
  // BullMQ names a lost lock again at each renewal that fails.
  jobs.loseLocks(['1', '2']);
  expect(jobs.lockLostAt()).toBe(firstLostAt);
  first.end();
  await running[0];
  expect(jobs.lockLostAt()).toBeGreaterThan(firstLostAt);
  second.end();
  await running[1];
  expect(jobs.lockLostAt()).toBeUndefined();
});

it('hands back all jobs, and those that begin afterwards', async () => {
  const jobs = createJobsInHand();
  const [before, after] = [byHand(), byHand()];
  const running = [jobs.run('1', before.work)];
  expect(before.isToGoBack()).toBe(false);
  jobs.handBackAll();
  running.push(jobs.run('2', after.work));
  expect([before.isToGoBack(), after.isToGoBack()]).toEqual([true, true]);
  before.end();
  after.end();
  await Promise.all(running);
});

it('notes when a job last moved: at its begin, at its end, and when the consumer goes on', async () => {
  const jobs = createJobsInHand();
  const job = byHand();
  const moves: number[] = [jobs.lastMovedAt()];
  const next = async (move: () => unknown) => {
    await waitUntil(() => Date.now() > (moves.at(-1) ?? Infinity));
    await move();
    moves.push(jobs.lastMovedAt());
  };
  let running = nothing();
  await next(() => void (running = jobs.run('1', job.work)));
  await next(() => {
    job.end();
    return running;
  });
  await next(() => jobs.touch());
  expect(new Set(moves).size).toBe(4);
  expect(moves).toEqual(moves.toSorted((a, b) => a - b));
});
