import { expect, onTestFinished, test, vi } from 'vitest';
import { NOTHING_LOST, startLineUnderLoad } from './support/line-under-load.ts';
import { startPrivateRedis } from './support/private-redis.ts';
import { makeCertificate } from './support/certificate.ts';
import { startRedisCluster } from './support/redis-cluster.ts';
import { startWatchedRedis } from './support/redis-sentinel.ts';
import { makeTempFolder } from './support/temp-folder.ts';
import { startTlsRedis } from './support/tls-redis.ts';

test('several servers: one killed under load, and back later, costs no event', async () => {
  const servers = await Promise.all([startPrivateRedis(), startPrivateRedis(), startPrivateRedis()]);
  onTestFinished(async () => void (await Promise.all(servers.map((server) => server.remove()))));
  const line = await startLineUnderLoad({ REDIS_URL: servers.map(({ url }) => url).join(',') });
  await line.untilMore();
  await servers[1]?.kill();
  await line.untilMore();
  await servers[1]?.restart();
  await line.untilMore();
  expect(await line.end()).toEqual(NOTHING_LOST);
}, 240_000);

test('one server: from one shard to four and back under load costs no event', async () => {
  const redis = await startPrivateRedis();
  onTestFinished(() => redis.remove());
  const line = await startLineUnderLoad({ REDIS_URL: redis.url });
  for (const QUEUE_SHARDS of ['4', '1']) {
    // oxlint-disable no-await-in-loop -- one after the other
    await line.untilMore();
    await line.replace({ REDIS_URL: redis.url, QUEUE_SHARDS });
    await line.untilMore();
    // oxlint-enable no-await-in-loop
  }
  expect(await line.end()).toEqual(NOTHING_LOST);
}, 240_000);

test('Sentinel: a failover under load costs no event', async () => {
  const watched = await startWatchedRedis();
  onTestFinished(() => watched.remove());
  const line = await startLineUnderLoad({ REDIS_URL: watched.url });
  await line.untilMore();
  await watched.master.kill();
  const isPromoted = async () => String(await watched.replica.run(['ROLE']).catch(() => '')).startsWith('master');
  await vi.waitUntil(isPromoted, { timeout: 20_000, interval: 50 });
  await line.untilMore();
  expect(await line.end()).toEqual(NOTHING_LOST);
}, 240_000);

test('TLS: apps trust the authority that REDIS_CA_FILE names', async () => {
  const { url, caFile, redis } = await startTlsRedis();
  onTestFinished(() => redis.remove());
  const line = await startLineUnderLoad({ REDIS_URL: url, REDIS_CA_FILE: caFile });
  await line.untilMore();
  expect(await line.end()).toEqual(NOTHING_LOST);
}, 240_000);

test('TLS with a Redis Cluster: a master killed under load costs no event', async () => {
  const certificate = await makeCertificate(await makeTempFolder());
  const cluster = await startRedisCluster({ hasReplicas: true, certificate });
  onTestFinished(() => cluster.remove());
  const line = await startLineUnderLoad({ REDIS_URL: cluster.url, REDIS_CA_FILE: certificate.caFile });
  await line.untilMore();
  await cluster.masters[2]?.kill();
  await line.untilMore();
  expect(await line.end()).toEqual(NOTHING_LOST);
}, 240_000);
