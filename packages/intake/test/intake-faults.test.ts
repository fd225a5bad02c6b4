import { setImmediate as turn } from 'node:timers/promises';
import { inspect } from 'node:util';
import { afterEach, beforeEach, describe, expect, it, onTestFinished } from 'vitest';
import { createProducerConnection, QueueUnavailableError, RedisRefusedError } from '@landline/queue';
import { type PrivateRedis, startPrivateRedis } from '../../../test/support/private-redis.ts';
import { anIntake, type TestIntake } from './support/an-intake.ts';
import { anEvent } from '../../queue/test/support/an-event.ts';
import { waitUntil } from '../../queue/test/support/wait-until.ts';
import { logInAs } from '../../queue/test/support/log-in-as.ts';

/** For what is refused without any wait: no machine stalls for so long. */
const LONG_MS = 60_000;
/** For what waits for it, as nothing else tells that Redis is frozen. */
const TIMEOUT_MS = 1000;
/** How a wait ends by that limit, and not by that of the socket or by none. */
const BY_THE_TIMEOUT = /within 1000 ms|Command timed out/;

let redis: PrivateRedis;

beforeEach(async () => {
  redis = await startPrivateRedis();
});

afterEach(() => redis.remove());

async function started(enqueueTimeoutMs = LONG_MS): Promise<TestIntake> {
  const intake = anIntake({ redisUrl: redis.url, enqueueTimeoutMs });
  await intake.start();
  expect(intake.status()).toBe('ready');
  return intake;
}

/** Why an event is refused, with its cause. */
async function refusal(intake: TestIntake): Promise<string> {
  const error: unknown = await intake.accept(anEvent()).catch((thrown: unknown) => thrown);
  expect(error).toBeInstanceOf(QueueUnavailableError);
  return inspect(error);
}

/** Expects that an event is refused in the same turn of the event loop: whoever waits for anything answers in a later one. */
async function expectRefusedAtOnce(intake: TestIntake): Promise<void> {
  const answer = await Promise.race([refusal(intake), turn('it waits')]);
  expect(answer).not.toBe('it waits');
}

/** Expects that an intake takes events as soon as it is ready. */
async function expectRecovery(intake: TestIntake): Promise<void> {
  await waitUntil(() => intake.status() === 'ready');
  await expect(intake.accept(anEvent())).resolves.toBeUndefined();
}

/** Expects it of one with the short limit: a machine that stalls may cost an event that limit, and nothing else. */
async function expectRecoveryInTime(intake: TestIntake): Promise<void> {
  await waitUntil(async () => {
    await waitUntil(() => intake.status() === 'ready');
    const error: unknown = await intake.accept(anEvent()).catch((thrown: unknown) => thrown);
    if (error !== undefined && !BY_THE_TIMEOUT.test(inspect(error))) throw error;
    return error === undefined;
  });
}

