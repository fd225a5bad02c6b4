import { describe, expect, inject, it, onTestFinished } from 'vitest';
import { startPrivateRedis } from '../../../../test/support/private-redis.ts';
import { noCounts } from '../../src/activity/activity-counts.ts';
import { createActivityWriter } from '../../src/activity/activity-writer.ts';
import { openActivity, type Activity } from '../../src/activity/activity.ts';
import { createPendingCounts } from '../../src/activity/pending-counts.ts';
import { takeBatch } from '../../src/activity/take-batch.ts';
import type { QueueServers } from '../../src/servers/shard-places.ts';
import { aConnection } from '../support/a-connection.ts';
import { ownPrefix } from '../support/an-event.ts';
import { untilAnswered, waitUntil } from '../support/wait-until.ts';

/** 2026-01-01T00:00:00Z */
const MIDNIGHT = 1_767_225_600_000;
const MINUTE = 60_000;

const here = (): QueueServers => ({ redisUrl: inject('redisUrl'), prefix: ownPrefix() });

/** A clock that a test sets. */
const aClock = (at = MIDNIGHT) => ({ at });

/** A started writer that is closed when the test ends, and its errors. */
function aWriter(servers: QueueServers, clock = aClock(), role: 'receiver' | 'worker' = 'receiver') {
  const errors: string[] = [];
  const lost: string[] = [];
  const onError = ({ message }: Error, isLost: boolean) => void (isLost ? lost : errors).push(message);
  const writer = createActivityWriter({ ...servers, role, onError, now: () => clock.at });
  onTestFinished(() => writer.close());
  writer.start();
  return { ...writer, errors, lost };
}

function aReader(servers: QueueServers, clock = aClock()): Activity {
  const reader = openActivity({ ...servers, now: () => clock.at });
  onTestFinished(() => reader.close());
  return reader;
}

/** The accepted events of some minutes, as soon as Redis answers. */
const acceptedIn = async (reader: Activity, minutes = 1) =>
  (await untilAnswered(() => reader.minutes(MIDNIGHT, MIDNIGHT + minutes * MINUTE))).map(({ accepted }) => accepted);

const untilAccepted = (reader: Activity, expected: readonly number[]) =>
  waitUntil(async () => String(await acceptedIn(reader, expected.length)) === String(expected));

