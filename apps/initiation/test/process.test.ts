import { expect, inject, onTestFinished, test } from 'vitest';
import { createDatabase } from '../../../test/support/database.ts';
import { spawnApp, startApp, type AppProcess } from '../../../test/support/app-process.ts';
import { startPrivateRedis } from '../../../test/support/private-redis.ts';
import { runSql } from '../../../test/support/run-sql.ts';
import { askAt, NOTHING, TOKEN, variablesIn } from './support/an-initiation.ts';

/** URLs of loopback ports on which no server listens. */
const NOWHERE = { REDIS_URL: 'redis://127.0.0.1:1', DATABASE_URL: 'postgresql://a:b@127.0.0.1:1/c' };
/** On a busy machine most look-ups take longer than the product's limit, and then the answer is the defaults. */
const AT_LENGTH = { timeout: 60_000, interval: 10 };
const INITIATION_DEFAULTS = '{"first_name": "friend", "vip": false, "discount": 0}';

async function start(env: Readonly<Record<string, string>>): Promise<AppProcess> {
  const app = await startApp('initiation', { env: { INITIATION_TOKEN: TOKEN, INITIATION_DEFAULTS, ...env } });
  onTestFinished(() => app.kill('SIGKILL'));
  return app;
}

const ask = async ({ url }: AppProcess, body: object) =>
  variablesIn(await askAt(url, body, { authorization: `Bearer ${TOKEN}` }));

test('starts and leaves without Redis and without Postgres, and answers with the defaults', async () => {
  const app = await start(NOWHERE);
  expect(await ask(app, { caller_id: '+12025550123', conversation_id: 'conv_1' })).toEqual(NOTHING);
  expect((await fetch(`${app.url}/health/ready`)).status).toBe(200);
  expect(await (await fetch(`${app.url}/health/ready`)).json()).toEqual({ status: 'ready', database: 'away' });
  expect(await app.stop()).toEqual([0, null]);
  expect(app.output()).toContain('Stopped');
  expect(app.output()).not.toContain('2025550123');
});

test('knows a caller by DATABASE_URL, with a warning that names READER_DATABASE_URL', async () => {
  const redis = await startPrivateRedis();
  const database = await createDatabase(inject('databaseUrl'));
  onTestFinished(async () => {
    await redis.remove();
    await database.drop();
  });
  await runSql(
    database.url,
    `INSERT INTO user_profiles (user_id, language, first_seen_at, last_seen_at) VALUES ('+12025550123', 'en', now(), now())`,
  );
  const app = await start({ REDIS_URL: redis.url, DATABASE_URL: database.url });
  await expect
    .poll(() => ask(app, { caller_id: '+12025550123' }), AT_LENGTH)
    .toMatchObject({ caller_known: true, caller_language: 'en' });
  expect(app.output()).toContain('READER_DATABASE_URL is not set');
  const reader = await start({ REDIS_URL: redis.url, READER_DATABASE_URL: database.url });
  await expect.poll(() => ask(reader, { caller_id: '+12025550123' }), AT_LENGTH).toMatchObject({ caller_known: true });
  expect(reader.output()).not.toContain('is not set');
  for (const running of [app, reader]) {
    // oxlint-disable-next-line no-await-in-loop -- one after the other
    expect(await running.stop()).toEqual([0, null]);
    expect(running.output()).not.toContain('2025550123');
  }
});

test('without a token it starts all the same, says what to set, and refuses every request', async () => {
  const app = await start({ ...NOWHERE, INITIATION_TOKEN: '' });
  expect(app.output()).toContain('INITIATION_TOKEN is not set');
  expect(await askAt(app.url, {}, { 'x-landline-token': TOKEN })).toMatchObject({
    status: 401,
    body: { code: 'token_not_set' },
  });
  expect(await app.stop()).toEqual([0, null]);
});

test('a variable that cannot be meant stops it, with what to do and without the secret', async () => {
  const app = await spawnApp('initiation', { env: { ...NOWHERE, INITIATION_TOKEN: 'hunter2' } });
  expect(await app.exited).toEqual([1, null]);
  expect(app.output()).toContain('INITIATION_TOKEN must have 16 characters or more');
  expect(app.output()).not.toContain('hunter2');
});
