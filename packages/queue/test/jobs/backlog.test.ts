import { expect, inject, it, onTestFinished, vi } from 'vitest';
import { QueueUnavailableError } from '../../src/errors.ts';
import { openBacklog } from '../../src/jobs/backlog.ts';
import { jobName } from '../../src/jobs/job-name.ts';
import { EVENT_JOB_OPTIONS } from '../../src/jobs/job-options.ts';
import { aShard } from '../support/a-shard.ts';
import { anEvent, ownPrefix } from '../support/an-event.ts';
import { theQueues } from '../support/the-queues.ts';
import { untilAnswered } from '../support/wait-until.ts';

const NOW = 1_767_225_600_000;

/** A queue of the test's own, and the backlog of it. The oldest of its jobs are 90 seconds old where a test does not say otherwise. */
async function aBacklog() {
  const [redisUrl, prefix] = [inject('redisUrl'), ownPrefix()];
  const { events: queue } = await theQueues(redisUrl, prefix);
  const backlog = openBacklog({ redisUrl, prefix, now: () => NOW });
  onTestFinished(() => backlog.close());
  const add = (names: readonly string[], secondsAgo = 90) =>
    queue.addBulk(
      names.map((name) => ({ name, data: {}, opts: { ...EVENT_JOB_OPTIONS, timestamp: NOW - secondsAgo * 1000 } })),
    );
  return { queue, add, read: () => untilAnswered(() => backlog.read()), redisUrl, prefix };
}

/** Names of `length` jobs, each with so many events. */
const many = (length: number, events: number) => Array.from({ length }, () => jobName(events));

it('is nothing where no job waits', async () => {
  const { read } = await aBacklog();
  expect(await read()).toEqual({ jobs: 0, events: 0, oldestSeconds: 0, seconds: 0 });
});

it('counts the events of the jobs that wait, and tells the age of the oldest, wherever it lies', async () => {
  const { add, read, queue } = await aBacklog();
  await add([jobName(3), jobName(1)], 20);
  await add([jobName(200)], 40);
  await queue.add(jobName(7), {}, { delay: 3_600_000, timestamp: NOW - 500_000 });
  expect(await read()).toEqual({ jobs: 3, events: 204, oldestSeconds: 40, seconds: 40 });
});

it('takes a job that does not say how many events it has for an average one', async () => {
  const { add, read } = await aBacklog();
  await add(['events']);
  expect(await read()).toMatchObject({ jobs: 1, events: 1 });
  await add([jobName(4), jobName(8)]);
  expect(await read()).toMatchObject({ jobs: 3, events: 18 });
});

it('estimates from the oldest and the newest where there are too many to count', async () => {
  const { add, read } = await aBacklog();
  await add(many(300, 10), 900);
  await add(many(1000, 1), 500);
  await add(many(300, 20), 100);
  expect(await read()).toMatchObject({ jobs: 1600, events: 1600 * 15, oldestSeconds: 900 });
});

it('tells how long it will take, by how many jobs left since the look before', async () => {
  const { add, read, queue } = await aBacklog();
  const jobs = await add(many(100, 2));
  const before = performance.now();
  expect((await read()).seconds).toBe(90);
  await Promise.all(jobs.slice(0, 60).map((job) => job.remove()));
  const { jobs: left, seconds } = await read();
  const elapsed = (performance.now() - before) / 1000;
  expect(left).toBe(40);
  // 60 left between the looks, which are no longer apart than `elapsed`.
  expect(seconds).toBeGreaterThan(0);
  expect(seconds).toBeLessThanOrEqual((40 / 60) * elapsed);
  await queue.drain();
  expect((await read()).seconds).toBe(0);
});

it('reads the name that a receiver gives its jobs, on either way into the queue', async () => {
  const { read, redisUrl, prefix } = await aBacklog();
  const shard = await aShard({ redisUrl, prefix });
  await shard.add([anEvent(), anEvent()], 4);
  await shard.catchUp.write({ id: 'caught-up', events: [anEvent(), anEvent(), anEvent()], bytes: 6 });
  await vi.waitFor(async () => expect(await read()).toMatchObject({ jobs: 2, events: 5 }), 20_000);
});

it('rejects where Redis does not answer', async () => {
  const backlog = openBacklog({ redisUrl: 'redis://127.0.0.1:1', prefix: ownPrefix() });
  onTestFinished(() => backlog.close());
  await expect(backlog.read()).rejects.toThrow(QueueUnavailableError);
});
