import { expect, onTestFinished, test, vi } from 'vitest';
import { startApp, type AppProcess } from './support/app-process.ts';
import { startPipe } from './support/pipe.ts';
import { post, SECRET } from './support/post.ts';
import { startPrivatePostgres } from './support/private-postgres.ts';
import { startPrivateRedis } from './support/private-redis.ts';
import { runSql } from './support/run-sql.ts';
import { scrape, valueOf } from './support/scrape.ts';
import { TABLE_NAMES } from './support/tables.ts';

/** How long a process shows the newest canary that it has read, in ms. */
const KEPT_MS = 1_000;

/** With a canary each second, its age stays far below this while canaries come through, also on a busy machine. */
const SMALL_SECONDS = 15;
const LONG_WAIT = { timeout: 60_000, interval: 100 };

/** Returns a metric's value, summed over its labels. */
const metricOf = async (app: AppProcess, name: string) => valueOf(await scrape(app.healthUrl), name);

const ageAt = (app: AppProcess) => metricOf(app, 'landline_canary_age_seconds');

/** Resolves when the newest canary that came through was sent at or after `time`. */
async function untilSentAfter(time: number, app: AppProcess): Promise<void> {
  await vi.waitUntil(async () => {
    const age = await ageAt(app);
    return age !== undefined && Date.now() - age * 1000 > time;
  }, LONG_WAIT);
}

test('a canary goes from the public route to the ledger and back, and leaves no trace among the events', async () => {
  const pipe = await startPipe({ CANARY_INTERVAL_SECONDS: '1' });
  onTestFinished(() => pipe.stop());
  await pipe.sql('CREATE TABLE seen (type text)');
  await pipe.sql(`CREATE FUNCTION note() RETURNS trigger LANGUAGE plpgsql
    AS $$ BEGIN INSERT INTO seen VALUES (NEW.type); RETURN NULL; END $$`);
  await pipe.sql('CREATE TRIGGER note AFTER INSERT ON webhook_events FOR EACH ROW EXECUTE FUNCTION note()');
  // No worker runs: the age shows from the start that no canary comes through.
  await vi.waitUntil(async () => Number(await ageAt(pipe.receiver)) > 2, LONG_WAIT);
  const worker = await pipe.startWorker();
  for (const app of [pipe.receiver, worker]) await untilSentAfter(0, app);
  await untilSentAfter(Date.now(), pipe.receiver);
  await untilSentAfter(Date.now(), worker);
  expect(await ageAt(pipe.receiver)).toBeLessThan(SMALL_SECONDS);
  expect(await ageAt(worker)).toBeLessThan(SMALL_SECONDS);

  // Canaries went through the ledger, and no table has a row of one.
  const [{ n: seen } = {}] = await pipe.sql(`SELECT count(*)::int AS n FROM seen WHERE type = 'landline.canary'`);
  expect(seen).toBeGreaterThanOrEqual(2);
  for (const table of TABLE_NAMES) expect(await pipe.sql(`SELECT * FROM ${table}`)).toEqual([]);
  expect(await metricOf(pipe.receiver, 'landline_events_accepted_total')).toBe(0);
  expect(await metricOf(worker, 'landline_events_processed_total')).toBe(0);
  expect(pipe.receiver.output()).not.toMatch(/📥|[Cc]anary/);
  expect(worker.output()).not.toMatch(/✅|Ignored|[Cc]anary/);

  // Events beside the canaries are counted in full.
  const data = { conversation_id: 'conv_1', role: 'user', message: 'hello' };
  await post(pipe.receiver.url, JSON.stringify({ type: 'conversation.message', data }));
  await vi.waitUntil(() => worker.output().includes('✅ Message stored: conv_1'), LONG_WAIT);
  expect(await pipe.sql('SELECT type FROM webhook_events')).toEqual([{ type: 'conversation.message' }]);
  expect(await metricOf(pipe.receiver, 'landline_events_accepted_total')).toBe(1);
  expect(await metricOf(worker, 'landline_events_processed_total')).toBe(1);

  // Without a worker the age grows until one runs again.
  await worker.stop();
  const stoppedAt = performance.now();
  // The receiver reads the mark from Redis once a second: what it has read before may not be the last canary that came through.
  const isReadSince = () => performance.now() > stoppedAt + 2 * KEPT_MS;
  await vi.waitUntil(async () => isReadSince() && Number(await ageAt(pipe.receiver)) > 2, LONG_WAIT);
  const stopped = await ageAt(pipe.receiver);
  const sentAt = Date.now() - (stopped ?? 0) * 1000;
  await vi.waitUntil(async () => Number(await ageAt(pipe.receiver)) > (stopped ?? 0) + 4, LONG_WAIT);
  const askedAt = Date.now();
  expect(askedAt - Number(await ageAt(pipe.receiver)) * 1000).toBeLessThan(sentAt + 1000);
  const next = await pipe.startWorker();
  await untilSentAfter(Date.now(), next);
  expect(await pipe.counts()).toMatchObject({ dead: 0 });
  expect(await pipe.sql('SELECT type FROM webhook_events')).toEqual([{ type: 'conversation.message' }]);
}, 400_000);