describe('an intake whose Redis fails', () => {
  it('starts without Redis, rejects at once, and finds it when it comes', async () => {
    await redis.kill();
    const intake = anIntake({ redisUrl: redis.url, enqueueTimeoutMs: LONG_MS });
    await intake.start();
    expect(intake.status()).toBe('away');
    await expectRefusedAtOnce(intake);
    await redis.restart();
    await expectRecovery(intake);
  });

  it('rejects at once while Redis is down, reports it once, and recovers by itself', async () => {
    const intake = await started();
    await redis.kill();
    await waitUntil(() => intake.status() === 'away');
    await expectRefusedAtOnce(intake);
    await waitUntil(() => intake.errors.some((error) => error.message.includes('ECONNREFUSED')));
    const reported = intake.errors.length;
    await expectRefusedAtOnce(intake);
    await redis.restart();
    await expectRecovery(intake);
    expect(intake.errors.length).toBe(reported);
    expect(new Set(intake.errors.map((error) => error.message)).size).toBe(reported);
    expect(intake.returns()).toBe(1);
  });

  it('rejects what is under way when Redis is killed', async () => {
    const intake = await started();
    redis.freeze();
    const added = Array.from({ length: 500 }, () => intake.accept(anEvent()));
    const outcomes = Promise.allSettled(added);
    await redis.kill();
    for (const outcome of await outcomes) {
      expect(outcome).toMatchObject({ status: 'rejected', reason: { code: 'queue_unavailable' } });
    }
  });

  it('keeps every event that it said was stored when Redis is killed and starts again', async () => {
    const intake = await started();
    const added = Array.from({ length: 200 }, () => intake.accept(anEvent()));
    await Promise.all(added);
    await redis.restart();
    await expectRecovery(intake);
    expect(await redis.run(['LLEN', '{landline}:webhook-events:wait'])).toBe(2);
  });

  it('rejects by the time-out while Redis is frozen, then at once, and recovers', async () => {
    const intake = await started(TIMEOUT_MS);
    redis.freeze();
    expect(await refusal(intake)).toMatch(BY_THE_TIMEOUT);
    await waitUntil(() => intake.status() === 'away');
    await expectRefusedAtOnce(intake);
    redis.thaw();
    await expectRecoveryInTime(intake);
  });

  it('recovers from a Redis that was frozen for longer than a socket is thought alive', async () => {
    const intake = await started(TIMEOUT_MS);
    redis.freeze();
    await refusal(intake);
    await waitUntil(() => intake.errors.some((error) => error.message.startsWith('Socket timeout')));
    expect(intake.status()).toBe('away');
    redis.thaw();
    await expectRecoveryInTime(intake);
  });

  it('starts within seconds when Redis is frozen', async () => {
    redis.freeze();
    const intake = anIntake({ redisUrl: redis.url, enqueueTimeoutMs: TIMEOUT_MS });
    const begun = performance.now();
    await intake.start();
    expect(performance.now() - begun).toBeLessThan(15_000);
    expect(intake.status()).toBe('away');
    redis.thaw();
    await expectRecoveryInTime(intake);
  });

  it('rejects while Redis is out of memory, and recovers when there is room', async () => {
    // It may not ask how full Redis is: so it learns it from the refused write.
    await redis.run(['ACL', 'SETUSER', 'guest', 'reset', 'on', '>guest', '~*', '&*', '+@all', '-info']);
    const intake = anIntake({ redisUrl: logInAs(redis.url, 'guest', 'guest'), enqueueTimeoutMs: LONG_MS });
    await intake.start();
    await redis.run(['CONFIG', 'SET', 'maxmemory', '1']);
    await expect(intake.accept(anEvent())).rejects.toMatchObject({
      code: 'queue_unavailable',
      cause: { message: expect.stringContaining('OOM') },
    });
    expect(intake.status()).toBe('away');
    await expectRefusedAtOnce(intake);
    await redis.run(['CONFIG', 'SET', 'maxmemory', '0']);
    await expectRecovery(intake);
  });

  it('rejects while Redis is a replica, and recovers when it is promoted', async () => {
    const intake = await started();
    await redis.run(['REPLICAOF', '127.0.0.1', '1']);
    await expect(intake.accept(anEvent())).rejects.toMatchObject({
      code: 'queue_unavailable',
      cause: { message: expect.stringContaining('READONLY') },
    });
    await redis.run(['REPLICAOF', 'NO', 'ONE']);
    await expectRecovery(intake);
  });

  it('refuses to start on a Redis that evicts', async () => {
    await redis.run(['CONFIG', 'SET', 'maxmemory-policy', 'allkeys-lru']);
    const intake = anIntake({ redisUrl: redis.url });
    await expect(intake.start()).rejects.toThrow(RedisRefusedError);
    expect(intake.status()).toBe('refused');
    await expectRefusedAtOnce(intake);
  });

  it('refuses a Redis that comes back with another policy, until it is put right', async () => {
    const intake = await started();
    await redis.run(['CONFIG', 'SET', 'maxmemory-policy', 'volatile-ttl']);
    await redis.run(['CLIENT', 'KILL', 'TYPE', 'normal']);
    await waitUntil(() => intake.status() === 'refused');
    await expect(intake.accept(anEvent())).rejects.toMatchObject({
      code: 'queue_unavailable',
      message: expect.stringContaining('CONFIG SET maxmemory-policy noeviction'),
    });
    expect(intake.errors.some((error) => error instanceof RedisRefusedError)).toBe(true);
    await redis.run(['CONFIG', 'SET', 'maxmemory-policy', 'noeviction']);
    await expectRecovery(intake);
  });

  it('warns of what a power cut would lose, once for each state', async () => {
    await redis.run(['CONFIG', 'SET', 'appendfsync', 'everysec']);
    const intake = await started();
    await redis.run(['CLIENT', 'KILL', 'TYPE', 'normal']);
    await waitUntil(() => intake.errors.length > 0);
    await expectRecovery(intake);
    expect(intake.warnings).toEqual([expect.stringContaining('CONFIG SET appendfsync always')]);
  });

  it('never shows the password or a body in an error', async () => {
    const intake = anIntake({ redisUrl: logInAs(redis.url, 'hunter2') });
    await intake.start();
    expect(intake.status()).toBe('away');
    const good = anIntake({ redisUrl: redis.url });
    await good.start();
    const connection = createProducerConnection(redis.url, { enqueueTimeoutMs: LONG_MS });
    onTestFinished(() => connection.disconnect());
    await connection.connect();
    await connection.replicaof('127.0.0.1', 1);
    const rejected: unknown = await good.accept(anEvent('a secret transcript')).catch((error: unknown) => error);
    expect(rejected).toBeInstanceOf(QueueUnavailableError);
    const shown = inspect([rejected, ...intake.errors, ...good.errors], { depth: 10 });
    expect(shown).toContain('WRONGPASS');
    expect(shown).toContain('READONLY');
    expect(shown).not.toMatch(/hunter2|transcript/);
  });

  it('closes within its time-out while Redis is frozen', async () => {
    const intake = await started(TIMEOUT_MS);
    redis.freeze();
    const refused = refusal(intake);
    const begun = performance.now();
    await intake.close();
    expect(performance.now() - begun).toBeLessThan(15_000);
    expect(await refused).toMatch(BY_THE_TIMEOUT);
  });
});
