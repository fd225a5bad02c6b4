import { randomUUID } from 'node:crypto';
import { EventEmitter, once } from 'node:events';
import { bodyBytes, deliveryOf, type Delivery } from '@landline/webhook/delivery';
import { describe, expect, inject, onTestFinished, test, vi } from 'vitest';
import { createConsumer } from '../../src/consume/consumer.ts';
import { forgetJobs, type DecideToForget } from '../../src/forget/forget-jobs.ts';
import { createDeadLetters } from '../../src/shards/dead-letters.ts';
import { openQueues } from '../../src/jobs/queues.ts';
import { openTrackedJobs } from '../../src/operations/tracked-jobs.ts';
import { openRejectedQueue } from '../../src/rejected/rejected-queue.ts';
import { DEAD_LETTER_QUEUE, WEBHOOK_QUEUE } from '../../src/names.ts';
import { withRedis } from '../../../../test/support/with-redis.ts';
import { jobSchema } from '../support/job-schema.ts';

const WITHIN = { timeout: 20_000, interval: 20 };
const NAME = 'Zenobia';
const signal = new AbortController().signal;

/** Whatever names her goes. */
const herOwn: DecideToForget = (events) => Promise.resolve(events.map(({ body }) => body.includes(NAME)));

const event = (text: string): Delivery =>
  deliveryOf(Buffer.from(JSON.stringify({ text })), { receivedAt: 1, signedAt: 1, secretId: 'test' });

/** The queues of one shard or several, under a prefix of the test's own. */
async function aLine(queueShards?: number) {
  const servers = { redisUrl: inject('redisUrl'), prefix: `{${randomUUID()}}`, queueShards };
  const jobs = openTrackedJobs(servers);
  const letters = createDeadLetters(servers);
  const prefixes =
    queueShards === undefined
      ? [servers.prefix]
      : Array.from({ length: queueShards }, (_, i) => `${servers.prefix.slice(0, -1)}:${i}}`);
  const queues = prefixes.map((prefix) => openQueues({ redisUrl: servers.redisUrl, prefix }));
  const [first] = queues;
  if (first === undefined) throw new Error('There is no shard.');
  await Promise.all(queues.map((each) => each.ping()));
  onTestFinished(async () => {
    await Promise.all([jobs.close(), letters.close(), ...queues.map((each) => each.close())]);
  });
  const add = (id: string, ...texts: string[]) => {
    const events = texts.map(event);
    return jobs.add({ id, events, bytes: events.reduce((sum, each) => sum + bodyBytes(each).length, 0) });
  };
  const texts = async (id: string) => {
    const found = await Promise.all(queues.map((each) => each.events.getJob(id)));
    const job = found.find((each) => each !== undefined);
    return (
      job && { name: job.name, events: jobSchema.parse(job.data).events.map((each) => bodyBytes(each).toString()) }
    );
  };
  return {
    servers,
    queues: first,
    letters,
    add,
    texts,
    ask: (name: string, ...rest: string[]) => withRedis(servers.redisUrl, (redis) => redis.call(name, ...rest)),
    forget: (decide = herOwn) => forgetJobs({ servers, decide, signal }),
  };
}

type Line = Awaited<ReturnType<typeof aLine>>;

/** Lets every job of a queue fail once and for all. */
async function failAll(
  { servers, queues }: Line,
  queue: typeof WEBHOOK_QUEUE | typeof DEAD_LETTER_QUEUE,
  count: number,
): Promise<void> {
  const consumer = createConsumer({
    ...servers,
    queue,
    concurrency: 4,
    process: () => Promise.reject(new Error(`It says ${NAME}`)),
    onError: () => undefined,
  });
  consumer.start();
  const failing = queue === WEBHOOK_QUEUE ? queues.events : queues.deadLetters;
  await vi.waitUntil(async () => (await failing.getFailedCount()) === count, WITHIN);
  await consumer.close({ timeoutMs: 2_000 });
}

const refused = (text: string) => ({
  v: 1 as const,
  id: randomUUID(),
  receivedAt: 1,
  code: 'signature_mismatch',
  header: 't=1,v0=2',
  headers: {},
  encoding: 'utf8' as const,
  body: text,
  bodyBytes: text.length,
  sender: null,
});

