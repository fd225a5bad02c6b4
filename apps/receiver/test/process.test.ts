import { writeFile } from 'node:fs/promises';
import { Agent } from 'node:http';
import { join } from 'node:path';
import type { StartedProcess } from '@landline/local-servers';
import { openActivity } from '@landline/queue';
import { afterAll, afterEach, beforeAll, describe, expect, it, onTestFinished, vi } from 'vitest';
import { spawnApp, startApp, untilReady, type AppProcess } from '../../../test/support/app-process.ts';
import { openConnection, rawPost } from '../../../test/support/raw-connection.ts';
import { post, SECRET, signed, WEBHOOK_PATH } from '../../../test/support/post.ts';
import { makeTempFolder } from '../../../test/support/temp-folder.ts';
import { startTcpProxy } from '../../../test/support/tcp-proxy.ts';
import { startPrivateRedis, type PrivateRedis } from '../../../test/support/private-redis.ts';
import { eventsIn, NO_FSYNC } from './support/a-receiver.ts';

let redis: PrivateRedis;
beforeAll(async () => {
  redis = await startPrivateRedis(NO_FSYNC);
});
afterAll(() => redis.remove());
afterEach(async () => {
  await redis.run(['FLUSHALL']);
});

async function start(env: Readonly<Record<string, string>> = {}): Promise<AppProcess> {
  const receiver = await startApp('receiver', {
    env: { ELEVENLABS_WEBHOOK_SECRET: SECRET, REDIS_URL: redis.url, ...env },
  });
  onTestFinished(() => receiver.kill('SIGKILL'));
  return receiver;
}

/** Starts a receiver that must refuse to. */
async function refusal(env: Readonly<Record<string, string>>): Promise<StartedProcess> {
  const receiver = await spawnApp('receiver', { env });
  expect(await receiver.exited).toEqual([1, null]);
  return receiver;
}

describe('on SIGTERM', () => {
  it('stops under load within 10 s with code 0, and every event that was answered 200 is in Redis', async () => {
    // A busy machine's Redis may take longer than the second of the default.
    const receiver = await start({ ENQUEUE_TIMEOUT_MS: '10000' });
    const agent = new Agent({ keepAlive: true, maxSockets: 32 });
    const accepted: string[] = [];
    let next = 0;
    const sendInTurn = async (): Promise<void> => {
      while (receiver.isRunning()) {
        const body = JSON.stringify({ type: 'conversation.message', n: next++ });
        const answer = await post(receiver.url, body, { agent }).catch(() => undefined);
        if (answer === undefined) return;
        expect(answer.status).toBe(200);
        accepted.push(body);
      }
    };
    const senders = Array.from({ length: 32 }, sendInTurn);
    await vi.waitUntil(() => accepted.length > 500, { timeout: 20_000 });
    const begun = performance.now();
    expect(await receiver.stop()).toEqual([0, null]);
    expect(performance.now() - begun).toBeLessThan(10_000);
    await Promise.all(senders);
    agent.destroy();
    const queued = new Set((await eventsIn(redis.url)).map(({ body }) => body));
    expect(accepted.filter((body) => !queued.has(body))).toEqual([]);
    const activity = openActivity({ redisUrl: redis.url });
    onTestFinished(() => activity.close());
    const minutes = await activity.minutes(Date.now() - 300_000, Date.now() + 1);
    expect(minutes.reduce((sum, { accepted: events }) => sum + events, 0)).toBe(queued.size);
    expect(await activity.processes()).toEqual([]);
    // Redis may have more events: those whose answer was lost on the way. Their sender would send them again.
    expect(queued.size).toBeLessThanOrEqual(next);
  });

  it('stops within 10 s with code 0 though senders never finish', async () => {
    const receiver = await start({ REQUEST_TIMEOUT_MS: '600000' });
    const [silent, slow] = await Promise.all([openConnection(receiver.url), openConnection(receiver.url)]);
    slow.write(rawPost(WEBHOOK_PATH, signed('{}'), '{}').subarray(0, -1));
    await post(receiver.url, '{}', { headers: { connection: 'close' } });
    const begun = performance.now();
    expect(await receiver.stop()).toEqual([0, null]);
    expect(performance.now() - begun).toBeLessThan(10_000);
    expect(silent.received() + slow.received()).toBe('');
    silent.cut();
    slow.cut();
  });

  it('stops at once while Redis is down', async () => {
    const receiver = await start();
    await redis.stop();
    expect(await post(receiver.url, '{}')).toMatchObject({ status: 503 });
    expect(await receiver.stop()).toEqual([0, null]);
    await redis.restart();
  });
});

