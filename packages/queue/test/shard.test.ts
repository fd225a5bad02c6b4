import { expect, it, onTestFinished } from 'vitest';
import { startPrivateRedis } from '../../../test/support/private-redis.ts';
import { QueueUnavailableError } from '../src/errors.ts';
import { aShard } from './support/a-shard.ts';
import { A_REFERENCE, anEvent } from './support/an-event.ts';
import { theQueues } from './support/the-queues.ts';
import { waitUntil } from './support/wait-until.ts';
import { logInAs } from './support/log-in-as.ts';

async function aRedis() {
  const redis = await startPrivateRedis();
  onTestFinished(() => redis.remove());
  return redis;
}

it('adds events as one job that is kept when it fails and gone when it is done', async () => {
  const redis = await aRedis();
  const shard = await aShard({ redisUrl: redis.url });
  const events = [anEvent('one'), anEvent('two')];
  await shard.add(events, 6);
  const [job, ...others] = await (await theQueues(redis.url)).events.getWaiting();
  expect(others).toEqual([]);
  expect(job?.data).toEqual({ v: 1, events });
  expect(job?.opts).toMatchObject({ attempts: 8, backoff: { type: 'custom' }, removeOnFail: false });
});

it('adds the reference of a large body to the job as it is', async () => {
  const redis = await aRedis();
  const shard = await aShard({ redisUrl: redis.url });
  const events = [{ ...anEvent('envelope'), reference: A_REFERENCE }, anEvent('whole')];
  await shard.add(events, 13);
  const [job] = await (await theQueues(redis.url)).events.getWaiting();
  expect(job?.data).toEqual({ v: 2, events });
});

it('says why no job should be added while Redis is away, and takes jobs again when it is back', async () => {
  const redis = await aRedis();
  const shard = await aShard({ redisUrl: redis.url });
  expect([shard.status(), shard.fault()]).toEqual(['ready', undefined]);
  await redis.kill();
  await expect(shard.add([anEvent()], 100)).rejects.toThrow(QueueUnavailableError);
  expect([shard.status(), shard.fault()]).toEqual(['away', expect.any(QueueUnavailableError)]);
  await redis.restart();
  await waitUntil(() => shard.status() === 'ready');
  await shard.add([anEvent()], 100);
  expect(await (await theQueues(redis.url)).events.getWaitingCount()).toBe(1);
});

it('leaves beats under a key of its own, which Redis forgets after a week', async () => {
  const redis = await aRedis();
  const { beats } = await aShard({ redisUrl: redis.url });
  const key = `${beats.keyPrefix}one`;
  expect([await beats.read(key), await beats.leave(key, 1000)]).toEqual([undefined, undefined]);
  expect([await beats.leave(key, 2000), await beats.read(key)]).toEqual([1000, 2000]);
  const days = Number(await redis.run(['TTL', key])) / 86_400;
  expect([days > 6.9, days <= 7]).toEqual([true, true]);
});

it('knows another Redis by its identity: after a restart, and after a promotion', async () => {
  const redis = await aRedis();
  const shard = await aShard({ redisUrl: redis.url });
  const first = await shard.beats.identity();
  expect(await shard.beats.identity()).toBe(first);
  await redis.run(['REPLICAOF', '127.0.0.1', '1']);
  await redis.run(['REPLICAOF', 'NO', 'ONE']);
  await waitUntil(async () => (await shard.beats.identity().catch(() => first)) !== first);
  const promoted = await shard.beats.identity();
  await redis.restart();
  await waitUntil(() =>
    shard.beats.identity().then(
      (now) => now !== promoted,
      () => false,
    ),
  );
});

it('takes a Redis that forbids INFO for another at each connection', async () => {
  const redis = await aRedis();
  await redis.run(['ACL', 'SETUSER', 'guest', 'reset', 'on', '>guest', '~*', '&*', '+@all', '-info']);
  const { beats } = await aShard({ redisUrl: logInAs(redis.url, 'guest', 'guest') });
  expect(await beats.identity()).toBe('connection 1');
  await redis.run(['CLIENT', 'KILL', 'TYPE', 'normal']);
  await waitUntil(() =>
    beats.identity().then(
      (now) => now === 'connection 2',
      () => false,
    ),
  );
});
