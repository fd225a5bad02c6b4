import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { UnrecoverableError } from 'bullmq';
import { describe, expect, inject, it, onTestFinished } from 'vitest';
import { startPrivateRedis } from '../../../../test/support/private-redis.ts';
import { HandBackError } from '../../src/errors.ts';
import type { ConsoleRequest } from '../../src/requests/console-request.ts';
import { openConsoleRequests } from '../../src/requests/open-console-requests.ts';
import { createRequestConsumer } from '../../src/requests/request-consumer.ts';
import { shardPlaces, type QueueServers } from '../../src/servers/shard-places.ts';
import { ownPrefix } from '../support/an-event.ts';
import { theQueues } from '../support/the-queues.ts';
import { countsOf } from '../support/counts-of.ts';
import { untilAnswered, waitUntil } from '../support/wait-until.ts';

const START: ConsoleRequest = {
  do: 'start',
  id: randomUUID(),
  kind: 'replay',
  filter: { status: 'dead' },
  rate: 10,
  requestedBy: 'admin',
};
const REQUESTS: readonly ConsoleRequest[] = [
  START,
  { do: 'cancel', id: START.id },
  { do: 'mark', fingerprint: '0123456789ab', by: 'admin', at: 7 },
  { do: 'unmark', fingerprint: '0123456789ab', at: 7 },
];

const byId = (a: { id: string }, b: { id: string }) => a.id.localeCompare(b.id);

/** A filter of so many words. */
const words = (count: number, value = '') =>
  Object.fromEntries(Array.from({ length: count }, (_, i) => [`w${i}`, value]));

function aSender(servers: QueueServers) {
  const requests = openConsoleRequests(servers);
  onTestFinished(() => requests.close());
  return requests;
}

/** A started consumer of one shard, what it saw in order, and the faults of what it could not read. */
function aConsumer(
  place: { redisUrl: string; prefix?: string | undefined },
  process: (request: ConsoleRequest, signal: AbortSignal) => Promise<void> = () => Promise.resolve(),
) {
  const seen: ConsoleRequest[] = [];
  const unreadable: string[] = [];
  const consumer = createRequestConsumer({
    ...place,
    concurrency: 1,
    onUnreadable: (fault) => unreadable.push(fault),
    async process(request, { signal }) {
      seen.push(request);
      await process(request, signal);
    },
  });
  onTestFinished(() => consumer.close({ timeoutMs: 2000 }));
  consumer.start();
  return { ...consumer, seen, unreadable };
}

const NOTHING = { waiting: 0, active: 0, delayed: 0, failed: 0 };

