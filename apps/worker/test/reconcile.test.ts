import { once } from 'node:events';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { createEngine, type OperationJob, type OperationKind, type ProviderCheck } from '@landline/operations';
import { createLogger } from '@landline/process';
import { openProvider } from '@landline/provider';
import { openTrackedJobs } from '@landline/queue';
import { deliveryOf } from '@landline/webhook/delivery';
import { Registry } from 'prom-client';
import { expect, onTestFinished, test, vi } from 'vitest';
import { audioOf, makeConversation, webhookOf } from '../../../test/support/provider/conversation.ts';
import { startProvider, type StandIn } from '../../../test/support/provider/start-provider.ts';
import { readConfig } from '../src/config.ts';
import { byOwnClock } from '../src/reconcile/by-own-clock.ts';
import { compareTask } from '../src/reconcile/compare-task.ts';
import { acceptWhereRoom, openReconciling, type ProviderSettings } from '../src/reconcile/open-reconciling.ts';
import { providerOf } from '../src/reconcile/provider-of.ts';
import { providerTask, type ProviderTaskOptions } from '../src/reconcile/provider-task.ts';
import { addReconcileGauges, type MeasuredStore } from '../src/reconcile/reconcile-metrics.ts';
import { createWorker } from '../src/worker.ts';
import { aPlace, column, HOUR, type Place } from './support/a-place.ts';

const WITHIN = { timeout: 25_000, interval: 50 };
/** Of several workers only some take a tick that is of use, and each looks every five seconds. */
const AT_LENGTH = { timeout: 60_000, interval: 50 };

/** The samples of our gauges, by name without `landline_`. */
async function samplesOf(registry: Registry): Promise<Record<string, number>> {
  const text = await registry.metrics();
  return Object.fromEntries(
    [...text.matchAll(/^landline_((?:conversations|reconcile|provider|webhooks_missed)\w+) (\S+)$/gm)].map(
      ([, name = '', value]) => [name, Math.round(Number(value))],
    ),
  );
}

const CHECK: ProviderCheck = { checkedAt: 1, findings: [], isWebhookUp: true, lastFailure: null, agents: [] };
const A_RUN = {
  id: 'a_run',
  windowFrom: 1,
  windowTo: 2,
  startedAt: 2,
  finishedAt: 3,
  error: null,
  listed: 0,
  complete: 0,
  waiting: 0,
  fetched: 0,
  fetchedRecordings: 0,
  unfetchable: 0,
};
const FAILED = { code: 500, at: 1_767_225_600_000, answered: null };

