import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { OperationJob, ProviderCheck } from '@landline/operations';
import { createLogger } from '@landline/process';
import { openProvider } from '@landline/provider';
import { deliveryOf } from '@landline/webhook/delivery';
import { Registry } from 'prom-client';
import { expect, onTestFinished, test, vi } from 'vitest';
import { audioOf, makeConversation, webhookOf } from '../../../test/support/provider/conversation.ts';
import { startProvider, type StandIn } from '../../../test/support/provider/start-provider.ts';
import { readConfig } from '../src/config.ts';
import { acceptWhereRoom, type ProviderSettings } from '../src/reconcile/open-reconciling.ts';
import { providerOf } from '../src/reconcile/provider-of.ts';
import { providerTask, type ProviderTaskOptions } from '../src/reconcile/provider-task.ts';
import { addReconcileGauges, type MeasuredStore } from '../src/reconcile/reconcile-metrics.ts';
import { requestAtStart } from '../src/reconcile/reconcile-task.ts';
import { createWorker } from '../src/worker.ts';
import { aPlace, column, HOUR, type Place } from './support/a-place.ts';

const WITHIN = { timeout: 25_000, interval: 50 };
/** Of several workers only some take a tick that is of use, and each looks every five seconds. */
const AT_LENGTH = { timeout: 60_000, interval: 50 };

/** The samples of our gauges, by name without `landline_`. */
async function samplesOf(registry: Registry): Promise<Record<string, number>> {
  const text = await registry.metrics();
  return Object.fromEntries(
    [...text.matchAll(/^landline_((?:conversations|reconcile|provider)\w+) (\S+)$/gm)].map(([, name = '', value]) => [
      name,
      Math.round(Number(value)),
    ]),
  );
}

const CHECK: ProviderCheck = { checkedAt: 1, findings: [], isWebhookUp: true, lastFailure: null, agents: [] };
const FAILED = { code: 500, at: 1_767_225_600_000, answered: null };

test('the gauges are what the tables say, and stand while Postgres is away', async () => {
  const answers: (Partial<{ age: number; check: object; savedAt: number; missing: number }> | Error)[] = [
    {},
    { missing: 3, age: 60, check: { ...CHECK, isWebhookUp: false, lastFailure: FAILED } },
    new Error('connection refused'),
    { age: 5, check: { ...CHECK, isWebhookUp: null } },
    { age: 5, check: CHECK, savedAt: Date.now() - HOUR },
    { age: 5, check: { isWebhookUp: 'of another version' } },
  ];
  const registry = new Registry();
  let now: (typeof answers)[number] = {};
  const store: MeasuredStore = {
    counts: async () => {
      if (now instanceof Error) throw now;
      return { open: 9, waiting: 9, missing: now.missing ?? 0, unfetchable: 2 };
    },
    runAge: async () => (now instanceof Error ? undefined : now.age),
    readProviderCheck: async () =>
      now instanceof Error || now.check === undefined
        ? undefined
        : { savedAt: now.savedAt ?? Date.now(), check: now.check },
  };
  addReconcileGauges(registry, store, 0);
  const seen = [];
  for (const answer of answers) {
    now = answer;
    // oxlint-disable-next-line no-await-in-loop -- one scrape after the other
    seen.push(await samplesOf(registry));
  }
  const second = {
    conversations_missing: 3,
    conversations_unfetchable: 2,
    reconcile_age_seconds: 60,
    provider_webhook_up: 0,
    provider_last_failure_timestamp_seconds: 1_767_225_600,
  };
  const alone = { conversations_missing: 0, conversations_unfetchable: 2 };
  const aged = { ...alone, reconcile_age_seconds: 5 };
  expect(seen).toEqual([alone, second, second, aged, aged, aged]);
});

test('all gauges of a scrape share one answer, which stands for a while', async () => {
  const registry = new Registry();
  let asked = 0;
  const counts = async () => {
    asked += 1;
    return { open: 0, waiting: 0, missing: 1, unfetchable: 0 };
  };
  addReconcileGauges(registry, { counts, runAge: async () => 1, readProviderCheck: async () => undefined });
  await samplesOf(registry);
  await samplesOf(registry);
  expect(asked).toBe(1);
});

