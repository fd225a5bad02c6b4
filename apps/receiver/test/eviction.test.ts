import { createJournal } from '@landline/journal';
import { beforeEach, expect, it, onTestFinished, vi } from 'vitest';
import { spawnApp, startApp } from '../../../test/support/app-process.ts';
import { post, SECRET } from '../../../test/support/post.ts';
import { startPrivateRedis, type PrivateRedis } from '../../../test/support/private-redis.ts';
import { samplesOf, scrape } from '../../../test/support/scrape.ts';
import { makeTempFolder } from '../../../test/support/temp-folder.ts';

let redis: PrivateRedis;
let env: Record<string, string>;

/** Makes a Redis like a managed one: without the command CONFIG. */
async function startManaged(policy: string): Promise<void> {
  redis = await startPrivateRedis(['--rename-command', 'CONFIG', '', '--maxmemory-policy', policy]);
  onTestFinished(() => redis.remove());
  env = { ELEVENLABS_WEBHOOK_SECRET: SECRET, REDIS_URL: redis.url, CANARY_INTERVAL_SECONDS: '0' };
}

beforeEach(() => startManaged('volatile-lru'));

it.each([
  ['without a journal', false],
  ['with one', true],
])('a receiver does not start on a Redis that may evict, and says where it is set: %s', async (_, hasJournal) => {
  const JOURNAL_DIR = hasJournal ? await makeTempFolder() : '';
  const receiver = await spawnApp('receiver', { env: { ...env, JOURNAL_DIR } });
  expect(await receiver.exited).toEqual([1, null]);
  expect(receiver.output()).toContain('maxmemory-policy to noeviction');
  expect(receiver.output()).toContain("provider's parameter group");
  expect(receiver.output()).not.toContain('Listening on');
});

it('a receiver whose journal holds events starts though Redis evicts, takes more by its journal, and says so', async () => {
  const JOURNAL_DIR = await makeTempFolder();
  const journal = createJournal({ dir: JOURNAL_DIR, limitBytes: 1024 ** 3, retentionHours: 24 });
  await journal.open();
  const event = {
    receivedAt: Date.now(),
    signedAt: 1,
    secretId: 'x',
    encoding: 'utf8' as const,
    body: '{"held": true}',
  };
  (await journal.append([event])).failed();
  await journal.close();

  const receiver = await startApp('receiver', { env: { ...env, JOURNAL_DIR } });
  onTestFinished(() => receiver.kill('SIGKILL'));
  expect(await post(receiver.url, '{"n": 1}')).toMatchObject({ status: 200 });
  await vi.waitUntil(
    async () =>
      samplesOf(await scrape(receiver.healthUrl), 'landline_journal_pending_records')[
        'landline_journal_pending_records'
      ] === 2,
    { timeout: 20_000 },
  );
  expect((await scrape(receiver.healthUrl)).samples).toMatchObject({ landline_redis_refused: 1, landline_redis_up: 0 });
  expect(receiver.output()).toContain('the journal alone has them');
});
