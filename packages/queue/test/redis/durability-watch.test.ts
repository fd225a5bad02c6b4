import { beforeEach, describe, expect, it, onTestFinished } from 'vitest';
import { watchAvailability, type Availability } from '../../src/redis/availability.ts';
import { createProducerConnection, endConnection } from '../../src/redis/connection.ts';
import { startPrivateRedis, type PrivateRedis } from '../../../../test/support/private-redis.ts';
import { waitUntil } from '../support/wait-until.ts';
import { logInAs } from '../support/log-in-as.ts';

let redis: PrivateRedis;
let warnings: string[];
let availability: Availability;

/** Watches a Redis that is ready, as the user of `url`. */
async function watch(url: string): Promise<void> {
  warnings = [];
  const connection = createProducerConnection(url, { enqueueTimeoutMs: 20_000 });
  availability = watchAvailability({
    connection,
    probeKey: 'probe',
    onAway: () => undefined,
    onWarning: (message) => warnings.push(message),
    onError: () => undefined,
    onReady: () => undefined,
    checkIntervalMs: 50,
  });
  onTestFinished(() => {
    availability.close();
    endConnection(connection);
  });
  await availability.connect({ isRequired: true });
  expect(availability.status()).toBe('ready');
}

const set = (name: string, value: string) => redis.run(['CONFIG', 'SET', name, value]);

beforeEach(async () => {
  redis = await startPrivateRedis();
  onTestFinished(() => redis.remove());
});

describe('a Redis that is changed while it takes events', () => {
  it.each([
    ['appendonly', 'no', 'appendonly is off'],
    ['appendfsync', 'everysec', 'appendfsync "everysec"'],
    ['maxmemory', '0', 'maxmemory is 0'],
  ])('is warned of once: %s %s', async (name, value, warning) => {
    await watch(redis.url);
    expect(warnings).toEqual([]);
    await set(name, value);
    await waitUntil(() => warnings.length > 0);
    expect(warnings).toEqual([expect.stringContaining(warning)]);
    // A second change is reported, and the first one not again.
    await set('maxmemory-policy', 'allkeys-lru');
    await waitUntil(() => availability.status() === 'refused');
    await set('maxmemory-policy', 'noeviction');
    await waitUntil(() => availability.status() === 'ready');
    expect(warnings).toHaveLength(1);
    expect(availability.fault()).toBeUndefined();
  });

  it('is warned of also where it forbids INFO', async () => {
    await redis.run(['ACL', 'SETUSER', 'guest', 'reset', 'on', '>guest', '~*', '&*', '+@all', '-info']);
    await watch(logInAs(redis.url, 'guest', 'guest'));
    expect(warnings).toEqual([expect.stringContaining('Nothing is known of this Redis')]);
    await set('appendfsync', 'no');
    await waitUntil(() => warnings.length > 1);
    expect(warnings[1]).toContain('appendfsync "no"');
  });
});
