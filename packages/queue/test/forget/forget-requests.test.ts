import { randomUUID } from 'node:crypto';
import { EventEmitter, once } from 'node:events';
import { expect, inject, onTestFinished, test, vi } from 'vitest';
import { forgetRequests, type HeldRequest } from '../../src/forget/forget-requests.ts';
import { createRequestConsumer } from '../../src/requests/request-consumer.ts';
import { ownPrefix } from '../support/an-event.ts';
import { theQueues } from '../support/the-queues.ts';

const WITHIN = { timeout: 20_000, interval: 20 };
const NAME = 'Zenobia';
const signal = new AbortController().signal;

const start = (user: string) => ({
  v: 1,
  request: { do: 'start', id: randomUUID(), kind: 'replay', filter: { user }, requestedBy: 'admin' },
});
const cancel = { v: 1, request: { do: 'cancel', id: randomUUID() } };
const ofNewerVersion = { v: 2, who: NAME };

test('requests that are to go leave every state, and one that a worker has in hand stays', async () => {
  const servers = { redisUrl: inject('redisUrl'), prefix: ownPrefix() };
  const { requests } = await theQueues(servers.redisUrl, servers.prefix);
  const held = new EventEmitter();
  let taken = 0;
  const consumer = createRequestConsumer({
    ...servers,
    concurrency: 2,
    onUnreadable: () => undefined,
    async process() {
      taken += 1;
      if (taken === 1) throw new Error(`It says ${NAME}`);
      await once(held, 'released');
    },
  });
  onTestFinished(() => consumer.close({ timeoutMs: 2_000 }));
  await requests.add('request', start(NAME), { attempts: 1 });
  consumer.start();
  await vi.waitUntil(async () => (await requests.getFailedCount()) === 1, WITHIN);
  await requests.addBulk([start(NAME), start('in hand')].map((data) => ({ name: 'request', data })));
  await vi.waitUntil(async () => (await requests.getActiveCount()) === 2, WITHIN);
  consumer.pause();
  await requests.addBulk(
    [start(NAME), start('others'), cancel, ofNewerVersion].map((data) => ({ name: 'request', data })),
  );
  await requests.add('request', start(NAME), { delay: 600_000 });

  const seen: HeldRequest[] = [];
  const forget = () =>
    forgetRequests({
      servers,
      signal,
      decide(request) {
        seen.push(request);
        return request.operation?.filter['user'] === NAME || request.unreadable?.includes(NAME) === true;
      },
    });
  expect(await forget()).toEqual({ requests: 4, in_hand: 1 });
  expect(seen.filter(({ isResting }) => isResting)).toMatchObject([{ operation: { filter: { user: NAME } } }]);
  expect(seen.filter(({ operation, unreadable }) => operation === undefined && unreadable === undefined)).toHaveLength(
    1,
  );
  expect(await requests.getJobCounts('wait', 'delayed', 'failed')).toEqual({ wait: 2, delayed: 0, failed: 0 });
  held.emit('released');
  await vi.waitUntil(async () => (await requests.getActiveCount()) === 0, WITHIN);
  expect(await forget()).toEqual({ requests: 0, in_hand: 0 });
  const away = forgetRequests({ servers: { redisUrl: 'redis://127.0.0.1:1' }, decide: () => true, signal });
  await expect(away).rejects.toMatchObject({ code: 'queue_unavailable' });
});
