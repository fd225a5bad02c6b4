import { describe, expect, inject, it, onTestFinished } from 'vitest';
import { startPrivateRedis } from '../../../../test/support/private-redis.ts';
import { HandBackError } from '../../src/errors.ts';
import { createRejectedConsumer } from '../../src/rejected/rejected-consumer.ts';
import { openRejectedQueue } from '../../src/rejected/rejected-queue.ts';
import type { RejectedRequest } from '../../src/rejected/rejected-request.ts';
import type { QueueServers } from '../../src/servers/shard-places.ts';
import { aRejectedRequest } from '../support/a-rejected-request.ts';
import { ownPrefix } from '../support/an-event.ts';
import { theQueues } from '../support/the-queues.ts';
import { countsOf } from '../support/counts-of.ts';
import { waitUntil } from '../support/wait-until.ts';

/** A queue that is closed when the test ends, and what became of its requests, in order. */
function aQueue(servers: QueueServers) {
  const outcomes: string[] = [];
  const queue = openRejectedQueue({ ...servers, onOutcome: (outcome) => outcomes.push(outcome) });
  onTestFinished(() => queue.close());
  return { queue, outcomes };
}

const times = <T>(count: number, value: T): T[] => Array.from({ length: count }, () => value);

async function aPrivateRedis() {
  const redis = await startPrivateRedis();
  onTestFinished(() => redis.remove());
  return redis;
}

describe('refused requests', () => {
  it('are jobs of a queue of their own, and come to its consumer whole', async () => {
    const servers = { redisUrl: inject('redisUrl'), prefix: ownPrefix() };
    const { queue, outcomes } = aQueue(servers);
    const sent = [
      aRejectedRequest(),
      aRejectedRequest({ header: ['a', 'b'], encoding: 'base64', body: '/wD+' }),
      aRejectedRequest({ header: null, body: null, bodyBytes: null, sender: null }),
    ];
    for (const request of sent) queue.add(request);
    await waitUntil(() => outcomes.length === 3);
    expect(outcomes).toEqual(times(3, 'kept'));
    const seen: RejectedRequest[] = [];
    const consumer = createRejectedConsumer({
      ...servers,
      concurrency: 1,
      process: async (request) => void seen.push(request),
    });
    onTestFinished(() => consumer.close({ timeoutMs: 2000 }));
    consumer.start();
    await waitUntil(() => seen.length === 3);
    expect(seen).toEqual(sent);
    await waitUntil(async () => (await countsOf(consumer)).active === 0);
    expect(await countsOf(consumer)).toEqual({ waiting: 0, active: 0, delayed: 0, failed: 0 });
  });

  it('wait where they are handed back, and rest where nobody can read them', async () => {
    const servers = { redisUrl: inject('redisUrl'), prefix: ownPrefix() };
    const { rejected } = await theQueues(servers.redisUrl, servers.prefix);
    const consumer = createRejectedConsumer({
      ...servers,
      concurrency: 1,
      process: () => Promise.reject(new HandBackError('later', { delayMs: 60_000 })),
    });
    onTestFinished(() => consumer.close({ timeoutMs: 2000 }));
    consumer.start();
    await rejected.add('signature_mismatch', aRejectedRequest());
    await rejected.add('signature_mismatch', { v: 2 });
    await waitUntil(async () => (await countsOf(consumer)).failed === 1);
    await waitUntil(async () => (await countsOf(consumer)).delayed === 1);
    const [job] = await rejected.getFailed();
    expect(job?.failedReason).toContain('no refused request');
  });
});

