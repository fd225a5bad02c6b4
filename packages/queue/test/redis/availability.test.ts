import { beforeEach, describe, expect, it, onTestFinished } from 'vitest';
import { startTcpProxy, type TcpProxy } from '../../../../test/support/tcp-proxy.ts';
import { QueueUnavailableError, RedisRefusedError } from '../../src/errors.ts';
import { aWatch } from '../support/a-watch.ts';
import { startPrivateRedis, type PrivateRedis } from '../../../../test/support/private-redis.ts';
import { waitUntil } from '../support/wait-until.ts';
import { logInAs } from '../support/log-in-as.ts';

let redis: PrivateRedis;
beforeEach(async () => {
  redis = await startPrivateRedis();
  onTestFinished(() => redis.remove());
});

const set = (name: string, value: string) => redis.run(['CONFIG', 'SET', name, value]);

/** Lets data take so many hundredths of a memory of 100 MiB, less what the server itself takes: about one and a half. */
const FILL = `redis.call('FLUSHALL', 'SYNC')
for i = 1, ARGV[1] do redis.call('SETRANGE', 'data' .. i, 999999, 'x') end`;
const fill = (hundredths: number) => redis.run(['EVAL', FILL, '0', String(hundredths)]);

/** How often everything was checked so far. */
async function checks(): Promise<number> {
  const calls = /cmdstat_config\|get:calls=(\d+)/.exec(String(await redis.run(['INFO', 'commandstats'])));
  return Number(calls?.[1] ?? 0);
}

/** Waits until everything was checked three times more. */
async function afterSomeChecks(): Promise<void> {
  const before = await checks();
  await waitUntil(async () => (await checks()) >= before + 3);
}

describe('a Redis that fills up', () => {
  it('is away until there is room again, not only until it is less full, and is reported once', async () => {
    await set('maxmemory', '100mb');
    const watch = await aWatch(redis.url);
    await fill(85);
    await afterSomeChecks();
    expect([watch.status(), watch.aways(), watch.returns()]).toEqual(['ready', 0, 0]);
    await fill(93);
    await waitUntil(() => watch.status() === 'away');
    expect(watch.fault()).toBeInstanceOf(QueueUnavailableError);
    await fill(85);
    await afterSomeChecks();
    expect(watch.status()).toBe('away');
    await fill(78);
    await waitUntil(() => watch.status() === 'ready');
    await fill(85);
    await afterSomeChecks();
    expect([watch.status(), watch.fault(), watch.returns()]).toEqual(['ready', undefined, 1]);
    expect(watch.errors).toEqual([expect.stringContaining('nearly full')]);
  });

  it('is away from the start where it is full', async () => {
    await set('maxmemory', '1');
    const watch = await aWatch(redis.url, { isRequired: true });
    expect([watch.status(), watch.errors]).toEqual(['away', [expect.stringContaining('nearly full')]]);
    expect(watch.fault()?.message).toMatch(/^Redis is away: Redis is nearly full/);
  });
});

describe('a Redis that may evict', () => {
  it('is refused while it may, whether it is full or not', async () => {
    const watch = await aWatch(redis.url);
    await set('maxmemory-policy', 'volatile-lru');
    await waitUntil(() => watch.status() === 'refused');
    await set('maxmemory', '1');
    await afterSomeChecks();
    expect(watch.status()).toBe('refused');
    expect(watch.fault()?.cause).toBeInstanceOf(RedisRefusedError);
    await set('maxmemory-policy', 'noeviction');
    await waitUntil(() => watch.status() === 'away');
    await set('maxmemory', '1gb');
    await waitUntil(() => watch.status() === 'ready');
    expect(watch.errors).toEqual([expect.stringContaining('may evict'), expect.stringContaining('nearly full')]);
    expect(watch.returns()).toBe(1);
  });

  it('is a reason not to start where it is required, and no reason elsewhere', async () => {
    await set('maxmemory-policy', 'allkeys-lru');
    await expect(aWatch(redis.url, { isRequired: true })).rejects.toThrow(RedisRefusedError);
    expect((await aWatch(redis.url)).status()).toBe('refused');
  });
});