test('a run is asked for at the start, also once Postgres is there; ten workers ask for one; after a good one none is needed, after a failed one it is', async () => {
  const place = await aPlace();
  const { operations, reconcile } = place.store;
  let isAway = true;
  let woken = 0;
  const requestRun: typeof reconcile.requestRun = (...asked) =>
    isAway ? Promise.reject(new Error('refused')) : reconcile.requestRun(...asked);
  const start = () =>
    requestAtStart({
      everyMs: HOUR,
      store: { operations, reconcile: { requestRun } },
      wake: async () => void (woken += 1),
      retryMs: 20,
    });
  const asking = Array.from({ length: 10 }, start);
  onTestFinished(async () => void (await Promise.all(asking.map((each) => each.stop()))));
  isAway = false;
  await vi.waitUntil(() => woken > 0, WITHIN);
  await Promise.all(asking.map((each) => each.stop()));
  const asked = () => column(place, `SELECT kind || ' ' || requested_by || filter::text FROM operations`);
  expect(await asked()).toEqual(['reconcile schedule{}']);
  for (const [status, minutes, runs] of [
    ['done', 50, 1],
    ['failed', 2, 2],
    ['done', 55, 3],
  ]) {
    // oxlint-disable no-await-in-loop -- one start after the other
    await place.sql(
      `UPDATE operations SET status = '${status}', created_at = now() - interval '${minutes} minutes', finished_at = now()`,
    );
    await start().stop();
    expect([status, (await asked()).length]).toEqual([status, runs]);
    // oxlint-enable no-await-in-loop
  }
  expect(woken).toBe(3);
});

test('of several ticks at once, and soon after a look, one looks at the provider', async () => {
  const standIn = await startProvider({});
  const provider = openProvider({ apiKey: standIn.apiKey, url: standIn.url });
  onTestFinished(() => standIn.close());
  onTestFinished(() => provider.close());
  let saved: { savedAt: number; check: unknown } | undefined;
  let looks = 0;
  const store: ProviderTaskOptions['store'] = {
    readProviderCheck: async () => saved,
    refusedBetween: async () => [],
    async saveProviderCheck(check) {
      looks += 1;
      saved = { savedAt: Date.now(), check };
    },
  };
  const logger = createLogger({ name: 'worker', level: 'silent' });
  const settings = { publicUrl: undefined, windowHours: 1, keepsAudio: true, reconcileEveryMs: 900_000 };
  const task = providerTask({ store, provider, ...settings, logger });
  const { signal } = new AbortController();
  await Promise.all([task.run(signal), task.run(signal)]);
  await task.run(signal);
  expect(looks).toBe(1);
  expect(saved?.check).toMatchObject({ reconcileEveryMs: 900_000 });
  saved = { savedAt: Date.now() - 280_000, check: undefined };
  await task.run(signal);
  expect(looks).toBe(2);
});

test('fetched audio is enqueued only while Redis has room beside the events', async () => {
  const added: OperationJob[] = [];
  let hasRoom = false;
  const accept = acceptWhereRoom({ add: async (job) => void added.push(job), hasRoom: async () => hasRoom });
  const delivery = deliveryOf(Buffer.from('{}'), { receivedAt: 1, signedAt: 1, secretId: 'provider' });
  await expect(accept(delivery)).rejects.toThrow('Redis has no room');
  hasRoom = true;
  await accept(delivery);
  expect(added).toMatchObject([{ events: [delivery] }]);
});

/** What the variables of a worker with a key say. */
function settingsOf({ databaseUrl, redisUrl, folder }: Place, provider: StandIn): ProviderSettings {
  const read = readConfig({
    DATABASE_URL: databaseUrl,
    REDIS_URL: redisUrl,
    ELEVENLABS_API_KEY: provider.apiKey,
    ELEVENLABS_API_URL: provider.url,
    PUBLIC_URL: 'https://calls.example.com',
    RECONCILE_WINDOW_HOURS: '24',
    SPOOL_DIR: join(folder, 'spool'),
  });
  const settings = read.ok ? providerOf(read.config) : undefined;
  if (settings === undefined) throw new Error('The variables cannot be read.');
  return settings;
}

/** Starts a worker that has a key, unless `provider` says otherwise. It is stopped when the test ends. */
function startWorker(place: Place, provider: ProviderSettings | undefined) {
  const lines: string[] = [];
  const destination = { write: (line: string) => void lines.push(line) };
  const logger = createLogger({ name: 'worker', level: 'info', destination });
  const recordingsUrl = `file:${place.folder}`;
  const worker = createWorker({ ...place, concurrency: 4, logger, recordingsUrl, provider });
  onTestFinished(() => worker.stop({ timeoutMs: 4_000 }));
  worker.start();
  return { worker, log: () => lines.join('') };
}

