import { describe, expect, it } from 'vitest';
import { keySlot } from '../../src/servers/key-slot.ts';
import { readQueueServers, shardsToCover } from '../../src/servers/read-servers.ts';
import { shardPlaces } from '../../src/servers/shard-places.ts';

const placesOf = (...servers: Parameters<typeof shardPlaces>) =>
  shardPlaces(...servers).map(({ redisUrl, prefix }) => [redisUrl, prefix]);

describe('shardPlaces', () => {
  it('keeps {landline} for a single shard', () => {
    expect(placesOf({ redisUrl: 'redis://one' })).toEqual([['redis://one', '{landline}']]);
    expect(placesOf({ redisUrl: 'redis://one,redis://two', queueShards: 1 })).toEqual([['redis://one', '{landline}']]);
  });

  it('numbers several shards in the hash tag, one for each server by default', () => {
    expect(placesOf({ redisUrl: 'redis://one,redis://two' })).toEqual([
      ['redis://one', '{landline:0}'],
      ['redis://two', '{landline:1}'],
    ]);
    expect(placesOf({ redisUrl: 'redis://one,redis://two', queueShards: 3 })).toEqual([
      ['redis://one', '{landline:0}'],
      ['redis://two', '{landline:1}'],
      ['redis://one', '{landline:2}'],
    ]);
    const cluster = 'redis+cluster://one,two';
    expect(placesOf({ redisUrl: cluster, queueShards: 2 })).toEqual([
      [cluster, '{landline:0}'],
      [cluster, '{landline:1}'],
    ]);
  });
});

// From the specification of Redis Cluster, and from CLUSTER KEYSLOT of a Redis.
it.each([
  ['123456789', 12_739],
  ['{landline}:webhook-events:wait', 7977],
  ['{landline:0}:webhook-events:wait', 11_359],
  ['{landline:1}:canary', 15_486],
])('finds the slot of %s', (key, slot) => expect(keySlot(key)).toBe(slot));

describe('the number of shards on a Cluster', () => {
  it('is the least with which each master has one', () => {
    // {landline:0} and {landline:1} lie in the last third, {landline:2} in the first, {landline:3} in the second.
    const thirds = [
      { first: 0, last: 5460, master: 'one' },
      { first: 5461, last: 10_922, master: 'two' },
      { first: 10_923, last: 16_383, master: 'three' },
    ];
    expect(shardsToCover(thirds)).toBe(4);
    expect(shardsToCover([{ first: 0, last: 16_383, master: 'one' }])).toBe(1);
    // No tag is in this slot.
    expect(
      shardsToCover([
        { first: 0, last: 0, master: 'one' },
        { first: 1, last: 16_383, master: 'two' },
      ]),
    ).toBe(64);
  });

  it('is what QUEUE_SHARDS says, and else one for each host while the Cluster does not answer', async () => {
    const REDIS_URL = 'redis+cluster://127.0.0.1:1,127.0.0.1:2';
    expect(await readQueueServers({ REDIS_URL })).toMatchObject({ redisUrl: REDIS_URL, queueShards: 2 });
    expect(await readQueueServers({ REDIS_URL, QUEUE_SHARDS: 7 })).toMatchObject({ queueShards: 7 });
    expect(await readQueueServers({ REDIS_URL: 'redis://127.0.0.1:1' })).toMatchObject({ queueShards: undefined });
  });
});
