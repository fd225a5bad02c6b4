import { expect, it, onTestFinished } from 'vitest';
import { type PrivateRedis, startPrivateRedis } from '../../../../test/support/private-redis.ts';
import { startTcpProxy, type TcpProxy } from '../../../../test/support/tcp-proxy.ts';
import { QueueUnavailableError } from '../../src/errors.ts';
import { openSlowWriter, type SlowJob, type SlowWriter } from '../../src/jobs/slow-writer.ts';
import { slowWriteLimitMs } from '../../src/redis/slow-connection.ts';
import { anEvent } from '../support/an-event.ts';
import { theQueues } from '../support/the-queues.ts';

const JOB: SlowJob = { id: 'journal-one', events: [anEvent('one')], bytes: 3 };

interface Scene {
  redis: PrivateRedis;
  line: TcpProxy;
  writer: SlowWriter;
  /** The ids of the jobs that wait. */
  ids: () => Promise<unknown[]>;
}

async function aWriter(): Promise<Scene> {
  const redis = await startPrivateRedis();
  onTestFinished(() => redis.remove());
  const line = await startTcpProxy(redis.url);
  onTestFinished(() => line.close());
  const writer = openSlowWriter({ redisUrl: line.url, prefix: 'bull' });
  onTestFinished(() => writer.close());
  return {
    redis,
    line,
    writer,
    ids: async () => (await (await theQueues(redis.url, 'bull')).events.getWaiting()).map(({ id }) => id),
  };
}

it('has five seconds, one more for each MiB, and twice as much after each failure', () => {
  expect([0, 1024 ** 2, 8 * 1024 ** 2].map((bytes) => slowWriteLimitMs(bytes))).toEqual([5000, 6000, 13_000]);
  expect([1, 2, 5, 6, 100].map((failures) => slowWriteLimitMs(0, failures))).toEqual([
    10_000, 20_000, 160_000, 160_000, 160_000,
  ]);
});

it('writes a job once, however often it is asked to', async () => {
  const { writer, ids } = await aWriter();
  await writer.write(JOB);
  await writer.write(JOB);
  expect(await ids()).toEqual(['journal-one']);
});

it('rejects when its connection is cut before Redis has answered, and then finds the job there', async () => {
  const { line, writer, ids } = await aWriter();
  await writer.write({ ...JOB, id: 'journal-zero' });
  line.after('journal-one-marked', 'cut');
  const job = { ...JOB, events: [anEvent('journal-one-marked')] };
  await expect(writer.write(job)).rejects.toThrow(QueueUnavailableError);
  await writer.write(job);
  expect(await ids()).toEqual(['journal-zero', 'journal-one']);
});

it('knows after a cut that a new job is there, so that it is written once', async () => {
  const { line, writer, ids } = await aWriter();
  await writer.write({ ...JOB, id: 'journal-zero' });
  line.after('journal-one-marked', 'cut');
  await writer.writeNew({ ...JOB, events: [anEvent('journal-one-marked')] });
  expect(await ids()).toEqual(['journal-zero', 'journal-one']);
});

it('cannot be reached while Redis is down, and is reached again afterwards', async () => {
  const { redis, writer, ids } = await aWriter();
  await redis.kill();
  expect(await writer.isReachable()).toBe(false);
  await expect(writer.write(JOB)).rejects.toThrow('Redis cannot be reached');
  await redis.restart();
  await writer.write(JOB).catch(() => writer.write(JOB));
  expect(await ids()).toEqual(['journal-one']);
});

it('closes though it was never used, and cannot be reached afterwards', async () => {
  const { writer } = await aWriter();
  await writer.close();
  expect(await writer.isReachable()).toBe(false);
});
