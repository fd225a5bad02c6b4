import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import type { Job, Queue } from 'bullmq';
import { packEvents } from '@landline/webhook/packed-events';
import { beforeEach, describe, expect, inject, it } from 'vitest';
import { createByteBudget } from '../../src/consume/byte-budget.ts';
import { createGarbageCollection } from '../../src/consume/collect-garbage.ts';
import type { ConsumerOptions } from '../../src/consume/consumer.ts';
import { createJobMemory } from '../../src/consume/job-memory.ts';
import { createSharedBytes } from '../../src/consume/shared-bytes.ts';
import type { ConsumedJob } from '../../src/consume/process-job.ts';
import { HandBackError } from '../../src/errors.ts';
import { encodeJob } from '../../src/jobs/encode-job.ts';
import { EVENT_JOB_OPTIONS, JOB_NAME } from '../../src/jobs/job-options.ts';
import { aConnection } from '../support/a-connection.ts';
import { aConsumer } from '../support/a-consumer.ts';
import { anEvent, ownPrefix } from '../support/an-event.ts';
import { theQueues } from '../support/the-queues.ts';
import { waitUntil } from '../support/wait-until.ts';

const redisUrl = inject('redisUrl');
const never = new AbortController().signal;

/** The data of such a job has 10,110 bytes. */
const LARGE = 'x'.repeat(10_000);

let prefix: string;
let queue: Queue;

beforeEach(async () => {
  prefix = ownPrefix();
  queue = (await theQueues(redisUrl, prefix)).events;
});

const add = (body: string) => queue.add(JOB_NAME, { v: 1, events: [anEvent(body)] }, EVENT_JOB_OPTIONS);
const addPacked = (body: string) => {
  const events = [anEvent(body)];
  return queue.add(
    JOB_NAME,
    encodeJob({ events, bytes: body.length, packed: packEvents(events, 16_384) }),
    EVENT_JOB_OPTIONS,
  );
};
const isEmpty = async () => (await queue.getJobCountByTypes()) === 0;
const bodyOf = ({ events }: ConsumedJob) => events[0]?.body ?? '';

/** A consumer to which jobs of more than 1,000 bytes are large, and that holds 25,000 bytes of them at most. */
function aSmallConsumer(options: Partial<ConsumerOptions> = {}) {
  const memory = {
    largeOverBytes: 1_000,
    large: createByteBudget(25_000),
    small: createSharedBytes(3_000),
    garbage: createGarbageCollection(),
  };
  return { memory, consumer: aConsumer({ redisUrl, prefix, concurrency: 10, memory, ...options }) };
}

/** Holds all memory of large jobs until the returned function is called. */
function fill({ large }: ReturnType<typeof aSmallConsumer>['memory']): () => void {
  const release = new AbortController();
  void large.run(25_000, async () => void (await once(release.signal, 'abort')), never);
  return () => release.abort();
}

/** Gives a job other data in Redis as soon as a worker has fetched it. */
async function changeOnceActive(job: Job): Promise<void> {
  const connection = await aConnection();
  await waitUntil(async () => (await job.getState()) === 'active');
  const changed = JSON.stringify({ v: 1, events: [anEvent('what Redis has now')] });
  await connection.hset(queue.toKey(job.id ?? ''), 'data', changed);
}

