import { expect, inject, it } from 'vitest';
import {
  createConsumerConnection,
  createProducerConnection,
  endConnection,
  firstAttempt,
} from '../../src/redis/connection.ts';
import { waitUntil } from '../support/wait-until.ts';

const redisUrl = inject('redisUrl');
/** No server listens there, and none comes. */
const NOBODY = 'redis://127.0.0.1:1';

it('rejects what waits on a connection that is ended between two attempts', async () => {
  const connection = createConsumerConnection(NOBODY);
  const answer = connection.ping().catch((error: unknown) => error);
  await waitUntil(() => connection.status === 'reconnecting');
  endConnection(connection);
  expect(await answer).toBeInstanceOf(Error);
  await waitUntil(() => connection.status === 'end');
});

it('rejects what waits on a connection that is ended while it is up', async () => {
  const connection = createConsumerConnection(redisUrl);
  const answer = connection.blpop('nothing-comes-here', 0).catch((error: unknown) => error);
  await waitUntil(() => connection.status === 'ready');
  endConnection(connection);
  expect(await answer).toBeInstanceOf(Error);
});

it('is done with its first attempt when there is no Redis, and a command fails at once', async () => {
  const connection = createProducerConnection(NOBODY, { enqueueTimeoutMs: 60_000 });
  await firstAttempt(connection);
  const begun = performance.now();
  await expect(connection.ping()).rejects.toThrow("Stream isn't writeable");
  expect(performance.now() - begun).toBeLessThan(30_000);
  endConnection(connection);
});
