import { describe, expect, it } from 'vitest';
import { describeRedisUrl, readRedisUrl } from '../../src/servers/redis-address.ts';

const at = (host: string, port: number) => ({ host, port });

describe('readRedisUrl', () => {
  it.each(['redis://127.0.0.1', 'rediss://user:p%40ss@redis.example:6380/2', 'redis://:a,b@redis.example'])(
    'reads one server: %s',
    (url) => expect(readRedisUrl(url)).toEqual({ addresses: [{ kind: 'server', url }] }),
  );

  it('reads several servers', () => {
    expect(readRedisUrl('redis://:a,b@one:1,rediss://two:2,redis://[::1]:3')).toEqual({
      addresses: ['redis://:a,b@one:1', 'rediss://two:2', 'redis://[::1]:3'].map((url) => ({ kind: 'server', url })),
    });
  });

  it('reads a Cluster', () => {
    expect(readRedisUrl('rediss+cluster://user:p%40s:s@one:1,[::1]:2,three')).toEqual({
      addresses: [
        {
          kind: 'cluster',
          hosts: [at('one', 1), at('::1', 2), at('three', 6379)],
          isTls: true,
          login: { username: 'user', password: 'p@s:s' },
        },
      ],
    });
  });

  it('reads Sentinels, with their own password', () => {
    expect(readRedisUrl('redis+sentinel://:secret@one,two:2/calls/3?sentinelPassword=other')).toEqual({
      addresses: [
        {
          kind: 'sentinel',
          hosts: [at('one', 26_379), at('two', 2)],
          isTls: false,
          login: { password: 'secret' },
          masterName: 'calls',
          database: 3,
          sentinelPassword: 'other',
        },
      ],
    });
    expect(readRedisUrl('redis+sentinel://one/calls')).toMatchObject({ addresses: [{ login: {}, database: 0 }] });
  });

  it.each([
    ['http://user:hunter2@one', 'must look like'],
    ['redis://:hunter2@one,http://:hunter2@two', 'Its server 2 of 2 does not'],
    ['redis://:hunter2@one,redis://:hunter2@one', 'each of its servers once'],
    ['redis+cluster://:hunter2@', 'Each host is a name'],
    ['redis+cluster://:hunter2@one:99999', 'Each host is a name'],
    ['redis+cluster://:hunter2@one,,two', 'Each host is a name'],
    ['redis+cluster://:hunter2@one/2', 'a Cluster has only one'],
    ['redis+sentinel://:hunter2@one', 'the name of the master'],
    ['redis+sentinel://:hunter2@one/calls/x', 'the name of the master'],
    ['redis+other://:hunter2@one', 'must look like'],
  ])('refuses %s, names the variable and says why, and does not repeat the password', (url, why) => {
    const read = readRedisUrl(url);
    expect(read).toEqual({ fault: expect.stringMatching(/^REDIS_URL must/) });
    expect(read).toEqual({ fault: expect.stringContaining(why) });
    expect(JSON.stringify(read)).not.toContain('hunter2');
  });
});

it('describes servers without their passwords', () => {
  expect(describeRedisUrl('redis://:hunter2@one:1,redis://two')).toBe('one:1,two');
  expect(describeRedisUrl('redis+cluster://:hunter2@one,two:2')).toBe('one:6379,two:2');
  expect(describeRedisUrl('hunter2')).toBe('REDIS_URL');
});
