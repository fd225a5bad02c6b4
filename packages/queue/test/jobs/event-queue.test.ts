import { beforeEach, expect, inject, it } from 'vitest';
import { encodeJob } from '../../src/jobs/encode-job.ts';
import { packedJobSchema } from '../../src/jobs/job.ts';
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
    crc32: expect.any(Number),
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

const good = encodeJob({ events: EVENTS, bytes: BYTES });
const { packed, ...numbers } = packedJobSchema.parse(JSON.parse(good.toString()));
const swapped = `${packed.slice(0, 40)}${packed[41]}${packed[40]}${packed.slice(42)}`;

it.each([
  ['has a wrong size', { ...numbers, packed, bytes: 12 }],
  ['has two characters swapped', { ...numbers, packed: swapped }],
  ['is no Brotli', { ...numbers, packed: Buffer.from('no Brotli').toString('base64') }],
  ['says that it has 400 MB', { ...numbers, packed, bytes: 400_000_000 }],
  ['says that it has more bytes than there are numbers', `{"v":3,"bytes":${'9'.repeat(400)},"packed":""}`],
])('leaves a packed job in failed, as it is, that %s, and goes on with the next', async (_, damaged) => {
  const data = typeof damaged === 'string' ? Buffer.from(damaged) : damaged;
  const seen: unknown[] = [];
  aConsumer({
    redisUrl: inject('redisUrl'),
    prefix,
    queue: queue.name,
    process: async ({ events }) => void seen.push(events),
  });
  const { id } = await queue.add(JOB_NAME, data, EVENT_JOB_OPTIONS);
  await queue.add(JOB_NAME, good, EVENT_JOB_OPTIONS);
  await waitUntil(async () => seen.length === 1 && (await queue.getFailedCount()) === 1);
  expect(await stored(id)).toEqual(typeof damaged === 'string' ? JSON.parse(damaged) : damaged);
  expect((await queue.getFailed()).map(({ failedReason }) => failedReason)).toEqual([
    expect.stringContaining("This job's data is not a group of events"),
  ]);
});
