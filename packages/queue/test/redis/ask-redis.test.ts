import { expect, it } from 'vitest';
import { QueueUnavailableError } from '../../src/errors.ts';
import { askRedis } from '../../src/redis/ask-redis.ts';

it('asks when the first attempt to connect has ended, and returns the answer', async () => {
  let connected!: () => void;
  const asked: string[] = [];
  const answer = askRedis(new Promise((resolve) => (connected = resolve)), 'away', async () => asked.push('asked'));
  await Promise.resolve();
  expect(asked).toEqual([]);
  connected();
  expect(await answer).toBe(1);
});

it('rejects with its own message, and keeps the cause without the command', async () => {
  const cause = Object.assign(new Error('READONLY'), { command: { args: ['the body of an event'] } });
  const answer = askRedis(Promise.resolve(), 'Redis does not answer.', () => Promise.reject(cause));
  await expect(answer).rejects.toThrow(new QueueUnavailableError('Redis does not answer.'));
  await expect(answer).rejects.toMatchObject({ code: 'queue_unavailable', cause });
  expect(cause).not.toHaveProperty('command');
});