describe('the bounds of the queue', () => {
  it('2,000 jobs: the others are dropped, until workers have taken some', async () => {
    const prefix = ownPrefix();
    const { rejected } = await theQueues(inject('redisUrl'), prefix);
    await rejected.addBulk(times(1998, { name: 'signature_mismatch', data: aRejectedRequest() }));
    const { queue, outcomes } = aQueue({ redisUrl: inject('redisUrl'), prefix });
    for (let i = 0; i < 4; i++) queue.add(aRejectedRequest());
    await waitUntil(() => outcomes.length === 4);
    expect(outcomes).toEqual(['kept', 'kept', 'no_room', 'no_room']);
    expect(await rejected.getWaitingCount()).toBe(2000);
    await rejected.drain();
    queue.add(aRejectedRequest());
    await waitUntil(() => outcomes.length === 5);
    expect(outcomes.at(-1)).toBe('kept');
  });

  it('64 MiB of data, in whatever state its jobs are', async () => {
    const redis = await aPrivateRedis();
    const { rejected } = await theQueues(redis.url);
    const body = 'x'.repeat(31 * 1024 * 1024);
    await rejected.add('signature_mismatch', aRejectedRequest({ body }), { delay: 600_000 });
    await rejected.add('signature_mismatch', aRejectedRequest({ body }));
    const { queue, outcomes } = aQueue({ redisUrl: redis.url });
    queue.add(aRejectedRequest({ body: 'x'.repeat(1024 * 1024) }));
    await waitUntil(() => outcomes.length === 1);
    queue.add(aRejectedRequest({ body: 'x'.repeat(1024 * 1024) }));
    await waitUntil(() => outcomes.length === 2);
    expect(outcomes).toEqual(['kept', 'no_room']);
  });

  it('three quarters of the memory of Redis: the rest is for events', async () => {
    const redis = await aPrivateRedis();
    const { queue, outcomes } = aQueue({ redisUrl: redis.url });
    await redis.run(['SET', 'ballast', 'x'.repeat(8 * 1024 * 1024)]);
    await redis.run(['CONFIG', 'SET', 'maxmemory', '10mb']);
    queue.add(aRejectedRequest());
    await waitUntil(() => outcomes.length === 1);
    await redis.run(['CONFIG', 'SET', 'maxmemory', '100mb']);
    queue.add(aRejectedRequest());
    await waitUntil(() => outcomes.length === 2);
    expect(outcomes).toEqual(['no_room', 'kept']);
  });
});

describe('without Redis', () => {
  it('requests are dropped, all that wait at once, and kept again when it is back', async () => {
    const redis = await aPrivateRedis();
    const { queue, outcomes } = aQueue({ redisUrl: redis.url });
    queue.add(aRejectedRequest());
    await waitUntil(() => outcomes.length === 1);
    await redis.stop();
    for (let i = 0; i < 500; i++) queue.add(aRejectedRequest());
    await waitUntil(() => outcomes.length === 501);
    expect(new Set(outcomes.slice(1))).toEqual(new Set(['unavailable']));
    await redis.restart();
    await waitUntil(() => {
      queue.add(aRejectedRequest());
      return outcomes.at(-1) === 'kept';
    });
  });

  it('a Redis that hangs is given up with all that waits for it', async () => {
    const redis = await aPrivateRedis();
    const { queue, outcomes } = aQueue({ redisUrl: redis.url });
    queue.add(aRejectedRequest());
    await waitUntil(() => outcomes.length === 1);
    redis.freeze();
    for (let i = 0; i < 200; i++) queue.add(aRejectedRequest());
    await waitUntil(() => outcomes.length === 201);
    redis.thaw();
    expect(outcomes).toEqual(['kept', ...times(200, 'unavailable')]);
  });

  it('of several shards, another takes them', async () => {
    const [one, two] = [await aPrivateRedis(), await aPrivateRedis()];
    const { queue, outcomes } = aQueue({ redisUrl: `${one.url},${two.url}` });
    await one.kill();
    for (let i = 0; i < 3; i++) {
      queue.add(aRejectedRequest());
      // oxlint-disable-next-line no-await-in-loop -- a batch each
      await waitUntil(() => outcomes.length === i + 1);
    }
    expect(outcomes).toEqual(times(3, 'kept'));
  });
});

it('a queue that closes drops what is not written, and tells of each request once', async () => {
  const { queue, outcomes } = aQueue({ redisUrl: inject('redisUrl'), prefix: ownPrefix() });
  for (let i = 0; i < 300; i++) queue.add(aRejectedRequest());
  await queue.close();
  queue.add(aRejectedRequest());
  expect(outcomes).toHaveLength(301);
  expect(outcomes).toContain('unavailable');
});
