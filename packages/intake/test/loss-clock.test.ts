import { createJournal } from '@landline/journal';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it, onTestFinished } from 'vitest';
import { z } from 'zod';
import { makeTempFolder } from '../../../test/support/temp-folder.ts';
import { jobSchema } from '../../queue/test/support/job-schema.ts';
import { openQueues } from '@landline/queue';
import { type PrivateRedis, startPrivateRedis } from '../../../test/support/private-redis.ts';
import { anIntake } from './support/an-intake.ts';
import { anEvent } from '../../queue/test/support/an-event.ts';
import { waitUntil } from '../../queue/test/support/wait-until.ts';

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;

let redis: PrivateRedis;
beforeEach(async () => {
  redis = await startPrivateRedis();
});
afterEach(() => redis.remove());

async function queued(): Promise<Set<string>> {
  const queues = openQueues({ redisUrl: redis.url });
  try {
    await queues.ping();
    const jobs = await queues.events.getWaiting(0, 1000);
    return new Set(jobs.flatMap((job) => jobSchema.parse(job.data).events.map(({ body }) => body)));
  } finally {
    await queues.close();
  }
}

const keys = async () => z.array(z.string()).parse(await redis.run(['KEYS', '*']));
const beatKey = async () => (await keys()).find((name) => name.includes(':beat:')) ?? '';
const beat = async () => Number(await redis.run(['GET', await beatKey()]));

/** Waits for two beats, and answers the later one. */
async function nextBeat(): Promise<number> {
  await waitUntil(async () => (await beatKey()) !== '');
  const first = await beat();
  await waitUntil(async () => (await beat()) > first);
  return beat();
}

it.each([
  ['back', -5 * HOUR_MS],
  ['ahead', 5 * HOUR_MS],
  ['ahead and back again', 0],
])('what Redis loses after the clock was set %s is enqueued again, however it had got there', async (_name, step) => {
  let skew = 0;
  const journal = createJournal({
    dir: join(await makeTempFolder(), 'journal'),
    limitBytes: 1024 ** 3,
    retentionHours: 24,
    now: () => Date.now() + skew,
  });
  onTestFinished(() => journal.close());
  await journal.open();
  const intake = anIntake({ redisUrl: redis.url, journal });
  await intake.start();
  const before = await nextBeat();
  await redis.kill();
  await waitUntil(() => intake.status() === 'away');
  await intake.accept(anEvent('after the fact'));
  // What was journalled first is then older than any beat that counts, and does not lie beside anything younger.
  skew = 0.6 * MINUTE_MS;
  await intake.accept(anEvent('later'));
  skew = MINUTE_MS + 5 * HOUR_MS * Number(step === 0);
  journal.now();
  skew = MINUTE_MS + step;
  await redis.restart();
  await waitUntil(async () => (await beat().catch(() => 0)) > before);
  const old = await beat();
  await waitUntil(async () => (await queued()).has('after the fact'));
  await intake.accept(anEvent('at once'));
  await nextBeat();
  const key = await beatKey();
  await redis.run(['DEL', 'gone', ...(await keys()).filter((name) => name !== key)]);
  await redis.run(['SET', key, String(old)]);
  await waitUntil(async () => (await queued()).size === 3);
  expect(await queued()).toEqual(new Set(['after the fact', 'later', 'at once']));
});