test('after an outage of Redis or Postgres canaries come through again by themselves', async () => {
  const redis = await startPrivateRedis();
  onTestFinished(() => redis.remove());
  const postgres = await startPrivatePostgres();
  const receiver = await startApp('receiver', {
    env: { ELEVENLABS_WEBHOOK_SECRET: SECRET, REDIS_URL: redis.url, CANARY_INTERVAL_SECONDS: '1' },
  });
  onTestFinished(async () => void (await receiver.stop()));
  const worker = await startApp('worker', { env: { DATABASE_URL: postgres.url, REDIS_URL: redis.url } });
  onTestFinished(async () => void (await worker.stop()));
  await untilSentAfter(0, receiver);

  await redis.stop();
  await vi.waitUntil(() => receiver.output().includes('The canary was not taken'), LONG_WAIT);
  // The age goes on from the last mark that was read.
  const [before, after] = [await ageAt(receiver), await ageAt(receiver)];
  expect(after).toBeGreaterThanOrEqual(before ?? Infinity);
  await redis.restart();
  for (const app of [receiver, worker]) await untilSentAfter(Date.now(), app);

  await postgres.stop();
  const stoppedAt = Date.now();
  await vi.waitUntil(() => worker.output().includes('Waiting for the database'), LONG_WAIT);
  await vi.waitUntil(async () => Number(await ageAt(receiver)) > 3, LONG_WAIT);
  const askedAt = Date.now();
  expect(askedAt - Number(await ageAt(worker)) * 1000).toBeLessThan(stoppedAt + 1000);
  await postgres.restart();
  for (const app of [receiver, worker]) await untilSentAfter(Date.now(), app);
  expect(await runSql(postgres.url, 'SELECT * FROM webhook_events')).toEqual([]);
}, 400_000);

test('an interval of 0 sends no canary and has no age', async () => {
  const pipe = await startPipe({ CANARY_INTERVAL_SECONDS: '0' });
  onTestFinished(() => pipe.stop());
  // Another receiver on the same Redis sends canaries, and signs them with a secret of its own, by which the test knows them.
  const secret = 'x'.repeat(32);
  const other = await startApp('receiver', {
    env: { ELEVENLABS_WEBHOOK_SECRET: secret, REDIS_URL: pipe.redis.url, CANARY_INTERVAL_SECONDS: '1' },
  });
  onTestFinished(async () => void (await other.stop()));
  await post(pipe.receiver.url, '{"type": "dubbing.finished"}');
  const queued = (await pipe.untilQueued(4)).flat();
  const [secretId, ...others] = new Set(
    queued.flatMap(({ body, secretId: id }) => (body.includes('canary') ? [id] : [])),
  );
  expect(others).toEqual([]);
  expect(queued.filter((event) => event.secretId !== secretId).map(({ body }) => body)).toEqual([
    '{"type": "dubbing.finished"}',
  ]);

  const worker = await pipe.startWorker();
  for (const app of [other, worker]) await untilSentAfter(0, app);
  expect(await ageAt(pipe.receiver)).toBeUndefined();

  // A receiver that starts with an interval of 0 removes the mark, so its age ends at the workers as well.
  await other.stop();
  await pipe.untilIdle();
  expect(await ageAt(worker)).toBeDefined();
  const off = await startApp('receiver', {
    env: { ELEVENLABS_WEBHOOK_SECRET: SECRET, REDIS_URL: pipe.redis.url, CANARY_INTERVAL_SECONDS: '0' },
  });
  onTestFinished(async () => void (await off.stop()));
  await vi.waitUntil(async () => (await ageAt(worker)) === undefined, LONG_WAIT);
}, 400_000);
