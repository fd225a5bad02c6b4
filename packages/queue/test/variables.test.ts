import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { queueVariables } from '../src/variables.ts';

const schema = z.object(queueVariables);

describe('queueVariables', () => {
  it('has a default, and takes an empty string for not set', () => {
    expect(schema.parse({})).toEqual({ REDIS_URL: 'redis://127.0.0.1:6379' });
    expect(schema.parse({ REDIS_URL: '' })).toEqual({ REDIS_URL: 'redis://127.0.0.1:6379' });
  });

  it.each(['rediss://user:p%40ss@redis.example:6380/2', 'redis://[::1]:6379'])('reads %s', (url) => {
    expect(schema.parse({ REDIS_URL: url })).toEqual({ REDIS_URL: url });
  });

  it.each(['localhost:6379', 'http://127.0.0.1:6379', 'redis://', 'redis://127.0.0.1/main'])(
    'refuses %s with a message that names it',
    (url) => {
      const { error } = schema.safeParse({ REDIS_URL: url });
      expect(error?.issues.map((issue) => issue.message)).toEqual([expect.stringContaining('REDIS_URL must ')]);
    },
  );

  it('does not repeat a password in its message', () => {
    const { error } = schema.safeParse({ REDIS_URL: 'http://user:hunter2@redis.example' });
    expect(error).toBeDefined();
    expect(JSON.stringify(error?.issues)).not.toContain('hunter2');
  });
});
