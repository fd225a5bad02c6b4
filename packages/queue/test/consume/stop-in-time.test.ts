import { expect, it } from 'vitest';
import { stopInTime } from '../../src/consume/stop-in-time.ts';

/** Jobs that end when they are handed back, or never; `steps` is what happened to them. */
function someJobs(count: number, { goBack = false } = {}) {
  const steps: string[] = [];
  let left = count;
  let stopped!: () => void;
  const stop = () => {
    steps.push('stop');
    return new Promise<void>((resolve) => (stopped = resolve));
  };
  const end = () => {
    left = 0;
    stopped();
  };
  const jobs = {
    count: () => left,
    handBackAll() {
      steps.push('hand back');
      if (goBack) end();
    },
  };
  return { stop, jobs, steps, end };
}

async function msOf(promise: Promise<unknown>): Promise<number> {
  const begun = performance.now();
  await promise;
  return performance.now() - begun;
}

it('is done as soon as no job runs, and hands nothing back before', async () => {
  const { stop, jobs, steps, end } = someJobs(2);
  const stopping = stopInTime({ stop, jobs, timeoutMs: 60_000 });
  expect(steps).toEqual(['stop']);
  end();
  expect(await msOf(stopping)).toBeLessThan(30_000);
  // What begins afterwards goes back too.
  expect(steps).toEqual(['stop', 'hand back']);
});

it('hands the jobs back shortly before the limit, and waits until they are back', async () => {
  const { stop, jobs, steps } = someJobs(1, { goBack: true });
  const took = await msOf(stopInTime({ stop, jobs, timeoutMs: 600 }));
  expect(steps).toEqual(['stop', 'hand back']);
  // Half of a short limit is for the way back.
  expect(took).toBeGreaterThan(290);
});

it('ends at the limit where a job does not go back', async () => {
  const { stop, jobs, steps } = someJobs(1);
  const took = await msOf(stopInTime({ stop, jobs, timeoutMs: 400 }));
  expect(steps).toEqual(['stop', 'hand back']);
  expect(took).toBeGreaterThan(390);
});

it('does not wait for the whole limit where there is no job, and Redis does not let go', async () => {
  const { stop, jobs } = someJobs(0);
  // A minute is the limit: that is not waited for.
  expect(await msOf(stopInTime({ stop, jobs, timeoutMs: 60_000 }))).toBeLessThan(30_000);
});

const fails = () => Promise.reject(new Error('Redis is away'));

it('ends where stopping fails', async () => {
  const { jobs } = someJobs(1);
  await expect(stopInTime({ stop: fails, jobs, timeoutMs: 200 })).resolves.toBeUndefined();
});
