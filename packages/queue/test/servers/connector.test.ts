import { expect, it, onTestFinished } from 'vitest';
import { startPrivateRedis } from '../../../../test/support/private-redis.ts';
import { startRedisCluster } from '../../../../test/support/redis-cluster.ts';
import {
  createConsumerConnection,
  createProducerConnection,
  endConnection,
  firstAttempt,
} from '../../src/redis/connection.ts';
import { waitUntil } from '../support/wait-until.ts';

/** No server listens there, and none comes. */
const NOBODY = '127.0.0.1:1';

it.each(['redis+cluster://HOST', 'redis+sentinel://HOST/calls'])(
  '%s: fails fast and goes on trying while nobody answers',
  async (form) => {
    const url = form.replace('HOST', NOBODY);
    const connection = createProducerConnection(url, { enqueueTimeoutMs: 5000 });
    onTestFinished(() => endConnection(connection));
    const errors: string[] = [];
    connection.on('error', ({ message }: Error) => errors.push(message));
    await firstAttempt(connection);
    await expect(connection.ping()).rejects.toThrow("Stream isn't writeable");
    await waitUntil(() => errors.length > 2);
    expect(errors[0]).toMatch(/ECONNREFUSED|Connection is closed/);
  },
);

it('rejects what waits on a connection that is ended while it searches', async () => {
  const connection = createConsumerConnection(`redis+cluster://${NOBODY}`);
  const answer = connection.ping().catch((error: unknown) => error);
  endConnection(connection);
  expect(await answer).toBeInstanceOf(Error);
  await waitUntil(() => connection.status === 'end');
});

it('says that a server which is no Cluster is none', async () => {
  const redis = await startPrivateRedis();
  onTestFinished(() => redis.remove());
  const connection = createProducerConnection(redis.url.replace('redis:', 'redis+cluster:'), {
    enqueueTimeoutMs: 5000,
  });
  onTestFinished(() => endConnection(connection));
  const errors: string[] = [];
  connection.on('error', ({ message }: Error) => errors.push(message));
  await firstAttempt(connection);
  await waitUntil(() => errors.length > 0);
  expect(errors[0]).toContain('cluster support disabled');
});

it('finds a Cluster through nodes that it learnt of when those of the URL are gone', async () => {
  const cluster = await startRedisCluster();
  onTestFinished(() => cluster.remove());
  const [one, two] = cluster.masters;
  const first = `redis+cluster://:${new URL(one?.url ?? '').password}@${new URL(one?.url ?? '').host}`;
  // {landline} lies on the second master.
  const connection = createProducerConnection(first, { enqueueTimeoutMs: 5000 });
  onTestFinished(() => endConnection(connection));
  await firstAttempt(connection);
  await connection.set('{landline}:key', 'kept');
  await one?.kill();
  await two?.restart();
  const read = () => connection.get('{landline}:key').catch(() => undefined);
  await waitUntil(async () => (await read()) !== undefined);
  expect(await read()).toBe('kept');
}, 60_000);