describe('a large job', () => {
  it('is fetched without its data, which is read when it is its turn', async () => {
    const { memory, consumer } = aSmallConsumer();
    const release = fill(memory);
    await changeOnceActive(await add(LARGE));
    expect(consumer.jobs).toEqual([]);
    release();
    await waitUntil(isEmpty);
    expect(consumer.jobs.map(bodyOf)).toEqual(['what Redis has now']);
    expect(memory.large.held()).toBe(0);
  });

  it.each([
    ['is done', undefined],
    ['fails', new Error('refused')],
    ['goes back', new HandBackError('down', { delayMs: 1 })],
  ])('is fetched without its data also by the end of the job before it, where that %s', async (_, thrown) => {
    const end = new AbortController();
    const { memory, consumer } = aSmallConsumer({
      concurrency: 1,
      process: async () => {
        if (end.signal.aborted) return;
        await once(end.signal, 'abort');
        if (thrown) throw thrown;
      },
    });
    const release = fill(memory);
    await add('before it');
    await waitUntil(() => consumer.jobs.length === 1);
    const job = await add(LARGE);
    end.abort();
    await changeOnceActive(job);
    release();
    await waitUntil(isEmpty);
    expect(consumer.jobs.map(bodyOf)).toContain('what Redis has now');
    expect(consumer.jobs.map(bodyOf)).not.toContain(LARGE);
  });

  it('is processed whole, and its attempts count like those of any job', async () => {
    let tries = 0;
    const { memory, consumer } = aSmallConsumer({
      process: async () => {
        tries += 1;
        if (tries === 1) throw new Error('refused');
        if (tries === 2) throw new HandBackError('down', { delayMs: 1 });
      },
    });
    await add(LARGE);
    await waitUntil(isEmpty);
    expect(consumer.jobs.map(bodyOf)).toEqual([LARGE, LARGE, LARGE]);
    expect(consumer.jobs.map(({ attempt }) => attempt)).toEqual([1, 2, 2]);
    expect(memory.large.held()).toBe(0);
  });

  it('waits while others hold the memory, however many are fetched at once', async () => {
    let running = 0;
    let most = 0;
    const { memory } = aSmallConsumer({
      process: async () => {
        most = Math.max(most, (running += 1));
        await new Promise(setImmediate);
        running -= 1;
      },
    });
    await Promise.all(Array.from({ length: 40 }, () => add(LARGE)));
    await waitUntil(isEmpty);
    expect(most).toBe(2);
    expect(memory.large.held()).toBe(0);
  });

  it('is processed alone among large ones when it is larger than the memory', async () => {
    const sizes: number[] = [];
    let held = 0;
    const { memory } = aSmallConsumer({
      process: async (job) => {
        held += bodyOf(job).length;
        sizes.push(held);
        await new Promise(setImmediate);
        held -= bodyOf(job).length;
      },
    });
    const release = fill(memory);
    await add(LARGE);
    await add(LARGE.repeat(5));
    await add(LARGE);
    await waitUntil(async () => (await queue.getActiveCount()) === 3);
    release();
    await waitUntil(isEmpty);
    expect(sizes).toEqual([10_000, 50_000, 10_000]);
  });

  it('keeps no small job out while it waits', async () => {
    const { memory, consumer } = aSmallConsumer({ concurrency: 2 });
    const release = fill(memory);
    for (let i = 0; i < 20; i += 1) await add(LARGE);
    for (let i = 0; i < 5; i += 1) await add(`small ${i}`);
    await waitUntil(() => consumer.jobs.length === 5);
    // Two at a time: either may be begun first.
    expect(consumer.jobs.map(bodyOf).toSorted()).toEqual(['small 0', 'small 1', 'small 2', 'small 3', 'small 4']);
    release();
    await waitUntil(isEmpty);
    expect(consumer.jobs).toHaveLength(25);
  });

  it('goes back when the consumer closes before its turn, and spends no attempt', async () => {
    const { memory, consumer } = aSmallConsumer();
    const release = fill(memory);
    const job = await add(LARGE);
    await waitUntil(async () => (await job.getState()) === 'active');
    await consumer.close({ timeoutMs: 1000 });
    expect(consumer.jobs).toEqual([]);
    expect(await job.getState()).toBe('waiting');
    release();
    await waitUntil(() => memory.large.held() === 0);
    const other = aSmallConsumer().consumer;
    await waitUntil(isEmpty);
    expect(other.jobs).toMatchObject([{ attempt: 1, events: [{ body: LARGE }] }]);
  });

  it('is unpacked where it is packed', async () => {
    const { consumer } = aSmallConsumer();
    const body = randomBytes(4000).toString('base64');
    await addPacked(body);
    await waitUntil(isEmpty);
    expect(consumer.jobs.map(bodyOf)).toEqual([body]);
  });

  it('that makes no sense rests in failed, whole', async () => {
    const data = { v: 99, events: LARGE };
    const { memory } = aSmallConsumer();
    const job = await queue.add(JOB_NAME, data, EVENT_JOB_OPTIONS);
    await waitUntil(() => job.isFailed());
    expect((await queue.getJob(job.id ?? ''))?.data).toEqual(data);
    expect(memory.large.held()).toBe(0);
  });
});

describe('small jobs', () => {
  /** The data of such a job has about 810 bytes, so four hold what small jobs may hold. */
  const SMALL = 'x'.repeat(700);

  it.each([
    ['plain', add],
    ['packed, by the size that they have unpacked', addPacked],
  ])('keep others out while they hold the memory, and take the next ones when they end: %s', async (_, addOne) => {
    const end = new AbortController();
    const { consumer } = aSmallConsumer({
      process: async () => void (end.signal.aborted || (await once(end.signal, 'abort'))),
    });
    for (let i = 0; i < 12; i += 1) await addOne(SMALL);
    await waitUntil(() => consumer.jobs.length === 4);
    // Each answer comes behind those to the fetches that were asked for before.
    for (let i = 0; i < 20; i += 1) expect(await queue.getActiveCount()).toBe(4);
    end.abort();
    await waitUntil(isEmpty);
    expect(consumer.jobs).toHaveLength(12);
  });

  it('that fail or go back give their memory back', async () => {
    let tries = 0;
    const { consumer } = aSmallConsumer({
      process: async () => {
        tries += 1;
        if (tries <= 4) throw new HandBackError('down', { delayMs: 1 });
        if (tries <= 8) throw new Error('refused');
      },
    });
    for (let i = 0; i < 4; i += 1) await add(SMALL);
    await waitUntil(isEmpty);
    expect(consumer.jobs).toHaveLength(12);
  });
});

it('an ordinary full group is a small job', () => {
  const { largeOverBytes, small } = createJobMemory();
  expect(largeOverBytes).toBe(2_097_152);
  small.add(33_554_431);
  expect(small.isFull()).toBe(false);
  small.add(1);
  expect(small.isFull()).toBe(true);
});
