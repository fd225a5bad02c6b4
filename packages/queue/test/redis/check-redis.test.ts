import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { checkRedis } from '../../src/redis/check-redis.ts';
import { createProducerConnection, endConnection } from '../../src/redis/connection.ts';
import { startPrivateRedis, type PrivateRedis } from '../../../../test/support/private-redis.ts';
import { logInAs } from '../support/log-in-as.ts';

/** What a check found: why Redis is refused, if it is, and the warnings. */
async function check(url: string): Promise<{ refused?: string; warnings: string[] }> {
  const connection = createProducerConnection(url, { enqueueTimeoutMs: 20_000 });
  onTestFinished(() => endConnection(connection));
  await connection.connect();
  const { memory, warnings } = await checkRedis(connection);
  return { ...(memory.refused !== undefined && { refused: memory.refused }), warnings };
}

describe('checkRedis', () => {
  let redis: PrivateRedis;

  beforeAll(async () => {
    redis = await startPrivateRedis();
  });
  afterAll(() => redis.remove());

  const set = (name: string, value: string) => redis.run(['CONFIG', 'SET', name, value]);

  it('has nothing to say of a Redis that keeps what it acknowledges', async () => {
    expect(await check(redis.url)).toEqual({ warnings: [] });
  });

  it.each(['allkeys-lru', 'allkeys-lfu', 'allkeys-random', 'volatile-lru', 'volatile-ttl'])(
    'refuses %s',
    async (policy) => {
      await set('maxmemory-policy', policy);
      const { refused } = await check(redis.url);
      expect(refused).toContain(`"${policy}"`);
      expect(refused).toContain('CONFIG SET maxmemory-policy noeviction');
      expect(refused).toContain("provider's parameter group");
      await set('maxmemory-policy', 'noeviction');
    },
  );

  it.each(['everysec', 'no'])('warns of appendfsync %s', async (appendfsync) => {
    await set('appendfsync', appendfsync);
    expect(await check(redis.url)).toEqual({ warnings: [expect.stringContaining('CONFIG SET appendfsync always')] });
    await set('appendfsync', 'always');
  });

  it('warns of an append-only file that is off', async () => {
    await set('appendonly', 'no');
    const { refused, warnings } = await check(redis.url);
    expect(refused).toBeUndefined();
    expect(warnings).toEqual([expect.stringContaining('CONFIG SET appendonly yes')]);
    expect(warnings[0]).toContain('appendfsync always');
    await set('appendonly', 'yes');
  });

  it('warns of a memory without a limit', async () => {
    await set('maxmemory', '0');
    const { refused, warnings } = await check(redis.url);
    expect(refused).toBeUndefined();
    expect(warnings).toEqual([expect.stringContaining('CONFIG SET maxmemory <bytes>')]);
    await set('maxmemory', '1gb');
  });

  it.each([
    ['CONFIG', '-config', ['appendfsync']],
    ['INFO and CONFIG', '-config -info', ['maxmemory-policy', 'appendfsync']],
  ])('warns and goes on where an access list forbids %s', async (_, rules, expected) => {
    await redis.run(['ACL', 'SETUSER', 'guest', 'reset', 'on', '>guest', '~*', '&*', '+@all', ...rules.split(' ')]);
    const { refused, warnings } = await check(logInAs(redis.url, 'guest', 'guest'));
    expect(refused).toBeUndefined();
    expect(warnings).toEqual(expected.map((name) => expect.stringContaining(name)));
  });

  it('rejects when Redis does not answer', async () => {
    const connection = createProducerConnection(redis.url, { enqueueTimeoutMs: 20_000 });
    await connection.connect();
    endConnection(connection);
    await expect(checkRedis(connection)).rejects.toThrow("Stream isn't writeable");
  });
});

async function managed(policy: string) {
  const redis = await startPrivateRedis(['--rename-command', 'CONFIG', '', '--maxmemory-policy', policy]);
  onTestFinished(() => redis.remove());
  return check(redis.url);
}

describe('where CONFIG was renamed away', () => {
  it('warns and goes on', async () => {
    expect(await managed('noeviction')).toEqual({ warnings: [expect.stringContaining('CONFIG is forbidden')] });
  });

  it('refuses a Redis that may evict all the same, and says where it is set', async () => {
    const { refused } = await managed('volatile-lru');
    expect(refused).toContain('"volatile-lru"');
    expect(refused).toContain("provider's parameter group");
  });
});
