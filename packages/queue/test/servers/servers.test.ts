import { describe, expect, it, onTestFinished } from 'vitest';
import { makeCertificate } from '../../../../test/support/certificate.ts';
import { moveSlot, startRedisCluster } from '../../../../test/support/redis-cluster.ts';
import { startWatchedRedis } from '../../../../test/support/redis-sentinel.ts';
import { makeTempFolder } from '../../../../test/support/temp-folder.ts';
import { startTlsRedis } from '../../../../test/support/tls-redis.ts';
import { readQueueServers } from '../../src/servers/read-servers.ts';
import type { Place } from '../../src/servers/place.ts';
import { aConsumer } from '../support/a-consumer.ts';
import { aShard } from '../support/a-shard.ts';
import { anEvent } from '../support/an-event.ts';
import { waitUntil } from '../support/wait-until.ts';

/** A shard, and a consumer of it. */
async function aLine(place: Place) {
  const shard = await aShard(place);
  const consumer = aConsumer(place);
  /** Adds an event as soon as the shard takes one, and waits until it is consumed. */
  const passes = async (body: string) => {
    await waitUntil(() =>
      shard.add([anEvent(body)], body.length).then(
        () => true,
        () => false,
      ),
    );
    await waitUntil(() => consumer.jobs.some(({ events }) => events.some((event) => event.body === body)));
  };
  return { shard, consumer, passes };
}

describe('TLS', () => {
  it('trusts the authority of REDIS_CA and no other', async () => {
    const { url, ca, redis } = await startTlsRedis();
    onTestFinished(() => redis.remove());
    const line = await aLine({ redisUrl: url, redisCa: ca });
    await line.passes('over TLS');
    const distrustful = await aShard({ redisUrl: url });
    expect(distrustful.fault()?.message).toMatch(/self-signed certificate|unable to verify/);
  });

  it('leads to the master that a Sentinel names, and to the next one', async () => {
    const certificate = await makeCertificate(await makeTempFolder());
    const watched = await startWatchedRedis({ certificate });
    onTestFinished(() => watched.remove());
    const line = await aLine({ redisUrl: watched.url, redisCa: certificate.ca });
    await line.passes('before');
    await watched.master.kill();
    await line.passes('after');
    expect(String(await watched.replica.run(['ROLE']))).toMatch(/^master/);
    const distrustful = await aShard({ redisUrl: watched.url });
    expect(distrustful.fault()?.message).toMatch(/self-signed certificate|unable to verify/);
  }, 60_000);

  it('leads to the masters of a Cluster, and to the replica of one that died', async () => {
    const certificate = await makeCertificate(await makeTempFolder());
    const cluster = await startRedisCluster({ hasReplicas: true, certificate });
    onTestFinished(() => cluster.remove());
    const place = { redisUrl: cluster.url, redisCa: certificate.ca };
    expect(await readQueueServers({ REDIS_URL: cluster.url, REDIS_CA: certificate.ca })).toMatchObject({
      queueShards: 4,
    });
    const lines = await Promise.all(['{landline}', '{landline:0}'].map((prefix) => aLine({ ...place, prefix })));
    await Promise.all(lines.map((line) => line.passes('before')));
    await cluster.masters[1]?.kill();
    await Promise.all(lines.map((line) => line.passes('after')));
    expect(String(await cluster.replicas[1]?.run(['ROLE']))).toMatch(/^master/);
    const distrustful = await aShard({ redisUrl: cluster.url });
    expect(distrustful.fault()?.message).toMatch(/self-signed certificate|unable to verify/);
  }, 60_000);
});

describe('Sentinel', () => {
  it('finds the master, and the next one after a failover', async () => {
    const watched = await startWatchedRedis();
    onTestFinished(() => watched.remove());
    const line = await aLine({ redisUrl: watched.url });
    await line.passes('before');
    const before = await line.shard.beats.identity();
    await watched.master.kill();
    await line.passes('after');
    expect(await line.shard.beats.identity()).not.toBe(before);
    expect(String(await watched.replica.run(['ROLE']))).toMatch(/^master/);
  }, 60_000);
});

describe('Cluster', () => {
  it('finds the master of each prefix, and goes on when a slot has moved', async () => {
    const cluster = await startRedisCluster();
    onTestFinished(() => cluster.remove());
    const [one, two, three] = cluster.masters;
    if (one === undefined || two === undefined || three === undefined) throw new Error('three masters');
    const prefixes = ['{landline}', '{landline:0}', '{landline:2}'];
    const lines = await Promise.all(prefixes.map((prefix) => aLine({ redisUrl: cluster.url, prefix })));
    await Promise.all(lines.map((line) => line.passes('first')));
    const masters = await Promise.all(lines.map((line) => line.shard.beats.identity()));
    expect(new Set(masters).size).toBe(3);
    expect(await readQueueServers({ REDIS_URL: cluster.url })).toMatchObject({ queueShards: 4 });

    await moveSlot({ key: '{landline}', from: two, to: three });
    await lines[0]?.passes('after the move');
    expect(await lines[0]?.shard.beats.identity()).toBe(masters[1]);
  }, 60_000);

  it('goes on with the replica of a master that died', async () => {
    const cluster = await startRedisCluster({ hasReplicas: true });
    onTestFinished(() => cluster.remove());
    const line = await aLine({ redisUrl: cluster.url });
    await line.passes('before');
    await cluster.masters[1]?.kill();
    await line.passes('after');
    expect(String(await cluster.replicas[1]?.run(['ROLE']))).toMatch(/^master/);
  }, 60_000);
});