test('a worker with a key compares at its start, fetches what never came, and looks at the provider', async () => {
  const place = await aPlace();
  const startedAt = Math.floor((Date.now() - 3 * HOUR) / 1000);
  const [here, absent] = ['conv_here', 'conv_absent'].map((id) => makeConversation({ id, startedAt }));
  const provider = await startProvider({ conversations: [here, absent].flatMap((each) => each ?? []) });
  onTestFinished(() => provider.close());
  if (here === undefined) throw new Error('There is no conversation.');
  await place.apply(JSON.parse(webhookOf(here).toString()), Date.now() - 2 * HOUR);

  // A receiver with the same SPOOL_DIR was killed. The next one takes its body over, and enqueues it with a journal.
  const ofReceiver = join(place.folder, 'spool', 'abcdef012345', '001767225600000-0123456789ab.body');
  await mkdir(dirname(ofReceiver), { recursive: true });
  await writeFile(ofReceiver, 'a body');
  const { worker, log } = startWorker(place, settingsOf(place, provider));
  await vi.waitUntil(
    async () => (await column(place, `SELECT finished_at IS NOT NULL FROM reconciliations`)).includes(true),
    WITHIN,
  );
  expect(
    await place.sql(`SELECT id, completeness, (SELECT count(*)::int FROM conversation_messages m WHERE m.conversation_id = c.id) AS said
      FROM conversations c ORDER BY id`),
  ).toEqual([
    { id: 'conv_absent', completeness: 'complete', said: 4 },
    { id: 'conv_here', completeness: 'complete', said: 4 },
  ]);
  const { length } = audioOf('conv_absent');
  expect(
    await place.sql(`SELECT r.conversation_id, r.bytes::int, e.origin, url IS NOT NULL AS stored
      FROM conversation_recordings r JOIN webhook_events e ON e.id = r.event_id ORDER BY 1`),
  ).toEqual(
    ['conv_absent', 'conv_here'].map((id) => ({
      conversation_id: id,
      bytes: length,
      origin: 'backfill',
      stored: true,
    })),
  );
  expect(await place.sql('SELECT fetched::int, fetched_recordings::int, error FROM reconciliations')).toEqual([
    { fetched: 1, fetched_recordings: 2, error: null },
  ]);
  await vi.waitUntil(async () => (await column(place, `SELECT id FROM provider_checks`)).length === 1, WITHIN);
  const samples = await samplesOf(worker.metrics.registry);
  expect(samples).toMatchObject({ conversations_missing: 0, conversations_fetched_total: 2 });
  expect(samples['reconcile_age_seconds']).toBeLessThan(60);
  expect(await readFile(ofReceiver, 'utf8')).toBe('a body');
  expect(log()).not.toContain(provider.apiKey);
  expect(log()).not.toMatch(/\+20100|table for two/);
}, 90_000);

test('a worker without a key tells whoever asks what to set, and leaves the schedule to one with a key, which compares again and again', async () => {
  const place = await aPlace();
  const { operations, reconcile } = place.store;
  const without = startWorker(place, undefined);
  const asked = await Promise.all(
    [
      { kind: 'reconcile', filter: {} },
      { kind: 'fetch-conversation', filter: { conversation: 'conv_1' } },
    ].map((operation) => operations.request(operation)),
  );
  await place.sql(`INSERT INTO operations (kind, filter, requested_by) VALUES ('reconcile', '{}', 'schedule')`);
  // Nobody with a key has come for two minutes.
  await place.sql(`UPDATE operations SET created_at = created_at - interval '2 minutes'`);
  const ended = await vi.waitUntil(async () => {
    const all = await Promise.all(asked.map(({ id }) => operations.get(id)));
    return all.every((each) => each?.finishedAt != null) && all;
  }, AT_LENGTH);
  for (const each of ended) {
    expect(each).toMatchObject({ status: 'failed', message: expect.stringContaining('ELEVENLABS_API_KEY is not set') });
  }
  expect(await samplesOf(without.worker.metrics.registry)).toEqual({});

  const provider = await startProvider({});
  onTestFinished(() => provider.close());
  startWorker(place, { ...settingsOf(place, provider), everyMs: 1_000 });
  const { id } = await operations.request({ kind: 'fetch-conversation', filter: { conversation: 'conv_1' } });
  await vi.waitUntil(
    async () => (await column(place, `SELECT FROM reconciliations WHERE finished_at IS NOT NULL`)).length > 1,
    AT_LENGTH,
  );
  const isEnded = async () => (await operations.get(id))?.finishedAt != null;
  await vi.waitUntil(isEnded, AT_LENGTH);
  expect(await column(place, `SELECT message FROM operations WHERE message LIKE '%is not set%'`)).toHaveLength(2);
  expect(
    await column(place, `SELECT DISTINCT requested_by FROM operations WHERE kind = 'reconcile' AND status = 'done'`),
  ).toEqual(['schedule']);
  expect(await reconcile.lastGoodRun()).toMatchObject({ error: null });
}, 150_000);