describe('events that are to go', () => {
  test.each([
    ['plain', 'a'],
    ['packed', 'a'.repeat(20_000)],
  ])('leave their jobs, and the others of the same job stay: %s', async (_, filling) => {
    const line = await aLine();
    await line.add('mixed', `one ${filling}`, `${NAME} ${filling}`, `two ${filling}`);
    await line.add('hers', NAME, `${NAME} again`);
    await line.add('others', 'three');
    expect(await line.forget()).toEqual({ waiting: 3, resting: 0, dead_letters: 0, rejected: 0, in_hand: 0 });
    expect(await line.texts('mixed')).toEqual({
      name: '2 events',
      events: [JSON.stringify({ text: `one ${filling}` }), JSON.stringify({ text: `two ${filling}` })],
    });
    expect(await line.texts('hers')).toBeUndefined();
    expect(await line.texts('others')).toMatchObject({ name: '1 event' });
    expect(await line.queues.events.getJobCounts('wait')).toEqual({ wait: 2 });
    expect(await line.forget()).toEqual({ waiting: 0, resting: 0, dead_letters: 0, rejected: 0, in_hand: 0 });
  });

  test('leave every state, with the errors that quote them', async () => {
    const line = await aLine();
    await line.letters.add([
      { id: randomUUID(), event: event(NAME) },
      { id: randomUUID(), event: event('others') },
    ]);
    await failAll(line, DEAD_LETTER_QUEUE, 2);
    await line.add('with-priority', NAME);
    await line.queues.events.getJob('with-priority').then((job) => job?.changePriority({ priority: 7 }));
    await line.queues.events.add('1 event', { v: 1, events: [event(NAME)] }, { delay: 600_000, jobId: 'later' });
    const rejected = openRejectedQueue({ ...line.servers, onOutcome: () => undefined });
    rejected.add(refused(`{"text":"${NAME}"}`));
    rejected.add(refused('others'));
    await vi.waitUntil(async () => (await line.queues.rejected.getWaitingCount()) === 2, WITHIN);
    await rejected.close();
    expect(await line.forget()).toEqual({ waiting: 2, resting: 0, dead_letters: 1, rejected: 1, in_hand: 0 });
    expect(await line.queues.deadLetters.getFailedCount()).toBe(1);
    expect(await line.queues.rejected.getWaitingCount()).toBe(1);
    expect(await line.ask('XLEN', line.queues.deadLetters.toKey('events'))).toBe(0);
  });

  test('leave a job that rests, and its error goes', async () => {
    const line = await aLine();
    await line.queues.events.add(
      '2 events',
      { v: 1, events: [event(NAME), event('others')] },
      { attempts: 1, jobId: 'resting' },
    );
    await failAll(line, WEBHOOK_QUEUE, 1);
    expect(await line.forget()).toMatchObject({ resting: 1 });
    const job = await line.queues.events.getJob('resting');
    expect(job).toMatchObject({ name: '1 event', failedReason: expect.stringContaining('was erased'), stacktrace: [] });
    expect(await job?.getState()).toBe('failed');
    expect(JSON.stringify(await line.ask('HGETALL', line.queues.events.toKey('resting')))).not.toContain(NAME);
    await job?.retry();
    expect(await job?.getState()).toBe('waiting');
  });

  test('stay while a worker has them in hand', async () => {
    const line = await aLine();
    await line.add('in-hand', NAME, 'others');
    const held = new EventEmitter();
    const consumer = createConsumer({
      ...line.servers,
      queue: WEBHOOK_QUEUE,
      concurrency: 1,
      process: async () => void (await once(held, 'released')),
      onError: () => undefined,
    });
    onTestFinished(() => consumer.close({ timeoutMs: 2_000 }));
    consumer.start();
    await vi.waitUntil(async () => (await line.queues.events.getActiveCount()) === 1, WITHIN);
    expect(await line.forget()).toMatchObject({ waiting: 0, in_hand: 1 });
    held.emit('released');
    await vi.waitUntil(async () => (await line.queues.events.getActiveCount()) === 0, WITHIN);
    expect(await line.forget()).toMatchObject({ in_hand: 0 });
  });

  test('are looked for on every shard, and on one that no new jobs go to', async () => {
    const line = await aLine(3);
    for (let i = 0; i < 6; i++) {
      // oxlint-disable-next-line no-await-in-loop -- each goes to the next shard
      await line.add(`job-${i}`, NAME, 'others');
    }
    const fewer = forgetJobs({ servers: { ...line.servers, queueShards: 2 }, decide: herOwn, signal });
    expect(await fewer).toMatchObject({ waiting: 6 });
    expect(await line.texts('job-5')).toMatchObject({ name: '1 event' });
  });
});

test('more jobs than one page has are all looked at, once', async () => {
  const line = await aLine();
  await line.queues.events.addBulk(
    Array.from({ length: 2_500 }, (_, i) => ({
      name: '1 event',
      data: { v: 1, events: [event(i % 500 === 0 ? NAME : 'x')] },
    })),
  );
  let seen = 0;
  const decide: DecideToForget = (events) => {
    seen += events.length;
    return herOwn(events);
  };
  expect(await line.forget(decide)).toMatchObject({ waiting: 5 });
  expect(seen).toBe(2_500);
  expect(await line.queues.events.getWaitingCount()).toBe(2_495);
});

test('what whoever decides throws is no fault of Redis, and a Redis that is away is', async () => {
  const line = await aLine();
  await line.add('one', NAME);
  const fault = new Error('Postgres is away');
  await expect(line.forget(() => Promise.reject(fault))).rejects.toBe(fault);
  const away = forgetJobs({ servers: { redisUrl: 'redis://127.0.0.1:1' }, decide: herOwn, signal });
  await expect(away).rejects.toMatchObject({ code: 'queue_unavailable' });
});