describe('requests of the console', () => {
  it('come to a worker whole, and are removed when they are done', async () => {
    const servers = { redisUrl: inject('redisUrl'), prefix: ownPrefix() };
    const sender = aSender(servers);
    // oxlint-disable-next-line no-await-in-loop -- in order
    for (const request of REQUESTS) await sender.send(request);
    const consumer = aConsumer(servers);
    await waitUntil(() => consumer.seen.length === 4);
    expect(consumer.seen).toEqual(REQUESTS);
    await waitUntil(async () => (await countsOf(consumer)).active === 0);
    expect(await countsOf(consumer)).toEqual(NOTHING);
  });

  it('wait where they are handed back, and go on with another worker where one leaves', async () => {
    const servers = { redisUrl: inject('redisUrl'), prefix: ownPrefix() };
    await aSender(servers).send(START);
    let tries = 0;
    const first = aConsumer(servers, (_, signal) => {
      if (++tries === 1) return Promise.reject(new HandBackError('not now', { delayMs: 50 }));
      return new Promise((_resolve, reject) => {
        signal.addEventListener('abort', () => reject(new Error('leaving')), { once: true });
      });
    });
    await waitUntil(() => tries === 2);
    await first.close({ timeoutMs: 500 });
    const second = aConsumer(servers);
    await waitUntil(() => second.seen.length === 1);
    expect(second.seen).toEqual([START]);
  });

  it('are found until a worker has carried them out, and can be taken out until one has them in hand', async () => {
    const servers = { redisUrl: inject('redisUrl'), prefix: ownPrefix(), queueShards: 2 };
    const sender = aSender(servers);
    const other = { ...START, id: randomUUID() };
    // oxlint-disable-next-line no-await-in-loop -- in order
    for (const request of [START, START, other, { do: 'cancel', id: START.id } as const]) await sender.send(request);
    expect((await sender.starts()).map(({ request }) => request).toSorted(byId)).toEqual([START, other].toSorted(byId));
    expect(await sender.start(other.id)).toMatchObject({ request: other, hasFailed: false });
    expect(await sender.withdraw(other.id)).toBe(true);
    expect([await sender.start(other.id), await sender.withdraw(other.id)]).toEqual([undefined, false]);

    const hold = new AbortController();
    const isOver = once(hold.signal, 'abort');
    const consumer = aConsumer(shardPlaces(servers)[0], async () => void (await isOver));
    await waitUntil(() => consumer.seen.length === 1);
    expect(await sender.start(START.id)).toMatchObject({ request: START });
    expect(await sender.withdraw(START.id)).toBe(false);
    hold.abort();
    await waitUntil(async () => (await untilAnswered(() => sender.start(START.id))) === undefined);
  });

  it('say where workers have given them up', async () => {
    const servers = { redisUrl: inject('redisUrl'), prefix: ownPrefix() };
    const sender = aSender(servers);
    await sender.send(START);
    aConsumer(servers, () => Promise.reject(new UnrecoverableError('no')));
    await waitUntil(async () => (await untilAnswered(() => sender.starts()))[0]?.hasFailed === true);
    expect(await sender.withdraw(START.id)).toBe(true);
    expect(await sender.starts()).toEqual([]);
  });

  it('are removed and told of where they cannot be read', async () => {
    const servers = { redisUrl: inject('redisUrl'), prefix: ownPrefix() };
    const { requests } = await theQueues(servers.redisUrl, servers.prefix);
    await requests.add('request', { v: 1, request: { do: 'mark', fingerprint: 'secret words', by: 'admin', at: 7 } });
    await requests.add('request', { v: 2, request: START });
    const consumer = aConsumer(servers);
    await waitUntil(() => consumer.unreadable.length === 2);
    expect(consumer.unreadable.join()).toMatch(/fingerprint is 12 hex digits/);
    expect(consumer.unreadable.join()).not.toContain('secret words');
    await waitUntil(async () => (await countsOf(consumer)).active === 0);
    expect(await countsOf(consumer)).toEqual(NOTHING);
    expect(consumer.seen).toEqual([]);
  });

  it('go to the next shard where the first is away, and are refused where none answers', async () => {
    const servers = await Promise.all([startPrivateRedis(), startPrivateRedis()]);
    onTestFinished(async () => void (await Promise.all(servers.map((server) => server.remove()))));
    const [first, second] = servers;
    const redisUrl = servers.map(({ url }) => url).join(',');
    const sender = aSender({ redisUrl });
    await first?.kill();
    await sender.send(START);
    const { requests } = await theQueues(second?.url ?? '', '{landline:1}');
    expect((await requests.getWaiting()).map(({ data }): unknown => data)).toEqual([{ v: 1, request: START }]);
    await requests.close();
    await second?.kill();
    await expect(sender.send(START)).rejects.toMatchObject({ code: 'queue_unavailable' });
  });

  it('are not sent where they are none', async () => {
    const sender = aSender({ redisUrl: inject('redisUrl'), prefix: ownPrefix() });
    await expect(sender.send({ ...START, id: '7' })).rejects.toThrow('Invalid UUID');
    await expect(sender.send({ do: 'unmark', fingerprint: 'ABC', at: 7 })).rejects.toThrow('12 hex digits');
    await expect(sender.send({ ...START, filter: words(33) })).rejects.toThrow('32 words at most');
    await expect(sender.send({ ...START, filter: words(4, 'ä'.repeat(2_100)) })).rejects.toThrow('16 KiB at most');
    await sender.send({ ...START, filter: words(32, 'ä'.repeat(200)) });
  });
});
