import { randomUUID } from 'node:crypto';
import { createLogger } from '@landline/process';
import { openQueues, wakeOperations } from '@landline/queue';
import { readmitWords } from '@landline/operations';
import type { RejectedFilter, RejectedRow } from '@landline/store';
import { sign } from '@landline/webhook';
import { inject, expect, onTestFinished, test, vi } from 'vitest';
import { openQueryStore } from '../../../packages/store/test/support/query-store.ts';
import { createDatabase } from '../../../test/support/database.ts';
import { SECRET } from '../../../test/support/post.ts';
import { runSql } from '../../../test/support/run-sql.ts';
import { createWorker } from '../src/worker.ts';

const WITHIN = { timeout: 25_000, interval: 20 };
const AT = 1_767_225_600; // 2026-01-01T00:00:00Z
const OTHER = 'wsec_fedcba9876543210fedcba9876543210';

const messageOf = (i: number) =>
  Buffer.from(
    JSON.stringify({
      type: 'conversation.message',
      event_timestamp: AT + i,
      data: { conversation_id: `conv_${i % 3}`, role: 'user', message: `word ${i}`, id: `m_${i}` },
    }),
  );

/** A table of refused requests, a queue, and workers, all closed when the test ends. */
async function aLine() {
  const database = await createDatabase(inject('databaseUrl'));
  const place = { redisUrl: inject('redisUrl'), prefix: `{${randomUUID()}}` };
  const store = openQueryStore({ databaseUrl: database.url });
  const queues = openQueues(place);
  await queues.ping();
  onTestFinished(async () => {
    await Promise.all([store.close(), queues.close()]);
    await database.drop();
  });
  const logger = createLogger({ name: 'worker', level: 'silent' });
  return {
    store,
    queues,
    sql: (statement: string) => runSql(database.directUrl, statement),
    /** Writes a refused request; each came a second after the one before. Its signature is good with SECRET, unless `changes` say otherwise. */
    async refused(i: number, changes: Partial<RejectedRow> = {}): Promise<string> {
      const body = messageOf(i);
      const row: RejectedRow = {
        id: randomUUID(),
        receivedAt: (AT + i) * 1000,
        code: 'signature_mismatch',
        cause: 'another_secret',
        advice: 'Compare it.',
        header: sign(body, SECRET, AT + i),
        headers: {},
        body,
        bodyBytes: body.length,
        sender: null,
        readmittedAt: null,
        ...changes,
      };
      await store.keepRejected(row);
      return row.id;
    },
    work(secrets: readonly string[]) {
      const diagnosing = { secrets, toleranceSeconds: 3600 };
      const worker = createWorker({ databaseUrl: database.url, ...place, concurrency: 4, logger, diagnosing });
      onTestFinished(() => worker.stop({ timeoutMs: 4_000 }));
      worker.start();
    },
    async ask(filter: RejectedFilter = {}, total?: number) {
      const { id } = await store.operations.request({ kind: 'readmit', filter: readmitWords(filter, [SECRET]), total });
      await wakeOperations(place);
      return vi.waitUntil(async () => {
        const now = await store.operations.get(id);
        return now !== undefined && now.finishedAt !== null && now;
      }, WITHIN);
    },
  };
}

const MESSAGES = 'SELECT count(*)::int AS n FROM conversation_messages';

test('those whose signature is good today are applied, received when they came; the others are counted by reason', async () => {
  const line = await aLine();
  // More than a page of them.
  for (let i = 0; i < 130; i++) await line.refused(i);
  await line.refused(130, { header: sign(messageOf(130), 'wsec_nobody_knows_this_one_at_all', AT + 130) });
  await line.refused(131, { bodyBytes: 1_000_000, cause: 'body_cut' });
  // It was readmitted before, and is not in the ledger: Redis has lost it.
  await line.refused(132, { readmittedAt: 1 });
  line.work([OTHER, SECRET]);

  expect(await line.ask({}, 133)).toMatchObject({
    status: 'done',
    total: 133,
    done: 131,
    failed: 2,
    message: 'Not readmitted: 1 signature_mismatch, 1 body_cut.',
  });
  await vi.waitUntil(async () => (await line.sql(MESSAGES))[0]?.['n'] === 131, WITHIN);
  expect(
    await line.sql(
      `SELECT origin, outcome, min(received_at) AS first, max(received_at) AS last FROM webhook_events GROUP BY 1, 2`,
    ),
  ).toEqual([
    {
      origin: 'readmitted',
      outcome: 'applied',
      first: new Date('2026-01-01T00:00:00Z'),
      last: new Date('2026-01-01T00:02:12Z'),
    },
  ]);

  // Once more: nothing is there twice.
  expect(await line.ask()).toMatchObject({ status: 'done', total: 133, done: 0, failed: 133 });
  await vi.waitUntil(async () => (await line.queues.events.getJobCountByTypes('waiting', 'active')) === 0, WITHIN);
  expect(await line.sql(MESSAGES)).toEqual([{ n: 131 }]);
});

test('only what the filter names', async () => {
  const line = await aLine();
  await line.refused(0, { cause: 'stale' });
  const wanted = await line.refused(1);
  await line.refused(2);
  line.work([SECRET]);
  expect(await line.ask({ cause: 'another_secret', until: (AT + 2) * 1000 })).toMatchObject({ total: 1, done: 1 });
  expect(await line.sql('SELECT id::text FROM rejected_requests WHERE readmitted_at IS NOT NULL')).toEqual([
    { id: wanted },
  ]);
});

test('a worker that does not know the secret says so, and passes nothing over', async () => {
  const line = await aLine();
  await line.refused(0);
  line.work([OTHER]);
  expect(await line.ask()).toMatchObject({
    status: 'failed',
    done: 0,
    failed: 0,
    // By `printf wsec_0123456789abcdef0123456789abcdef | sha256sum`.
    message: expect.stringMatching(/^The worker does not know the secret [0-9a-f]{8} .*Restart the workers/),
  });
  expect(await line.sql('SELECT readmitted_at FROM rejected_requests')).toEqual([{ readmitted_at: null }]);
});

test('a worker that takes over counts what the one before has enqueued, once', async () => {
  const line = await aLine();
  const ids: string[] = [];
  for (let i = 0; i < 5; i++) ids.push(await line.refused(i));
  const { id } = await line.store.operations.request({ kind: 'readmit', filter: readmitWords({}, [SECRET]), total: 5 });
  const claimed = await line.store.operations.claim('readmit', 1);
  expect(claimed?.id).toBe(id);
  // The worker before was killed when it had marked three of the page, and written no progress.
  await line.store.markReadmitted(ids.slice(0, 3), claimed?.startedAt ?? 0);
  line.work([SECRET]);
  await vi.waitUntil(async () => (await line.store.operations.get(id))?.status === 'done', WITHIN);
  expect(await line.store.operations.get(id)).toMatchObject({ total: 5, done: 5, failed: 0, message: null });
  // The three are the affair of the worker before.
  await vi.waitUntil(async () => (await line.sql(MESSAGES))[0]?.['n'] === 2, WITHIN);
});