test('the gauges are what the tables say, and stand while Postgres is away', async () => {
  const answers: (
    Partial<{ age: number; check: object; savedAt: number; missing: number; isFirst: boolean }> | Error
  )[] = [
    // No comparison has ended well: nobody knows what is missing.
    { missing: 0, age: 7_200, isFirst: true },
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
    lastGoodRun: async () => (now instanceof Error || now.isFirst === true ? undefined : A_RUN),
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
  expect(seen).toEqual([{ reconcile_age_seconds: 7_200 }, alone, second, second, aged, aged, aged]);
});

test('all gauges of a scrape share one answer, which stands for a while', async () => {
  const registry = new Registry();
  let asked = 0;
  const counts = async () => {
    asked += 1;
    return { open: 0, waiting: 0, missing: 1, unfetchable: 0 };
  };
  addReconcileGauges(registry, {
    counts,
    lastGoodRun: async () => A_RUN,
    runAge: async () => 1,
    readProviderCheck: async () => undefined,
  });
  await samplesOf(registry);
  await samplesOf(registry);
  expect(asked).toBe(1);
});

test('ten workers that start ask for one run; a good one stands for the interval, and after a failed one a start asks anew', async () => {
  const place = await aPlace();
  const { operations, reconcile } = place.store;
  const engine = { runDue: () => Promise.resolve() };
  const aWorker = () => compareTask({ everyMs: HOUR, store: { operations, reconcile }, engine });
  const { signal } = new AbortController();
  const asked = () => column(place, `SELECT kind || ' ' || requested_by || filter::text FROM operations`);
  const workers = Array.from({ length: 10 }, aWorker);
  await Promise.all(workers.map((each) => each.run(signal)));
  expect(await asked()).toEqual(['reconcile schedule{}']);
  for (const [status, minutes, runs, runsAtStart] of [
    ['done', 55, 1, 1],
    ['failed', 5, 1, 2],
    ['done', 65, 3, 3],
  ]) {
    // oxlint-disable no-await-in-loop -- one start after the other
    await place.sql(
      `UPDATE operations SET status = '${status}', created_at = now() - interval '${minutes} minutes', finished_at = now()`,
    );
    await workers[0]?.run(signal);
    expect([status, (await asked()).length]).toEqual([status, runs]);
    await aWorker().run(signal);
    expect([status, (await asked()).length]).toEqual([status, runsAtStart]);
    // oxlint-enable no-await-in-loop
  }
});

test('workers with a key come by themselves for what is due, also once Postgres is there, and do not wait for what runs', async () => {
  const place = await aPlace();
  const { operations, reconcile } = place.store;
  let isAway = true;
  const requestRun: typeof reconcile.requestRun = (...asked) =>
    isAway ? Promise.reject(new Error('Postgres refused.')) : reconcile.requestRun(...asked);
  const ran: string[] = [];
  const ending = new AbortController();
  const isToEnd = once(ending.signal, 'abort');
  const ofKey = (kind: string, until?: Promise<unknown>): OperationKind => ({
    kind,
    run: async () => void (ran.push(kind), await until),
  });
  const lines: string[] = [];
  const logger = createLogger({
    name: 'worker',
    level: 'info',
    destination: { write: (line) => void lines.push(line) },
  });
  const clocks = [1, 2].map(() => {
    const kinds = [ofKey('reconcile', isToEnd), ofKey('fetch-conversation'), ofKey('replay')];
    const engine = createEngine({ store: operations, kinds });
    const store = { operations, reconcile: { requestRun } };
    return byOwnClock([compareTask({ everyMs: 1_000, store, engine })], logger);
  });
  clocks.forEach((clock) => clock.start());
  onTestFinished(async () => void (await Promise.all(clocks.map((clock) => clock.close({ timeoutMs: 20_000 })))));
  await vi.waitUntil(() => lines.length > 0, WITHIN);
  isAway = false;
  await vi.waitUntil(() => ran.length === 1, WITHIN);
  const { id } = await operations.request({ kind: 'fetch-conversation', filter: { conversation: 'conv_1' } });
  await operations.request({ kind: 'replay', filter: {} });
  await vi.waitUntil(async () => (await operations.get(id))?.status === 'done', WITHIN);
  // One comparison for both workers, and what all workers can do is left to the schedule.
  expect(ran).toEqual(['reconcile', 'fetch-conversation']);
  ending.abort();
  await vi.waitUntil(() => ran.filter((kind) => kind === 'reconcile').length > 2, WITHIN);
  // Each of the two clocks may have met it; it is said once, not at each turn.
  expect(lines.filter((line) => line.includes('Postgres refused.')).length).toBeLessThan(3);
});

test('a fault of a task is said once, not with each run, and again when it comes back after a good one', async () => {
  const lines: string[] = [];
  const destination = { write: (line: string) => void lines.push(line) };
  const left = ['down', 'away', 'down', 'away', '', 'down', 'down'];
  const failing = async () => {
    const message = left.shift();
    if (message) throw new Error(message);
  };
  let runs = 0;
  const clock = byOwnClock(
    [
      { everyMs: 10, run: failing },
      { everyMs: 10, run: async () => void (runs += 1) },
    ],
    createLogger({ name: 'worker', level: 'info', destination }),
  );
  onTestFinished(() => clock.close({ timeoutMs: 1_000 }));
  clock.start();
  await vi.waitUntil(() => left.length === 0 && runs > 0, WITHIN);
  expect(lines.map((line) => /Operations: (\w+)/.exec(line)?.[1])).toEqual(['down', 'away', 'down']);
});

test('of several workers that come at once, and soon after a look, one looks at the provider', async () => {
  const place = await aPlace();
  const standIn = await startProvider({});
  onTestFinished(() => standIn.close());
  const provider = openProvider({ apiKey: standIn.apiKey, url: standIn.url });
  onTestFinished(() => provider.close());
  const { reconcile } = place.store;
  let looks = 0;
  // Each worker comes again while the first look runs: it is not written before.
  const again = new AbortController();
  onTestFinished(() => again.abort());
  const haveComeAgain = once(again.signal, 'abort');
  const store: ProviderTaskOptions['store'] = {
    ...reconcile,
    async saveProviderCheck(check) {
      await haveComeAgain;
      looks += 1;
      await reconcile.saveProviderCheck(check);
    },
  };
  const logger = createLogger({ name: 'worker', level: 'silent' });
  const settings = { publicUrl: undefined, windowHours: 1, keepsAudio: true, reconcileEveryMs: 900_000 };
  const [task, other] = [1, 2].map(() => providerTask({ store, provider, ...settings, logger }));
  const { signal } = new AbortController();
  const come = () => Promise.all([task?.run(signal), other?.run(signal), task?.run(signal)]);
  const first = come();
  await vi.waitUntil(() => standIn.requests.length > 0, WITHIN);
  expect([looks, await reconcile.readProviderCheck()]).toEqual([0, undefined]);
  // The one that does not look is back at once: first from its first time, then from one that began during the look.
  for (let i = 0; i < 2; i++) {
    const late = delay(20_000, 'Both look', { ref: false });
    // oxlint-disable-next-line no-await-in-loop -- one after the other
    expect(await Promise.race([task?.run(signal), other?.run(signal), late])).toBeUndefined();
  }
  again.abort();
  await first;
  await come();
  expect(looks).toBe(1);
  expect(await reconcile.readProviderCheck()).toMatchObject({ check: { reconcileEveryMs: 900_000 } });
  // It is the beginning that counts, by the clock of the database, which may be set back.
  for (const begun of ["- interval '280 seconds'", "+ interval '1 hour'"]) {
    // oxlint-disable no-await-in-loop -- one after the other
    await place.sql(`UPDATE provider_checks SET saved_at = now(), begun_at = now() ${begun}`);
    await come();
    // oxlint-enable no-await-in-loop
  }
  expect(looks).toBe(3);
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
  await vi.waitUntil(
    async () => (await column(place, `SELECT id FROM provider_checks WHERE result IS NOT NULL`)).length === 1,
    WITHIN,
  );
  // The gauges are read by a clock of their own.
  await vi.waitUntil(async () => 'conversations_missing' in (await samplesOf(worker.metrics.registry)), WITHIN);
  const samples = await samplesOf(worker.metrics.registry);
  // Both calls are older than the first comparison: no webhook could have brought them.
  expect(samples).toMatchObject({ conversations_missing: 0, conversations_fetched_total: 2, webhooks_missed_total: 0 });
  expect(samples['reconcile_age_seconds']).toBeLessThan(60);
  expect(await readFile(ofReceiver, 'utf8')).toBe('a body');
  expect(log()).not.toContain(provider.apiKey);
  expect(log()).not.toMatch(/\+20100|table for two/);
}, 90_000);

test('a worker has two requests on their way at most while it compares, fetches again and looks at the provider', async () => {
  const place = await aPlace();
  const startedAt = Math.floor((Date.now() - 3 * HOUR) / 1000);
  const conversations = ['a', 'b', 'c'].map((id) => makeConversation({ id: `conv_${id}`, startedAt }));
  const provider = await startProvider({ conversations });
  onTestFinished(() => provider.close());
  provider.fail({ path: /./, kind: 'slow', pauseMs: 100, times: 'always' });
  const { store } = place;
  const queue = openTrackedJobs(place);
  onTestFinished(() => queue.close());
  const logger = createLogger({ name: 'worker', level: 'silent' });
  const settings = settingsOf(place, provider);
  const letters = { remove: () => Promise.resolve() };
  const reconciling = openReconciling({ settings, store, queue, letters, recordingsUrl: '', logger });
  onTestFinished(() => reconciling.close());
  const engine = createEngine({ store: store.operations, kinds: reconciling.kinds });
  await store.operations.request({ kind: 'reconcile', filter: {} });
  await store.operations.request({ kind: 'fetch-conversation', filter: { conversation: 'conv_c' } });
  const leaving = new AbortController();
  const work = Promise.allSettled([engine.runDue(leaving.signal), reconciling.look.run(leaving.signal)]);
  const isAsked = (path: RegExp) => provider.requests.some((request) => path.test(request.path));
  await vi.waitUntil(() => [/conversations$/, /conv_a$/, /conv_c$/, /webhooks$/, /agents\//].every(isAsked), WITHIN);
  leaving.abort();
  await work;
  expect(provider.mostAtOnce()).toBe(2);
});

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
