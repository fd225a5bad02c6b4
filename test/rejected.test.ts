import { execFile } from 'node:child_process';
import { Agent } from 'node:http';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { openQueues } from '@landline/queue';
import { afterAll, beforeAll, describe, expect, inject, it, onTestFinished, vi } from 'vitest';
import { startApp, untilReady, type AppProcess } from './support/app-process.ts';
import { createDatabase, type TestDatabase } from './support/database.ts';
import { post, SECRET, send, signed, unixSeconds } from './support/post.ts';
import { startPrivateRedis, type PrivateRedis } from './support/private-redis.ts';
import { ROOT } from './support/root.ts';
import { runSql } from './support/run-sql.ts';

const OTHER = 'wsec_fedcba9876543210fedcba9876543210';
/** REJECTED=whole: as many as the promise names. */
const EVENTS = process.env['REJECTED'] === 'whole' ? 1000 : 250;
const WITHIN = { timeout: 60_000, interval: 100 };

let redis: PrivateRedis;
let database: TestDatabase;
beforeAll(async () => {
  redis = await startPrivateRedis();
  database = await createDatabase(inject('databaseUrl'));
});
afterAll(async () => {
  await redis.remove();
  await database.drop();
});

/** Starts a receiver and a worker that accept these secrets, apart by commas. */
async function startLine(secrets: string): Promise<{ receiver: AppProcess; worker: AppProcess }> {
  const env = { REDIS_URL: redis.url, ELEVENLABS_WEBHOOK_SECRET: secrets };
  const receiver = await startApp('receiver', { env });
  const worker = await startApp('worker', { env: { ...env, DATABASE_URL: database.url } });
  await untilReady(receiver);
  return { receiver, worker };
}

/** Types a command of `landline`; returns its JSON document. Rejects where it does not exit with 0. */
async function landline(args: string[], secrets: string): Promise<unknown> {
  const { PATH = '' } = process.env;
  const { stdout } = await promisify(execFile)(
    process.execPath,
    [join(ROOT, 'apps', 'cli', 'dist', 'main.js'), ...args, '--json'],
    {
      env: { PATH, DATABASE_URL: database.url, REDIS_URL: redis.url, ELEVENLABS_WEBHOOK_SECRET: secrets },
      maxBuffer: 64 * 1024 * 1024,
    },
  );
  return JSON.parse(stdout);
}

const count = async (what: string) =>
  Number((await runSql(database.directUrl, `SELECT count(*) AS n FROM ${what}`))[0]?.['n']);

const bodyOf = (i: number) =>
  JSON.stringify({
    type: 'conversation.message',
    event_timestamp: 1_767_225_600 + i,
    data: { conversation_id: `conv_${i % 50}`, role: 'user', message: `message ${i}`, id: `m_${i}` },
  });

it(
  `${EVENTS} events signed with another secret come in once it is added: each once`,
  { timeout: 180_000 },
  async () => {
    const before = await startLine(SECRET);
    const agent = new Agent({ keepAlive: true, maxSockets: 16 });
    onTestFinished(() => agent.destroy());
    const answers = await Promise.all(
      Array.from({ length: EVENTS }, (_, i) =>
        send(before.receiver.url, { headers: signed(bodyOf(i), OTHER), body: bodyOf(i), agent }),
      ),
    );
    expect(new Set(answers.map(({ status, body }) => `${status} ${JSON.parse(body).code}`))).toEqual(
      new Set(['401 signature_mismatch']),
    );
    await vi.waitUntil(async () => (await count('rejected_requests')) === EVENTS, WITHIN);
    const kept = await landline(['rejected', 'list', '--limit', '2000'], SECRET);
    expect(kept).toHaveLength(EVENTS);
    const causes = await runSql(
      database.directUrl,
      `SELECT DISTINCT cause, advice ~ '^Signed with another secret' AS says FROM rejected_requests`,
    );
    expect(causes).toEqual([{ cause: 'another_secret', says: true }]);
    expect(await count('webhook_events')).toBe(0);
    expect(await landline(['rejected', 'readmit', '--plan'], SECRET)).toMatchObject({
      total: EVENTS,
      readmittable: 0,
      unfit: { signature_mismatch: EVENTS },
    });

    await Promise.all([before.receiver.stop(), before.worker.stop()]);
    const secrets = `${OTHER},${SECRET}`;
    const after = await startLine(secrets);
    expect(await landline(['rejected', 'readmit', '--plan'], secrets)).toMatchObject({
      total: EVENTS,
      readmittable: EVENTS,
    });
    expect(await landline(['rejected', 'readmit', '--yes'], secrets)).toMatchObject({ status: 'done', done: EVENTS });
    await vi.waitUntil(async () => (await count('conversation_messages')) === EVENTS, WITHIN);
    expect(await count(`webhook_events WHERE origin = 'readmitted' AND outcome = 'applied'`)).toBe(EVENTS);
    // Once more, and by the sender: nothing is there twice.
    expect(await landline(['rejected', 'readmit', '--yes'], secrets)).toMatchObject({
      done: 0,
      message: `Not readmitted: ${EVENTS} already_readmitted.`,
    });
    expect(await post(after.receiver.url, bodyOf(0), { headers: signed(bodyOf(0), OTHER) })).toMatchObject({
      status: 200,
    });
    expect(await post(after.receiver.url, bodyOf(EVENTS))).toMatchObject({ status: 200 });
    await vi.waitUntil(async () => (await count('conversation_messages')) === EVENTS + 1, WITHIN);
    expect(await count('webhook_events')).toBe(EVENTS + 1);
    await Promise.all([after.receiver.stop(), after.worker.stop()]);
  },
);

describe('what nobody expects', () => {
  it('a worker without a secret stores refused requests as unknown, and says so at the start', async () => {
    const receiver = await startApp('receiver', { env: { REDIS_URL: redis.url, ELEVENLABS_WEBHOOK_SECRET: SECRET } });
    const worker = await startApp('worker', { env: { REDIS_URL: redis.url, DATABASE_URL: database.url } });
    expect(worker.output()).toContain('without a diagnosis');
    await runSql(database.directUrl, 'DELETE FROM rejected_requests');
    await send(receiver.url, { headers: signed('{}', OTHER), body: '{}' });
    await vi.waitUntil(async () => (await count(`rejected_requests WHERE cause = 'unknown'`)) === 1, WITHIN);
    await Promise.all([receiver.stop(), worker.stop()]);
  });

  it('a table of refused requests that is locked holds up no event', async () => {
    const { receiver, worker } = await startLine(SECRET);
    await runSql(database.directUrl, 'ALTER TABLE rejected_requests RENAME TO away');
    onTestFinished(() =>
      runSql(database.directUrl, 'ALTER TABLE away RENAME TO rejected_requests').then(() => undefined),
    );
    const queues = openQueues({ redisUrl: redis.url });
    onTestFinished(() => queues.close());
    await queues.ping();
    const stale = signed('{}', SECRET, unixSeconds() - 9999);
    expect(await send(receiver.url, { headers: stale, body: '{}' })).toMatchObject({ status: 401 });
    await vi.waitUntil(async () => (await queues.rejected.getDelayedCount()) === 1, WITHIN);
    const applied = await count('webhook_events');
    expect(await post(receiver.url, bodyOf(EVENTS + 1))).toMatchObject({ status: 200 });
    await vi.waitUntil(async () => (await count('webhook_events')) === applied + 1, WITHIN);
    expect(worker.output()).not.toContain('Waiting for the database');
    await Promise.all([receiver.stop(), worker.stop()]);
  });
});
