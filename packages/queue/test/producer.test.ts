import { setImmediate as turn } from 'node:timers/promises';
import type { Queue } from 'bullmq';
import { beforeEach, describe, expect, inject, it, onTestFinished } from 'vitest';
import { QueueUnavailableError } from '../src/errors.ts';
import { jobSchema } from '../src/job.ts';
import { openQueues } from '../src/queues.ts';
import { aProducer } from './support/a-producer.ts';
import { anEvent, ownPrefix } from './support/an-event.ts';
import { HOSTILE_BODIES } from './support/hostile-bodies.ts';

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

describe('createProducer', () => {
  it('writes the events of one turn of the event loop as one job', async () => {
    const producer = aProducer({ redisUrl, prefix });
    await producer.start();
    await Promise.all(['a', 'b', 'c'].map((body) => producer.enqueue(anEvent(body))));
    expect(await waitingBodies()).toEqual([['a', 'b', 'c']]);
  });

  it('writes a lone event at once', async () => {
    const producer = aProducer({ redisUrl, prefix });
    await producer.start();
    for (const body of ['a', 'b']) await producer.enqueue(anEvent(body));
    expect(await waitingBodies()).toEqual([['a'], ['b']]);
  });

  it('bounds jobs in events and in bytes', async () => {
    const producer = aProducer({ redisUrl, prefix, batchMaxEvents: 3, batchMaxBytes: 1024 });
    await producer.start();
    const bodies = ['1', '2', '3', '4', 'x'.repeat(1023), 'yy', 'z'.repeat(5000)];
    await Promise.all(bodies.map((body) => producer.enqueue(anEvent(body))));
    expect((await waitingBodies()).map((job) => job.map((body) => body.length))).toEqual([
      [1, 1, 1],
      [1, 1023],
      [2],
      [5000],
    ]);
  });

  it('keeps every event exactly once under load, in far fewer jobs', async () => {
    const producer = aProducer({ redisUrl, prefix });
    await producer.start();
    const bodies = Array.from({ length: 5000 }, (_, index) => `event ${index}`);
    const added: Promise<void>[] = [];
    for (const [index, body] of bodies.entries()) {
      added.push(producer.enqueue(anEvent(body)));
      if (index % 10 === 9) await turn();
    }
    await Promise.all(added);
    const jobs = await waitingBodies();
    expect(jobs.flat()).toHaveLength(bodies.length);
    expect(new Set(jobs.flat())).toEqual(new Set(bodies));
    expect(jobs.length).toBeLessThan(500);
  });

  it.each(HOSTILE_BODIES)('stores the exact body: %s', async (_, body) => {
    const producer = aProducer({ redisUrl, prefix });
    await producer.start();
    const event = anEvent(body);
    await producer.enqueue(event);
    const [job] = await queue.getWaiting();
    expect(job?.data).toEqual({ v: 1, events: [event] });
  });

  it('takes an id from Redis, tries eight times, and keeps what fails', async () => {
    const producer = aProducer({ redisUrl, prefix });
    await producer.start();
    await producer.enqueue(anEvent());
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
    const producer = aProducer({ redisUrl, prefix });
    await producer.start();
    const added = Array.from({ length: 1000 }, (_, index) => producer.enqueue(anEvent(`event ${index}`)));
    await producer.close();
    await Promise.all(added);
    expect((await waitingBodies()).flat()).toHaveLength(1000);
    await expect(producer.enqueue(anEvent())).rejects.toThrow(QueueUnavailableError);
  });

  it('closes without having been started', async () => {
    const producer = aProducer({ redisUrl, prefix });
    await producer.close();
    expect(producer.errors).toEqual([]);
  });
});
