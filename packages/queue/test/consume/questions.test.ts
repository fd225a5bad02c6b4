import { expect, test } from 'vitest';
import { startPrivateRedis } from '../../../../test/support/private-redis.ts';
import { createConsumer } from '../../src/consume/consumer.ts';
import { openQuestions } from '../../src/consume/questions.ts';
import { DEAD_LETTER_QUEUE, WEBHOOK_QUEUE } from '../../src/names.ts';
import { waitUntil } from '../support/wait-until.ts';

test('the consumers of a shard ask on one connection, which stays for the others where one closes', async () => {
  const redis = await startPrivateRedis();
  const place = { redisUrl: redis.url };
  const clients = async () => String(await redis.run(['CLIENT', 'LIST'])).match(/^id=/gm)?.length ?? 0;
  const before = await clients();
  const questions = openQuestions(place);
  const [first, second] = [WEBHOOK_QUEUE, DEAD_LETTER_QUEUE].map((queue) =>
    createConsumer({ ...place, queue, questions, concurrency: 1, process: () => Promise.resolve() }),
  );
  first?.start();
  second?.start();
  // Two of BullMQ's for each, and that one.
  await waitUntil(async () => (await clients()) === before + 5);
  await first?.close({ timeoutMs: 1_000 });
  expect(await second?.counts()).toEqual({ waiting: 0, active: 0, delayed: 0, failed: 0 });
  await second?.close({ timeoutMs: 1_000 });
  questions.close();
  await waitUntil(async () => (await clients()) === before);
  await redis.remove();
});
