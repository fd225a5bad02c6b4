import { setImmediate as turn } from 'node:timers/promises';
import type { Queue } from 'bullmq';
import { beforeEach, describe, expect, inject, it, onTestFinished } from 'vitest';
import { QueueUnavailableError } from '@landline/queue';
import { jobSchema } from '../../queue/test/support/job-schema.ts';
import { openQueues } from '@landline/queue';
import { anIntake } from './support/an-intake.ts';
import { anEvent, ownPrefix } from '../../queue/test/support/an-event.ts';
import { HOSTILE_BODIES } from '../../queue/test/support/hostile-bodies.ts';

const redisUrl = inject('redisUrl');
let prefix: string;
let queue: Queue<unknown>;

beforeEach(async () => {
  prefix = ownPrefix();
  const queues = openQueues({ redisUrl, prefix });
  await queues.ping();
  queue = queues.events;
  onTestFinished(() => queues.close());
});

/** The bodies of each waiting job, in the order they were added. */
async function waitingBodies(): Promise<string[][]> {
  const jobs = await queue.getWaiting();
  return jobs.map((job) => jobSchema.parse(job.data).events.map((event) => event.body));
}

describe('createIntake', () => {
  it('writes the events of one turn of the event loop as one job', async () => {
    const intake = anIntake({ redisUrl, prefix });
    await intake.start();
    await Promise.all(['a', 'b', 'c'].map((body) => intake.accept(anEvent(body))));
    expect(await waitingBodies()).toEqual([['a', 'b', 'c']]);
  });

  it('writes a lone event at once', async () => {
    const intake = anIntake({ redisUrl, prefix });
    await intake.start();
    for (const body of ['a', 'b']) await intake.accept(anEvent(body));
    expect(await waitingBodies()).toEqual([['a'], ['b']]);
  });

  it('bounds jobs in events and in bytes', async () => {
    const intake = anIntake({ redisUrl, prefix, batchMaxEvents: 3, batchMaxBytes: 1024 });
    await intake.start();
    const bodies = ['1', '2', '3', '4', 'x'.repeat(1023), 'yy', 'z'.repeat(5000)];
    await Promise.all(bodies.map((body) => intake.accept(anEvent(body))));
    expect((await waitingBodies()).map((job) => job.map((body) => body.length))).toEqual([
      [1, 1, 1],
      [1, 1023],
      [2],
      [5000],
    ]);
  });

  it('keeps every event exactly once under load, in far fewer jobs', async () => {
    const intake = anIntake({ redisUrl, prefix });
    await intake.start();
    const bodies = Array.from({ length: 5000 }, (_, index) => `event ${index}`);
    const added: Promise<void>[] = [];
    for (const [index, body] of bodies.entries()) {
      added.push(intake.accept(anEvent(body)));
      if (index % 10 === 9) await turn();
    }
    await Promise.all(added);
    const jobs = await waitingBodies();
    expect(jobs.flat()).toHaveLength(bodies.length);
    expect(new Set(jobs.flat())).toEqual(new Set(bodies));
    expect(jobs.length).toBeLessThan(500);
  });

  it.each(HOSTILE_BODIES)('stores the exact body: %s', async (_, body) => {
    const intake = anIntake({ redisUrl, prefix });
    await intake.start();
    const event = anEvent(body);
    await intake.accept(event);
    const [job] = await queue.getWaiting();
    expect(job?.data).toEqual({ v: 1, events: [event] });
  });

  it('takes an id from Redis, tries eight times, and keeps what fails', async () => {
    const intake = anIntake({ redisUrl, prefix });
    await intake.start();
    await intake.accept(anEvent());
    const [job] = await queue.getWaiting();
    expect(job?.id).toMatch(/^\d+$/);
    expect(job?.opts).toMatchObject({
      attempts: 8,
      backoff: { type: 'custom' },
      removeOnComplete: true,
      removeOnFail: false,
    });
  });

  it('flushes what is pending when it closes, then takes no more', async () => {
    const intake = anIntake({ redisUrl, prefix });
    await intake.start();
    const added = Array.from({ length: 1000 }, (_, index) => intake.accept(anEvent(`event ${index}`)));
    await intake.close();
    await Promise.all(added);
    expect((await waitingBodies()).flat()).toHaveLength(1000);
    await expect(intake.accept(anEvent())).rejects.toThrow(QueueUnavailableError);
  });

  it('closes without having been started', async () => {
    const intake = anIntake({ redisUrl, prefix });
    await intake.close();
    expect(intake.errors).toEqual([]);
  });
});
