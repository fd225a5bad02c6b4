import { beforeEach, expect, inject, it } from 'vitest';
import { encodeJob } from '../../src/jobs/encode-job.ts';
import { EVENT_JOB_OPTIONS, JOB_NAME } from '../../src/jobs/job-options.ts';
import { openEventQueue } from '../../src/jobs/open-queue.ts';
import { aConnection } from '../support/a-connection.ts';
import { aConsumer } from '../support/a-consumer.ts';
import { anEvent, ownPrefix } from '../support/an-event.ts';
import { waitUntil } from '../support/wait-until.ts';

let queue: ReturnType<typeof openEventQueue>;
let prefix: string;
let stored: (id: string | undefined) => Promise<unknown>;
beforeEach(async () => {
  prefix = ownPrefix();
  const connection = await aConnection();
  queue = openEventQueue(connection, prefix);
  stored = async (id) => JSON.parse(String(await connection.hget(queue.toKey(id ?? ''), 'data')));
});

const EVENTS = [anEvent('a transcript '.repeat(1000)), anEvent('é and \u0000')];
const BYTES = 13_010;

it('adds a job packed, and gives its events to who reads it', async () => {
  const job = await queue.add(JOB_NAME, encodeJob({ events: EVENTS, bytes: BYTES }), EVENT_JOB_OPTIONS);
  expect(await stored(job.id)).toEqual({
    v: 3,
    bytes: expect.any(Number),
    fieldBytes: expect.any(Number),
    packed: expect.stringMatching(/^[A-Za-z0-9+/]{10,2000}=*$/),
  });
  expect((await queue.getJob(job.id ?? ''))?.data).toEqual({ v: 1, events: EVENTS });
  expect((await queue.getWaiting()).map(({ data }) => data)).toEqual([{ v: 1, events: EVENTS }]);
});

it('gives the events of a packed job to the consumer, at each attempt', async () => {
  const seen: unknown[] = [];
  aConsumer({
    redisUrl: inject('redisUrl'),
    prefix,
    queue: queue.name,
    process: async ({ events }) => {
      if (seen.push(events) === 1) throw new Error('once more');
    },
  });
  await queue.add(JOB_NAME, encodeJob({ events: EVENTS, bytes: BYTES }), EVENT_JOB_OPTIONS);
  await waitUntil(() => seen.length === 2);
  expect(seen).toEqual([EVENTS, EVENTS]);
});

it('leaves a packed job that is damaged in failed, as it is, and goes on with the next', async () => {
  const good = encodeJob({ events: EVENTS, bytes: BYTES });
  const damaged = { ...JSON.parse(good.toString()), bytes: 12 };
  const seen: unknown[] = [];
  aConsumer({
    redisUrl: inject('redisUrl'),
    prefix,
    queue: queue.name,
    process: async ({ events }) => void seen.push(events),
  });
  const { id } = await queue.add(JOB_NAME, damaged, EVENT_JOB_OPTIONS);
  await queue.add(JOB_NAME, good, EVENT_JOB_OPTIONS);
  await waitUntil(async () => seen.length === 1 && (await queue.getFailedCount()) === 1);
  expect(await stored(id)).toEqual(damaged);
  expect((await queue.getFailed()).map(({ data, failedReason }) => [data, failedReason])).toEqual([
    [damaged, expect.stringContaining("This job's data is not a group of events")],
  ]);
});
