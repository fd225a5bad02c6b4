import { beforeEach, describe, expect, it, onTestFinished, vi } from 'vitest';
import { EVENT_JOB_OPTIONS, JOB_NAME } from '../../src/jobs/job-options.ts';
import type { PostgresBeats } from '../../src/jobs/postgres-beats.ts';
import { openPostgresBeats } from '../../src/shards/postgres-beats.ts';
import { startPrivateRedis, type PrivateRedis } from '../../../../test/support/private-redis.ts';
import { theQueues } from '../support/the-queues.ts';
import { untilAnswered, waitUntil } from '../support/wait-until.ts';

let redis: PrivateRedis;
beforeEach(async () => {
  redis = await startPrivateRedis();
  onTestFinished(() => redis.remove());
});

/** Says which of the workers has the turn. */
const TURN = '{landline}:postgres-beat:turn';
/** How long a turn lasts, in ms. */
const TURN_MS = 900;

function openBeats(): PostgresBeats {
  const beats = openPostgresBeats({ redisUrl: redis.url });
  onTestFinished(() => beats.close());
  return beats;
}

/** What Redis remembers for a worker, connected. Redis has half a second for an answer; a worker asks again at its next beat. */
async function connectedBeats(): Promise<PostgresBeats> {
  const beats = openBeats();
  await untilAnswered(() => beats.takeTurn());
  return {
    ...beats,
    oldestOpenAt: () => untilAnswered(() => beats.oldestOpenAt()),
    noted: (identity) => untilAnswered(() => beats.noted(identity)),
    note: (beat) => untilAnswered(() => beats.note(beat)),
    notedServer: () => untilAnswered(() => beats.notedServer()),
  };
}

describe('the noted beat', () => {
  it('only grows, for each database by itself, and is the same for every worker', async () => {
    const [beats, other] = [await connectedBeats(), await connectedBeats()];
    expect(await beats.noted('a')).toEqual({ seq: undefined, hasOther: false });
    await beats.note({ identity: 'a', seq: 7, server: 's' });
    await other.note({ identity: 'a', seq: 3, server: 's' });
    expect(await beats.noted('a')).toEqual({ seq: 7, hasOther: false });
    await other.note({ identity: 'a', seq: 8, server: 's' });
    expect(await beats.noted('a')).toEqual({ seq: 8, hasOther: false });
    expect(await beats.noted('b')).toEqual({ seq: undefined, hasOther: true });
  });

  it('names the server of the last beat, whichever database it was', async () => {
    const beats = await connectedBeats();
    expect(await beats.notedServer()).toBeUndefined();
    await beats.note({ identity: 'a', seq: 7, server: 'first' });
    await beats.note({ identity: 'b', seq: 1, server: 'second' });
    expect(await beats.notedServer()).toBe('second');
  });
});

describe('the turn', () => {
  it('is given to one of those who ask at once', async () => {
    const all = [openBeats(), openBeats(), openBeats()];
    // Where the machine stalls for as long as a turn lasts, the next one is due.
    const round = async () => {
      await redis.run(['DEL', TURN]);
      const startedAt = performance.now();
      const turns = await Promise.all(all.map((beats) => beats.takeTurn()));
      return performance.now() - startedAt < TURN_MS && turns;
    };
    const turns = await vi.waitUntil(() => untilAnswered(round), { timeout: 20_000 });
    expect(turns.filter(Boolean)).toHaveLength(1);
  });

  it('ends within a second also where the clock of Redis was set back by three hours', async () => {
    const beats = openBeats();
    await waitUntil(() => untilAnswered(() => beats.takeTurn()));
    await redis.run(['SET', TURN, '1', 'PX', String(3 * 3_600_000)]);
    const turn = await vi.waitUntil(() => untilAnswered(() => beats.takeTurn()), { timeout: 20_000 });
    expect(turn).toBe(true);
  });
});

describe('the oldest open job', () => {
  it('is now where there is no job, and else when that job was enqueued', async () => {
    const beats = await connectedBeats();
    const before = Date.now();
    const none = (await beats.oldestOpenAt()) ?? NaN;
    expect([none >= before, none <= Date.now()]).toEqual([true, true]);
    const { events } = await theQueues(redis.url);
    await events.add(JOB_NAME, {}, { ...EVENT_JOB_OPTIONS, timestamp: before - 1000 });
    await events.add(JOB_NAME, {}, EVENT_JOB_OPTIONS);
    expect(await beats.oldestOpenAt()).toBe(before - 1000);
  });

  it('is no later than now where a clock that was ahead enqueued all of them', async () => {
    const beats = await connectedBeats();
    const { events } = await theQueues(redis.url);
    await events.add(JOB_NAME, {}, { ...EVENT_JOB_OPTIONS, timestamp: Date.now() + 3_600_000 });
    expect(await beats.oldestOpenAt()).toBeLessThanOrEqual(Date.now());
  });

  it('is unknown where there are too many jobs', async () => {
    const beats = await connectedBeats();
    const { events } = await theQueues(redis.url);
    await events.addBulk(Array.from({ length: 600 }, () => ({ name: JOB_NAME, data: {} })));
    expect(await beats.oldestOpenAt()).toBeUndefined();
  });
});

it('rejects while Redis is away, and answers when it is back', async () => {
  const beats = openBeats();
  await untilAnswered(() => beats.note({ identity: 'a', seq: 7, server: 's' }));
  await redis.kill();
  const all = [beats.takeTurn(), beats.noted('a'), beats.oldestOpenAt(), beats.requestRedo({ loss: 'a', sinceMs: 0 })];
  expect((await Promise.allSettled(all)).map(({ status }) => status)).toEqual(all.map(() => 'rejected'));
  await redis.restart();
  expect(await untilAnswered(() => beats.noted('a'))).toEqual({ seq: 7, hasOther: false });
});