describe('a Redis that answers reads and refuses writes', () => {
  it.each([
    ['a replica', () => redis.run(['REPLICAOF', '127.0.0.1', '1']), () => redis.run(['REPLICAOF', 'NO', 'ONE'])],
    ['short of good replicas', () => set('min-replicas-to-write', '1'), () => set('min-replicas-to-write', '0')],
  ])('is away after the first failed write, and at a start: %s', async (_, breakIt, mendIt) => {
    const watch = await aWatch(redis.url);
    await breakIt();
    const error = await watch.connection.set('key', '1').catch((thrown: unknown) => thrown);
    expect(watch.writeFailed(error)).toBe(watch.fault());
    const late = await aWatch(redis.url);
    await afterSomeChecks();
    for (const each of [watch, late]) {
      expect([each.status(), each.errors]).toEqual(['away', [expect.stringMatching(/READONLY|NOREPLICAS/)]]);
    }
    await mendIt();
    await waitUntil(() => watch.status() === 'ready' && late.status() === 'ready');
    expect([watch.returns(), late.returns()]).toEqual([1, 1]);
  });
});

describe('a Redis that forbids INFO', () => {
  it('is ready while it takes writes, and away while it is full', async () => {
    await redis.run(['ACL', 'SETUSER', 'guest', 'reset', 'on', '>guest', '~*', '&*', '+@all', '-info']);
    const watch = await aWatch(logInAs(redis.url, 'guest', 'guest'));
    expect([watch.status(), watch.errors]).toEqual(['ready', []]);
    expect(watch.warnings).toEqual([expect.stringContaining('forbids INFO')]);
    await set('maxmemory', '1');
    // Only a write shows that it is full.
    await afterSomeChecks();
    expect(watch.status()).toBe('ready');
    watch.writeFailed(await watch.connection.set('key', '1').catch((thrown: unknown) => thrown));
    await afterSomeChecks();
    expect([watch.status(), watch.errors]).toEqual(['away', [expect.stringContaining('OOM')]]);
    await set('maxmemory', '1gb');
    await waitUntil(() => watch.status() === 'ready');
    expect(watch.returns()).toBe(1);
  });
});

/** Redis numbers its connections. */
const clientId = async () => Number(await redis.run(['CLIENT', 'ID']));

describe('a connection that breaks', () => {
  let proxy: TcpProxy;
  beforeEach(async () => {
    proxy = await startTcpProxy(redis.url);
    onTestFinished(() => proxy.close());
  });

  it.each(['hello', 'info', 'default', 'appendfsync', 'probe'])(
    'at a start, after "%s" was sent, is made again',
    async (step) => {
      const before = await clientId();
      proxy.after(step, 'cut');
      const watch = await aWatch(proxy.url);
      await waitUntil(() => watch.status() === 'ready');
      expect(await watch.connection.set('key', '1')).toBe('OK');
      // One that was cut, one that was not, and the one that asks.
      expect((await clientId()) - before).toBe(3);
    },
  );

  it.each(['memory', 'default', 'appendfsync'])('at a check, after "%s" was sent, is reported once', async (step) => {
    const watch = await aWatch(proxy.url);
    expect([watch.status(), watch.aways()]).toEqual(['ready', 0]);
    proxy.after(step, 'cut');
    await waitUntil(() => watch.returns() > 0);
    await afterSomeChecks();
    expect([watch.status(), watch.fault(), watch.returns()]).toEqual(['ready', undefined, 1]);
    expect(watch.errors.length).toBeGreaterThan(0);
    expect(new Set(watch.errors).size).toBe(watch.errors.length);
  });

  it('and stays open is away as soon as an answer is due, and is made again', async () => {
    const watch = await aWatch(proxy.url, { enqueueTimeoutMs: 2000 });
    proxy.after('default', 'freeze');
    await waitUntil(() => watch.status() === 'away');
    expect(watch.errors[0]).toContain('timed out');
    await waitUntil(() => watch.status() === 'ready');
    expect(watch.returns()).toBe(1);
  });

  it('is not reported after the watch was closed', async () => {
    const watch = await aWatch(proxy.url);
    watch.close();
    watch.connection.disconnect();
    await waitUntil(() => watch.status() === 'away');
    expect([watch.errors, watch.returns(), watch.aways()]).toEqual([[], 0, 1]);
  });
});
