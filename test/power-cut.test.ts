import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { listJournal } from '@landline/journal';
import { afterAll, beforeAll, describe, expect, onTestFinished, test, vi } from 'vitest';
import { choosePort } from '../apps/cli/src/services/choose-port.ts';
import { compileShim, type Shim } from './power-cut/compile-shim.ts';
import { cutPower } from './power-cut/cut-power.ts';
import { queuedBodies, startRedisUnderShim, type RedisOptions } from './power-cut/redis-under-shim.ts';
import { sendUntilKilled } from './power-cut/send-until-killed.ts';
import { startApp } from './support/app-process.ts';
import { SECRET } from './support/post.ts';
import { startPrivateRedis } from './support/private-redis.ts';
import { makeTempFolder } from './support/temp-folder.ts';

/** After how many events answered 200 the power goes. */
const CUTS = [1, 300];

/** How often the check may look for a loss that is there nearly every time. */
const TRIES = 5;

interface Outcome {
  answered: string[];
  lost: string[];
}

// SIGKILL alone proves no fsync: what was written outlives the process in the system's memory.
describe.skipIf(process.platform !== 'linux')('a simulated power cut (on Linux alone: it preloads a library)', () => {
  let shim: Shim;
  beforeAll(async () => {
    shim = await compileShim();
  }, 300_000);
  afterAll(() => shim.remove());

  const shimmed = (syncLog: string) => ({ LD_PRELOAD: shim.path, SYNC_LOG: syncLog });

  /** Cuts the power of a Redis that takes the events of a receiver without a journal. */
  async function cutRedis(appendfsync: RedisOptions['appendfsync'], killAfter: number): Promise<Outcome> {
    const folder = await makeTempFolder();
    const [dir, syncLog] = [join(folder, 'data'), join(folder, 'syncs')];
    await mkdir(dir);
    const redis = await startRedisUnderShim({ dir, appendfsync, env: shimmed(syncLog) });
    const receiver = await startReceiver({ REDIS_URL: redis.url });
    const answered = await sendUntilKilled(receiver.url, killAfter, redis.kill);
    await receiver.kill();
    await cutPower(dir, { syncLog, losesNames: false });
    const again = await startRedisUnderShim({ dir, appendfsync });
    const queued = await queuedBodies(again.url);
    return { answered, lost: answered.filter((body) => !queued.has(body)) };
  }

  /** Cuts the power of a receiver that no Redis is there for, and starts the next one with a Redis. */
  async function cutJournal(env: Readonly<Record<string, string>>, killAfter: number): Promise<Outcome> {
    const folder = await makeTempFolder();
    const [dir, syncLog] = [join(folder, 'journal'), join(folder, 'syncs')];
    const nowhere = `redis://127.0.0.1:${await choosePort(0)}`;
    const first = await startReceiver({ REDIS_URL: nowhere, JOURNAL_DIR: dir, ...shimmed(syncLog), ...env });
    const answered = await sendUntilKilled(first.url, killAfter, first.kill);
    await cutPower(dir, { syncLog, losesNames: true });
    const redis = await startPrivateRedis();
    onTestFinished(() => redis.remove());
    await startReceiver({ REDIS_URL: redis.url, JOURNAL_DIR: dir });
    const isEnqueued = async () => (await listJournal(dir)).every(({ pendingRecords }) => pendingRecords === 0);
    // Twice: a file that is being taken over may be in neither folder when they are listed, once.
    const isCaughtUp = async () => (await isEnqueued()) && isEnqueued();
    await vi.waitUntil(isCaughtUp, { timeout: 20_000, interval: 50 });
    const queued = await queuedBodies(redis.url);
    return { answered, lost: answered.filter((body) => !queued.has(body)) };
  }

  test.each(CUTS)("Redis' file alone holds every event answered 200: cut after %i", async (killAfter) => {
    const { answered, lost } = await cutRedis('always', killAfter);
    expect(answered.length).toBeGreaterThanOrEqual(killAfter);
    expect(lost).toEqual([]);
  });

  test.each(CUTS)('the journal alone holds every event answered 200: cut after %i', async (killAfter) => {
    const { answered, lost } = await cutJournal({}, killAfter);
    expect(answered.length).toBeGreaterThanOrEqual(killAfter);
    expect(lost).toEqual([]);
  });

  test('the check fails with appendfsync everysec', async () => {
    await expect(untilLost(() => cutRedis('everysec', 60))).resolves.toBeGreaterThan(0);
  }, 60_000);

  test('the check fails where nothing that the journal holds is noted as durable', async () => {
    await expect(untilLost(() => cutJournal({ SYNC_TAKEN_OUT: '1' }, 60))).resolves.toBeGreaterThan(0);
  }, 60_000);
});

/** Starts a receiver, and answers how to end it with SIGKILL. */
async function startReceiver(env: Readonly<Record<string, string>>) {
  const receiver = await startApp('receiver', { env: { ELEVENLABS_WEBHOOK_SECRET: SECRET, ...env } });
  const kill = async () => {
    receiver.kill('SIGKILL');
    await receiver.exited;
  };
  onTestFinished(kill);
  return { url: receiver.url, kill };
}

/** How many events were lost, at the first cut that lost any. */
async function untilLost(cut: () => Promise<Outcome>): Promise<number> {
  for (let i = 0; i < TRIES; i++) {
    // oxlint-disable-next-line no-await-in-loop -- one cut after the other
    const { lost } = await cut();
    if (lost.length > 0) return lost.length;
  }
  return 0;
}