it('a refused request has ENQUEUE_TIMEOUT_MS until Redis answers', async () => {
  const proxy = await startTcpProxy(redis.url);
  onTestFinished(() => proxy.close());
  const receiver = await start({ REDIS_URL: proxy.url, ENQUEUE_TIMEOUT_MS: '20000' });
  await untilReady(receiver);
  // Longer than the second of the default; refused requests have a connection of their own, which is not open yet.
  proxy.delay(1_200);
  expect(await post(receiver.url, '{}', { headers: signed('another') })).toMatchObject({ status: 401 });
  const metrics = async () => (await fetch(`${receiver.healthUrl}/metrics`)).text();
  const kept = /^landline_rejected_requests_total\{outcome="kept"\} 1$/m;
  await expect.poll(metrics, { timeout: 40_000 }).toMatch(kept);
});

describe('at the start', () => {
  it('lists every fault of its configuration at once, exits 1, and prints no value', async () => {
    const faults = {
      ELEVENLABS_WEBHOOK_SECRET: 'wsec_too_short',
      REDIS_URL: 'http://user:hunter2@example.com',
      PORT: '3000x',
      BODY_LIMIT_BYTES: '1',
      REQUEST_TIMEOUT_MS: '10s',
      ENQUEUE_TIMEOUT_MS: '-1',
      BATCH_MAX_EVENTS: '0',
      BATCH_MAX_BYTES: 'many',
      SIGNATURE_TOLERANCE_SECONDS: '1h',
      LOG_LEVEL: 'loud',
    };
    const receiver = await refusal(faults);
    for (const name of Object.keys(faults)) expect(receiver.output()).toContain(name);
    for (const value of ['wsec_too_short', 'hunter2', 'loud']) expect(receiver.output()).not.toContain(value);
  });

  it('asks for a secret, and for each of several to be long enough, without printing any', async () => {
    expect((await refusal({ REDIS_URL: redis.url })).output()).toContain('ELEVENLABS_WEBHOOK_SECRET is not set');
    expect((await refusal({ ELEVENLABS_WEBHOOK_SECRET: '' })).output()).toContain(
      'ELEVENLABS_WEBHOOK_SECRET is not set',
    );
    const one = await refusal({ ELEVENLABS_WEBHOOK_SECRET: `${SECRET},` });
    expect(one.output()).toContain('32 characters');
    expect(one.output()).not.toContain(SECRET);
  });

  it('refuses a Redis that evicts, and says what to set', async () => {
    await redis.run(['CONFIG', 'SET', 'maxmemory-policy', 'volatile-lru']);
    const receiver = await refusal({ ELEVENLABS_WEBHOOK_SECRET: SECRET, REDIS_URL: redis.url });
    expect(receiver.output()).toContain('CONFIG SET maxmemory-policy noeviction');
    expect(receiver.output()).not.toContain(new URL(redis.url).password);
    await redis.run(['CONFIG', 'SET', 'maxmemory-policy', 'noeviction']);
  });

  it('warns of a Redis that may lose what it acknowledged, and goes on', async () => {
    await redis.run(['CONFIG', 'SET', 'appendfsync', 'everysec']);
    const receiver = await start();
    expect(receiver.output()).toContain('CONFIG SET appendfsync always');
    await untilReady(receiver);
    expect(await post(receiver.url, '{}')).toMatchObject({ status: 200 });
    await redis.run(['CONFIG', 'SET', 'appendfsync', 'no']);
  });

  it('starts without Redis, and takes events once Redis is there', async () => {
    await redis.stop();
    const receiver = await start();
    expect(await post(receiver.url, '{}')).toMatchObject({ status: 503 });
    await redis.restart();
    await untilReady(receiver);
    expect(await post(receiver.url, '{}')).toMatchObject({ status: 200 });
  });

  it('says that the port is taken, and exits 1', async () => {
    const first = await start();
    const second = await refusal({
      ELEVENLABS_WEBHOOK_SECRET: SECRET,
      REDIS_URL: redis.url,
      PORT: new URL(first.url).port,
    });
    expect(second.output()).toContain('EADDRINUSE');
  });

  it.each([
    ['white space', ` ${SECRET}\n`, 'white space'],
    ['quotation marks, which docker --env-file keeps', `"${SECRET}"`, 'quotation marks'],
    ['a zero-width space', `${SECRET}\u200b`, 'U+200B'],
  ])('cuts %s off a secret with a warning that does not show it', async (_, value, named) => {
    const receiver = await start({ ELEVENLABS_WEBHOOK_SECRET: value });
    expect(receiver.output()).toContain(`ELEVENLABS_WEBHOOK_SECRET had ${named} in it or around it`);
    expect(receiver.output()).not.toContain(SECRET);
    await untilReady(receiver);
    expect(await post(receiver.url, '{}')).toMatchObject({ status: 200 });
  });

  const dropped =
    'RECORDINGS_URL is not set: the audio of calls is dropped, and only its size and SHA-256 are recorded';
  it('warns that audio is dropped where RECORDINGS_URL is not set, and not where it is', async () => {
    expect((await start({ RECORDINGS_URL: '' })).output()).toContain(dropped);
    const RECORDINGS_URL = `file:${await makeTempFolder()}`;
    expect((await start({ RECORDINGS_URL })).output()).not.toContain('RECORDINGS_URL');
  });

  // The AWS SDK prints such a warning on Node 20 alone.
  it('prints nothing about versions of the AWS SDK that it does not use', async () => {
    const receiver = await start({
      RECORDINGS_URL: 's3://calls?endpoint=http://127.0.0.1:1',
      AWS_ACCESS_KEY_ID: 'an id',
      AWS_SECRET_ACCESS_KEY: 'a key',
    });
    const body = JSON.stringify({ type: 'post_call_audio', event_timestamp: 1, data: { full_audio: 'AAAA' } });
    expect(await post(receiver.url, body)).toMatchObject({ status: 200 });
    await expect.poll(() => receiver.output(), { timeout: 20_000 }).toContain('A body waits in the spool');
    expect(receiver.output()).not.toMatch(/NodeVersionSupport|Warning:/);
  });

  it('takes its secrets from files', async () => {
    const folder = await makeTempFolder();
    const [secret, url] = [join(folder, 'secret'), join(folder, 'redis')];
    await Promise.all([writeFile(secret, `${SECRET}\n`), writeFile(url, redis.url)]);
    const receiver = await startApp('receiver', {
      env: { ELEVENLABS_WEBHOOK_SECRET_FILE: secret, REDIS_URL_FILE: url },
    });
    onTestFinished(() => receiver.kill('SIGKILL'));
    await untilReady(receiver);
    expect(await post(receiver.url, '{}')).toMatchObject({ status: 200 });
  });

  it('names the file of a secret that it cannot read, and exits 1', async () => {
    const file = join(await makeTempFolder(), 'secret');
    const receiver = await refusal({ ELEVENLABS_WEBHOOK_SECRET_FILE: file, REDIS_URL: redis.url });
    expect(receiver.output()).toContain(`ELEVENLABS_WEBHOOK_SECRET_FILE: cannot read ${file} (ENOENT)`);
    expect(receiver.output()).not.toContain('is not set');
  });
});