describe('the activity', () => {
  it('arrives within seconds, and what two processes counted adds up', async () => {
    const servers = here();
    const clock = aClock(MIDNIGHT + 59_900);
    const [receiver, worker] = [aWriter(servers, clock), aWriter(servers, clock, 'worker')];
    const reader = aReader(servers, clock);
    receiver.count('accepted', 3);
    receiver.count('refused');
    worker.count('accepted', 4);
    worker.count('dead');
    worker.observeReceiptToRow(7);
    clock.at = MIDNIGHT + 60_100;
    receiver.count('accepted', 10);
    await untilAccepted(reader, [7, 10]);
    const [first] = await untilAnswered(() => reader.minutes(MIDNIGHT, MIDNIGHT + MINUTE));
    const receiptToRow = noCounts().receiptToRow.map((_, i) => (i === 1 ? 1 : 0));
    const others = { applied: 0, fetched: 0, ignored: 0, duplicate: 0 };
    expect(first).toEqual({ at: MIDNIGHT, accepted: 7, refused: 1, ...others, dead: 1, receiptToRow });
    // The console shows a rate: both minutes lie within the last one, and so does half of the slot in which it begins.
    expect(await untilAnswered(() => reader.now())).toMatchObject({ at: MIDNIGHT + 100, accepted: 17, refused: 1 });
    clock.at = MIDNIGHT + 117_500;
    expect(await untilAnswered(() => reader.now())).toMatchObject({ accepted: 14 });
    clock.at = MIDNIGHT + 125_000;
    expect(await untilAnswered(() => reader.now())).toMatchObject({ accepted: 0, refused: 0 });
  });

  it('waits while Redis is away, comes in the minutes that it belongs to, and goes on after Redis was emptied', async () => {
    const redis = await startPrivateRedis();
    onTestFinished(() => redis.remove());
    const clock = aClock();
    const writer = aWriter({ redisUrl: redis.url }, clock);
    const reader = aReader({ redisUrl: redis.url }, clock);
    writer.count('accepted', 1);
    await untilAccepted(reader, [1]);
    await redis.kill();
    writer.count('accepted', 2);
    await waitUntil(() => writer.errors.length > 0);
    clock.at += MINUTE;
    writer.count('accepted', 3);
    await expect(reader.now()).rejects.toMatchObject({ code: 'queue_unavailable' });
    await redis.restart();
    await untilAccepted(reader, [3, 3]);
    await redis.run(['FLUSHALL']);
    writer.count('accepted', 4);
    await untilAccepted(reader, [0, 4]);
    await writer.close();
    expect(writer.lost).toEqual([]);
  });

  it('says what is lost where a process ends before it is connected, and asks nothing after that', async () => {
    const writer = aWriter(here());
    writer.count('accepted', 1);
    await writer.close();
    const [errors, lost] = [[...writer.errors], [...writer.lost]];
    // By now the attempt to connect would have ended.
    const reader = aReader(here());
    await untilAccepted(reader, [0]);
    expect({ errors, lost: lost.length, later: [writer.errors, writer.lost] }).toEqual({
      errors: [],
      lost: 1,
      later: [[], lost],
    });
  });

  it('keeps nothing from its way, also where Redis is frozen', async () => {
    const redis = await startPrivateRedis();
    onTestFinished(() => redis.remove());
    const clock = aClock();
    const writer = aWriter({ redisUrl: redis.url }, clock);
    const reader = aReader({ redisUrl: redis.url }, clock);
    await untilAccepted(reader, [0]);
    redis.freeze();
    writer.count('accepted', 5);
    await waitUntil(() => writer.errors.length > 0);
    // Both end by their limits, of which none is longer than five seconds: Redis is frozen until they have.
    const askedAt = performance.now();
    await Promise.all([expect(reader.now()).rejects.toMatchObject({ code: 'queue_unavailable' }), writer.close()]);
    expect(performance.now() - askedAt).toBeLessThan(20_000);
    // A process that ends writes nothing later, and says so.
    expect([writer.errors.length, writer.lost.length]).toEqual([1, 1]);
    redis.thaw();
    // The answer was lost, and not the count: Redis had the command.
    await untilAccepted(reader, [5]);
  });

  it('counts a batch once whose answer was lost, and lies in one slot of a Cluster', async () => {
    const prefix = ownPrefix();
    const connection = await aConnection();
    const pending = createPendingCounts(() => MIDNIGHT);
    pending.count('accepted', 5);
    const batch = { ...(pending.take() ?? { minutes: [], slots: [] }), number: 1 };
    const taken = { run: 'a', batch, now: MIDNIGHT };
    await takeBatch(connection, prefix, taken);
    await takeBatch(connection, prefix, taken);
    await takeBatch(connection, prefix, { ...taken, run: 'b' });
    await takeBatch(connection, prefix, { ...taken, batch: { ...batch, number: 2 }, sample: '{}' });
    expect(await acceptedIn(aReader({ redisUrl: inject('redisUrl'), prefix }))).toEqual([15]);
    const keys = await connection.keys(`${prefix}:*`);
    expect(keys).toHaveLength(5);
    const ttls = await Promise.all(keys.toSorted().map((key) => connection.pttl(key)));
    const [minute, samples, slot, ...numbers] = ttls.map((ms) => Math.ceil(ms / 60_000));
    expect({ minute, samples, slot, numbers }).toEqual({ minute: 1500, samples: 1, slot: 3, numbers: [1500, 1500] });
  });

  it('expires when it would have expired in time, however late it comes', async () => {
    const prefix = ownPrefix();
    const connection = await aConnection();
    const pending = createPendingCounts(() => MIDNIGHT);
    pending.count('accepted', 5);
    const batch = { ...(pending.take() ?? { minutes: [], slots: [] }), number: 1 };
    await takeBatch(connection, prefix, { run: 'a', batch, now: MIDNIGHT + 24 * 60 * MINUTE });
    const minute = `${prefix}:activity:minute:${MIDNIGHT}`;
    expect((await connection.keys(`${prefix}:*`)).toSorted()).toEqual([minute, `${prefix}:activity:taken:a`]);
    expect(Math.ceil((await connection.pttl(minute)) / MINUTE)).toBe(60);
  });

  it('reaches back 25 hours', async () => {
    const servers = here();
    const clock = aClock(MIDNIGHT + 30 * 60 * MINUTE);
    const reader = aReader(servers, clock);
    const all = await untilAnswered(() => reader.minutes(0, MIDNIGHT + 90 * 60 * MINUTE));
    expect(all).toHaveLength(1501);
    expect([all[0]?.at, all.at(-1)?.at]).toEqual([MIDNIGHT + 5 * 60 * MINUTE, clock.at]);
    expect(await reader.minutes(clock.at, clock.at - 1)).toEqual([]);
  });
});

const sampleAt = (at: number) => `${at} {"role":"worker","id":"w:1","gauges":{}}`;

describe('the processes', () => {
  it('tell of themselves, and leave the list when they close', async () => {
    const servers = here();
    const reader = aReader(servers);
    const receiver = aWriter(servers);
    receiver.gauges(() => ({ spoolFiles: 2, diskFree: NaN }));
    const worker = aWriter(servers, aClock(), 'worker');
    worker.gauges(() => {
      throw new Error('not now');
    });
    const processes = () => untilAnswered(() => reader.processes());
    await waitUntil(async () => (await processes()).length === 2);
    const found = await processes();
    expect(found.map(({ role, gauges }) => ({ role, gauges }))).toEqual([
      { role: 'receiver', gauges: { spoolFiles: 2 } },
      { role: 'worker', gauges: {} },
    ]);
    expect(found[0]?.id).toMatch(new RegExp(`:${process.pid}$`));
    // Told once. A stall of the machine is told of as well.
    expect(worker.errors.filter((message) => !message.includes('timed out'))).toEqual(['not now']);
    await receiver.close();
    expect((await processes()).map(({ role }) => role)).toEqual(['worker']);
  });

  it('are forgotten 15 seconds after their last sample', async () => {
    const servers = here();
    const { prefix = '' } = servers;
    const reader = aReader(servers);
    const connection = await aConnection();
    const key = `${prefix}:activity:processes`;
    /** It stays as old as that while the others are waited for. */
    const stillNewer = () => connection.hset(key, { newer: sampleAt(Date.now() - 10_000) });
    await connection.hset(key, { old: sampleAt(Date.now() - 16_000), odd: '{}' });
    await stillNewer();
    expect(await untilAnswered(() => reader.processes())).toHaveLength(1);
    aWriter(servers);
    await waitUntil(async () => {
      await stillNewer();
      return (await untilAnswered(() => reader.processes())).length === 2;
    });
    // The next sample of another process removes it from Redis, too.
    expect((await connection.hkeys(key)).filter((name) => ['old', 'newer', 'odd'].includes(name))).toEqual(['newer']);
    expect(await connection.pttl(key)).toBeLessThanOrEqual(15_000);
  });
});
