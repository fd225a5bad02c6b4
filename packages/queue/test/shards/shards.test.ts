import { beforeEach, describe, expect, it, onTestFinished } from 'vitest';
import { startPrivateRedis, type PrivateRedis } from '../../../../test/support/private-redis.ts';
import { startRedisCluster } from '../../../../test/support/redis-cluster.ts';
import { createActivityWriter } from '../../src/activity/activity-writer.ts';
import { openActivity } from '../../src/activity/activity.ts';
import { openConsoleRequests } from '../../src/requests/open-console-requests.ts';
import { createCanaryMark } from '../../src/shards/canary-mark.ts';
import { watchOldShards, type OldShard } from '../../src/shards/old-shards.ts';
import { openPostgresBeats } from '../../src/shards/postgres-beats.ts';
import { aShard } from '../support/a-shard.ts';
import { anEvent } from '../support/an-event.ts';
import { untilAnswered, waitUntil } from '../support/wait-until.ts';

let servers: PrivateRedis[];
let redisUrl: string;
beforeEach(async () => {
  servers = await Promise.all([startPrivateRedis(), startPrivateRedis()]);
  onTestFinished(async () => void (await Promise.all(servers.map((server) => server.remove()))));
  redisUrl = servers.map(({ url }) => url).join(',');
});

async function connected() {
  const beats = openPostgresBeats({ redisUrl });
  onTestFinished(() => beats.close());
  // It is known only once every shard answers. A question to one that is not connected yet is left out.
  await waitUntil(async () => (await beats.oldestOpenAt()) !== undefined);
  return beats;
}

/** A disk that takes longer than the half second of an answer is tried again, as a worker does at its next beat. */
async function note(beats: Awaited<ReturnType<typeof connected>>, beat: Parameters<typeof beats.note>[0]) {
  await untilAnswered(() => beats.note(beat));
}

describe('the beats of Postgres', () => {
  it('are noted on every shard, so that one of them is enough', async () => {
    const beats = await connected();
    await note(beats, { identity: 'db', seq: 3, server: 's1' });
    await servers[0]?.kill();
    await waitUntil(async () => (await untilAnswered(() => beats.notedServer())) === 's1');
    await waitUntil(async () => (await untilAnswered(() => beats.noted('db'))).seq === 3);
    expect(await beats.noted('db')).toMatchObject({ hasOther: false });
    await note(beats, { identity: 'db', seq: 4, server: 's2' });
    await servers[0]?.restart();
    await servers[1]?.kill();
    // The one that is back knows less, and does not hide what the other knows once that is back as well.
    await waitUntil(async () => (await untilAnswered(() => beats.noted('db'))).seq === 3);
    await servers[1]?.restart();
    await waitUntil(async () => (await untilAnswered(() => beats.noted('db'))).seq === 4);
  });

  it('ask the journals to enqueue again by one request, whichever shard a receiver reads', async () => {
    const beats = await connected();
    expect(await beats.requestRedo({ loss: 'loss', sinceMs: 5 })).toBe(true);
    const requests = await Promise.all(
      servers.map(async ({ url }, shard) => {
        const { beats: read } = await aShard({ redisUrl: url, prefix: `{landline:${shard}}` });
        return read.redoRequests();
      }),
    );
    expect(requests.map((each) => each.map(({ sinceMs }) => sinceMs))).toEqual([[5], [5]]);
    expect(new Set(requests.flat().map(({ id }) => id)).size).toBe(1);
  });

  it('do not say how old the oldest job is while a shard does not answer', async () => {
    const beats = await connected();
    const before = Date.now();
    const shard = await aShard({ redisUrl: servers[1]?.url ?? '', prefix: '{landline:1}' });
    await shard.add([anEvent()], 10);
    await waitUntil(async () => Number.isFinite(await beats.oldestOpenAt()));
    expect(await beats.oldestOpenAt()).toBeGreaterThanOrEqual(before);
    await servers[0]?.kill();
    await waitUntil(async () => (await beats.oldestOpenAt()) === undefined);
  });
});

it('notes the canary on every shard, and the newest counts', async () => {
  const mark = createCanaryMark({ redisUrl });
  onTestFinished(() => mark.close());
  await waitUntil(async () => {
    await mark.note(5);
    return (await mark.newest()) === 5;
  });
  await servers[1]?.kill();
  await mark.note(7);
  expect(await mark.newest()).toBe(7);
  await servers[1]?.restart();
  await servers[0]?.kill();
  // What this process has read stands.
  expect(await mark.newest()).toBe(7);
});

describe('old shards', () => {
  it('are found by their number on every server, once each, also when they come later', async () => {
    const found: OldShard[] = [];
    const put = async (server: number, prefix: string) =>
      (await aShard({ redisUrl: servers[server]?.url ?? '', prefix })).add([anEvent()], 10);
    await put(0, '{landline}');
    await put(0, '{landline:0}'); // this is no old one
    await put(1, '{landline:5}');
    const watch = watchOldShards({ servers: { redisUrl }, onFound: (old) => void found.push(old), lookMs: 20 });
    onTestFinished(() => watch.stop());
    await watch.firstLook;
    const hosts = servers.map(({ url }) => new URL(url).host);
    expect(found.map(({ shard, prefix }) => [shard, prefix])).toEqual([
      [`old-${hosts[0]}`, '{landline}'],
      [`old-5-${hosts[1]}`, '{landline:5}'],
    ]);
    // A request of the console must not be forgotten either.
    const requests = openConsoleRequests({ redisUrl: servers[1]?.url ?? '', prefix: '{landline:63}' });
    onTestFinished(() => requests.close());
    await requests.send({ do: 'unmark', fingerprint: '0123456789ab', at: 7 });
    await waitUntil(() => found.length > 2);
    expect(found.map(({ prefix }) => prefix)).toEqual(['{landline}', '{landline:5}', '{landline:63}']);
  });

  it('are found on every master of a Cluster, where the first shard has the activity', async () => {
    const cluster = await startRedisCluster();
    onTestFinished(() => cluster.remove());
    const two = { redisUrl: cluster.url, queueShards: 2 };
    const writer = createActivityWriter({ ...two, role: 'worker', onError: () => undefined });
    const reader = openActivity(two);
    onTestFinished(async () => void (await Promise.all([writer.close(), reader.close()])));
    writer.start();
    writer.count('applied', 3);
    const prefixes = ['{landline}', '{landline:0}', '{landline:2}', '{landline:3}'];
    await Promise.all(
      prefixes.map(async (prefix) => (await aShard({ redisUrl: cluster.url, prefix })).add([anEvent()], 10)),
    );
    const found: OldShard[] = [];
    const one = { redisUrl: cluster.url, queueShards: 1 };
    const watch = watchOldShards({ servers: one, onFound: (old) => void found.push(old), lookMs: 100 });
    onTestFinished(() => watch.stop());
    // A look leaves out a master that does not answer in time, and the next one asks it again.
    await waitUntil(() => found.length >= 3);
    expect(found.map(({ prefix }) => prefix).toSorted()).toEqual(prefixes.slice(1));
    await waitUntil(async () => (await untilAnswered(() => reader.now())).applied === 3);
    expect(await reader.processes()).toMatchObject([{ role: 'worker' }]);
  });
});
