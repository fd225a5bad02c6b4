import { expect, inject, onTestFinished, test } from 'vitest';
import { openTrackedJobs } from '../../src/operations/tracked-jobs.ts';
import { startPrivateRedis } from '../../../../test/support/private-redis.ts';
import { aConsumer } from '../support/a-consumer.ts';
import { anEvent, ownPrefix } from '../support/an-event.ts';
import { theQueues } from '../support/the-queues.ts';
import { untilAnswered, waitUntil } from '../support/wait-until.ts';

const redisUrl = inject('redisUrl');

async function open(options: { queueShards?: number; redisUrl?: string } = {}) {
  const place = { redisUrl, prefix: ownPrefix(), ...options };
  const jobs = openTrackedJobs(place);
  onTestFinished(() => jobs.close());
  return { jobs, place };
}

const nothing = (): void => undefined;

const aJob = (id: string) => ({ id, events: [anEvent(`{"job":"${id}"}`)], bytes: 20 });

test('a job is pending until a worker has done it, and gone afterwards', async () => {
  const { jobs, place } = await open();
  await jobs.add(aJob('replay-1'));
  expect(await jobs.states(['replay-1', 'unknown'])).toEqual(['pending', 'gone']);
  let finish = nothing;
  const consumer = aConsumer({ ...place, process: () => new Promise((resolve) => (finish = resolve)) });
  await waitUntil(() => consumer.jobs.length === 1);
  expect(await jobs.states(['replay-1'])).toEqual(['pending']);
  finish();
  await waitUntil(async () => (await untilAnswered(() => jobs.states(['replay-1'])))[0] === 'gone');
});

test('a job that rests in failed is told', async () => {
  const { jobs, place } = await open();
  const { events } = await theQueues(redisUrl, place.prefix);
  await jobs.add(aJob('replay-1'));
  await events.getJob('replay-1').then((job) => job?.remove());
  await events.add('1 event', { v: 99 }, { jobId: 'replay-1', removeOnFail: false });
  aConsumer(place);
  await expect.poll(() => jobs.states(['replay-1']), { timeout: 20_000 }).toEqual(['failed']);
});

test('a job that is there already is not written again', async () => {
  const { jobs, place } = await open();
  await jobs.add(aJob('replay-1'));
  await jobs.add(aJob('replay-1'));
  const { events } = await theQueues(redisUrl, place.prefix);
  expect(await events.getWaitingCount()).toBe(1);
});

test('jobs are taken back that no worker has begun', async () => {
  const { jobs, place } = await open();
  let finish = nothing;
  const consumer = aConsumer({ ...place, process: () => new Promise((resolve) => (finish = resolve)) });
  await jobs.add(aJob('replay-1'));
  await waitUntil(() => consumer.jobs.length === 1);
  await jobs.add(aJob('replay-2'));
  expect(await jobs.takeBack(['replay-1', 'replay-2'])).toEqual(['replay-2']);
  expect(await jobs.states(['replay-1', 'replay-2'])).toEqual(['pending', 'gone']);
  finish();
  const { events } = await theQueues(redisUrl, place.prefix);
  await waitUntil(async () => (await events.getJobCountByTypes('active')) === 0);
  // A job that is done is not taken back.
  expect(await jobs.takeBack(['replay-1'])).toEqual([]);
});

test('jobs are spread over the shards, and each is found where it is', async () => {
  const { jobs, place } = await open({ queueShards: 2 });
  const ids = ['a', 'b', 'c', 'd'].map((name) => `replay-${name}`);
  for (const id of ids) await jobs.add(aJob(id));
  expect(await jobs.states(ids)).toEqual(ids.map(() => 'pending'));
  for (const shard of [0, 1]) {
    const { events } = await theQueues(redisUrl, `${place.prefix.slice(0, -1)}:${shard}}`);
    expect(await events.getWaitingCount()).toBe(2);
  }
});

test('while Redis is away every question says so, and all goes on when it is back', async () => {
  const redis = await startPrivateRedis();
  onTestFinished(() => redis.remove());
  const { jobs } = await open({ redisUrl: redis.url });
  await jobs.add(aJob('replay-1'));
  await redis.kill();
  const away = { code: 'queue_unavailable' };
  await expect(jobs.states(['replay-1'])).rejects.toMatchObject(away);
  await expect(jobs.add(aJob('replay-2'))).rejects.toMatchObject(away);
  await expect(jobs.hasRoom()).rejects.toMatchObject(away);
  await redis.restart();
  expect(await untilAnswered(() => jobs.hasRoom())).toBe(true);
  expect(await untilAnswered(() => jobs.states(['replay-1']))).toEqual(['pending']);
});

test('a Redis that is three quarters full has no room', async () => {
  const redis = await startPrivateRedis();
  onTestFinished(() => redis.remove());
  const { jobs } = await open({ redisUrl: redis.url });
  expect(await jobs.hasRoom()).toBe(true);
  await redis.run(['CONFIG', 'SET', 'maxmemory', '40mb']);
  expect(await jobs.hasRoom()).toBe(true);
  // A command that carries so many bytes would be refused for its own buffer.
  await redis.run(['SETRANGE', 'ballast', '32000000', 'x']);
  expect(await jobs.hasRoom()).toBe(false);
});
