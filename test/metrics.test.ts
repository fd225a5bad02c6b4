import { mkdir, mkdtemp, rm, writeFile, chmod } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Service, startPostgres } from '@landline/local-servers';
import { DEAD_LETTER_QUEUE, openQueues, REJECTED_QUEUE, REQUESTS_QUEUE, WEBHOOK_QUEUE } from '@landline/queue';
import { RECONCILE, type ProviderCheck } from '@landline/operations';
import { createStore, openOperations } from '@landline/store';
import { canaryBody } from '@landline/webhook/canary';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { startApp, type AppProcess } from './support/app-process.ts';
import { readMetricsTable } from './support/metrics-table.ts';
import { post, SECRET, send, signed, WEBHOOK_PATH } from './support/post.ts';
import { startPrivateRedis, type PrivateRedis } from './support/private-redis.ts';
import { lockRows } from './support/lock-table.ts';
import { makeConversation } from './support/provider/conversation.ts';
import { startProvider, type StandIn } from './support/provider/start-provider.ts';
import { chooseQuietPort } from './support/quiet-port.ts';
import { openConnection, rawPost } from './support/raw-connection.ts';
import { runSql } from './support/run-sql.ts';
import { samplesOf, scrape, valueOf, type Scrape } from './support/scrape.ts';

const DASHBOARD_PASSWORD = 'correct horse battery';
const LOGIN = { authorization: `Basic ${Buffer.from(`admin:${DASHBOARD_PASSWORD}`).toString('base64')}` };
const INITIATION_TOKEN = 'a token of the test';
const APPS = ['receiver', 'worker', 'dashboard', 'initiation'] as const;
type App = (typeof APPS)[number];
/** The smallest journal that is allowed, in bytes. */
const MAX_CONNECTIONS = 64;

let folder: string;
let journalDir: string;
let redis: PrivateRedis;
let postgres: Service;
let provider: StandIn;
let endFault: () => void;
const processes = new Map<App, AppProcess>();
const scrapes: Record<App, Scrape[]> = { receiver: [], worker: [], dashboard: [], initiation: [] };

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'landline-metrics-'));
  await chmod(folder, 0o755); // as root, Postgres runs as another user
  journalDir = join(folder, 'journal');
  redis = await startPrivateRedis();
  postgres = await startPostgres({ dir: join(folder, 'postgres'), port: await chooseQuietPort() });
  const startedAt = Math.floor(Date.now() / 1000) - 10_800;
  const conversations = ['conv_unsent', 'conv_gone'].map((id) => makeConversation({ id, startedAt, hasAudio: false }));
  provider = await startProvider({ conversations });
  // The run at the worker's start cannot fetch them.
  endFault = provider.fail({
    kind: 'forbidden',
    path: /conv_(unsent|gone)$/,
    times: 'always',
  });
  provider.fail({ kind: 'not_found', path: /conv_gone$/, times: 'always' });
  const env = {
    REDIS_URL: redis.url,
    DATABASE_URL: postgres.url,
    ELEVENLABS_WEBHOOK_SECRET: SECRET,
    ELEVENLABS_API_KEY: provider.apiKey,
    ELEVENLABS_API_URL: provider.url,
    PUBLIC_URL: 'https://calls.example.com',
  };
  for (const app of APPS) {
    processes.set(
      app,
      // oxlint-disable-next-line no-await-in-loop -- one after the other, as they are stopped
      await startApp(app, {
        env: {
          ...env,
          DASHBOARD_PASSWORD,
          INITIATION_TOKEN,
          JOURNAL_DIR: journalDir,
          // A test breaks that of the receiver.
          SPOOL_DIR: join(folder, app === 'worker' ? 'spool-of-worker' : 'spool'),
          RECORDINGS_URL: `file:${join(folder, 'recordings')}`,
          CANARY_INTERVAL_SECONDS: '86400',
          // Groups are counted where Redis takes them in time: a busy machine's disk may take longer than the second of the default.
          ENQUEUE_TIMEOUT_MS: '4000',
          MAX_CONNECTIONS: String(MAX_CONNECTIONS),
        },
      }),
    );
  }
  await vi.waitUntil(() => processOf('worker').output().includes('Taking jobs'), { timeout: 30_000 });
  await Promise.all(APPS.map(readMetrics));
}, 120_000);

afterAll(async () => {
  await Promise.all([...processes.values()].map((app) => app.stop()));
  await Promise.all([redis.remove(), postgres.stop(), provider.close()]);
  await rm(folder, { recursive: true, force: true });
});

function processOf(app: App): AppProcess {
  const found = processes.get(app);
  if (found === undefined) throw new Error(`There is no ${app}.`);
  return found;
}

/** Reads the metrics of a process, and records them for the checks at the end. */
async function readMetrics(app: App): Promise<Scrape['samples']> {
  const seen = await scrape(processOf(app).healthUrl, app === 'dashboard' ? { headers: LOGIN } : {});
  scrapes[app].push(seen);
  return seen.samples;
}

/** How long a metric may take to show an event. */
const WITHIN = { timeout: 20_000, interval: 100 };

const above = (least: number) => expect.toSatisfy((value: unknown) => typeof value === 'number' && value > least);
const jobs = (queue: string, state: string) => `landline_queue_jobs{queue="${queue}",state="${state}"}`;

let said = 0;
function aMessage(): string {
  const data = { conversation_id: 'conv_1', role: 'user', message: `message ${said++}` };
  return JSON.stringify({ type: 'conversation.message', timestamp: 1_767_225_600, data });
}

async function accepted(body: string | Buffer): Promise<void> {
  expect(await post(processOf('receiver').url, body)).toMatchObject({ status: 200 });
}

/** Asks who is calling. Returns the status of the answer. */
async function ask(call: Record<string, string>, token = INITIATION_TOKEN): Promise<number> {
  const response = await fetch(`${processOf('initiation').url}/api/elevenlabs/conversation-initiation`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', authorization: `Bearer ${token}` },
    body: JSON.stringify(call),
  });
  await response.arrayBuffer();
  return response.status;
}

const answers = (kind: string, because: string) =>
  `landline_initiation_answers_total{kind="${kind}",because="${because}"}`;

/** How many answers the initiation has counted. */
async function answered(): Promise<number | undefined> {
  return valueOf({ samples: await readMetrics('initiation'), types: {} }, 'landline_initiation_answers_total');
}

/**
 * Asks until an answer is counted there: a machine that stalls for longer than an answer may take counts another one. Returns how often it has asked.
 */
async function askUntil(call: Record<string, string>, counter: string): Promise<number> {
  let times = 0;
  const asked = async () => {
    times += 1;
    expect(await ask(call)).toBe(200);
    return (await readMetrics('initiation'))[counter];
  };
  await expect.poll(asked, WITHIN).toEqual(above(0));
  return times;
}

describe('what moves the metrics', () => {
  test('conversations that never came: missing, then fetched, or nobody can; and the webhook at the provider', async () => {
    await expect
      .poll(() => readMetrics('worker'), { ...WITHIN, timeout: 60_000 })
      .toMatchObject({
        landline_conversations_missing: 2,
        landline_conversations_fetched_total: 0,
        landline_reconcile_age_seconds: above(0),
        landline_provider_webhook_up: 1,
      });
    endFault();
    const store = createStore({ databaseUrl: postgres.url, poolSize: 1 });
    const check: ProviderCheck = {
      checkedAt: Date.now(),
      findings: [],
      isWebhookUp: false,
      lastFailure: { code: 503, at: 1_767_225_600_000, answered: null },
      agents: [],
    };
    await store.reconcile.saveProviderCheck(check);
    // As if Landline had been there when the calls ended: their webhooks could have come.
    await runSql(postgres.url, `UPDATE reconciliations SET started_at = started_at - interval '1 day'`);
    await store.operations.request({ kind: RECONCILE, filter: {} });
    await store.close();
    await expect
      .poll(() => readMetrics('worker'), { ...WITHIN, timeout: 60_000 })
      .toMatchObject({
        landline_conversations_missing: 0,
        landline_conversations_unfetchable: 1,
        landline_conversations_fetched_total: 1,
        landline_webhooks_missed_total: 1,
        landline_provider_webhook_up: 0,
        landline_provider_last_failure_timestamp_seconds: 1_767_225_600,
      });
  });

  test('events: accepted, refused, applied, known, unknown and at fault', async () => {
    const twice = aMessage();
    for (const body of [twice, twice, '{"type": "no.such.type"}', '[']) {
      // oxlint-disable-next-line no-await-in-loop -- a group each
      await accepted(body);
    }
    expect(await send(processOf('receiver').url, { body: '{}' })).toMatchObject({ status: 401 });
    await expect
      .poll(() => readMetrics('receiver'), WITHIN)
      .toMatchObject({
        landline_events_accepted_total: 4,
        'landline_events_rejected_total{code="signature_missing"}': 1,
        'landline_rejected_requests_total{outcome="kept"}': 1,
        'landline_events_rejected_total{code="unavailable"}': 0,
        landline_events_journalled_total: 4,
        landline_groups_enqueued_total: 4,
        'landline_group_events_bucket{le="1"}': 4,
        landline_group_events_sum: 4,
        landline_redis_up: 1,
        landline_journal_up: 1,
        landline_journal_bytes: above(0),
        landline_journal_pending_records: 0,
        'landline_backlog_events{shard="0"}': 0,
        'landline_backlog_seconds{shard="0"}': 0,
        'landline_backlog_oldest_seconds{shard="0"}': 0,
      });
    await expect
      .poll(() => readMetrics('worker'), WITHIN)
      .toMatchObject({
        // The account that was fetched was applied as well, and is in no time from receipt to row.
        'landline_events_processed_total{outcome="applied"}': 2,
        'landline_events_processed_total{outcome="duplicate"}': 1,
        'landline_events_processed_total{outcome="ignored"}': 1,
        'landline_events_dead_total{code="body_not_json"}': 1,
        'landline_rejected_requests_diagnosed_total{cause="no_signature"}': 1,
        'landline_rejected_requests_diagnosed_total{cause="another_secret"}': 0,
        [jobs(REJECTED_QUEUE, 'waiting')]: 0,
        [jobs(REQUESTS_QUEUE, 'failed')]: 0,
        landline_transaction_events_sum: 4,
        landline_receipt_to_row_seconds_count: 1,
        landline_receipt_to_row_seconds_sum: above(0),
        'landline_postgres_errors_total{class="connection"}': 0,
        landline_database_waiting: 0,
        landline_dead_events: 1,
        [jobs(DEAD_LETTER_QUEUE, 'failed')]: 1,
        [jobs(WEBHOOK_QUEUE, 'waiting')]: 0,
      });
    await expect
      .poll(() => readMetrics('dashboard'), WITHIN)
      .toMatchObject({
        [jobs(DEAD_LETTER_QUEUE, 'failed')]: 1,
        [jobs(WEBHOOK_QUEUE, 'waiting')]: 0,
        [jobs(REJECTED_QUEUE, 'waiting')]: 0,
        [jobs(REQUESTS_QUEUE, 'failed')]: 0,
      });
  });

  test('a Redis that does not answer: the journal takes the event, and no scrape waits for the queues', async () => {
    redis.freeze();
    await accepted(aMessage());
    await expect
      .poll(() => readMetrics('receiver'), WITHIN)
      .toMatchObject({
        landline_events_accepted_total: 5,
        landline_groups_enqueued_total: 4,
        landline_redis_errors_total: 1,
        landline_redis_up: 0,
        landline_journal_pending_records: 1,
        landline_journal_pending_bytes: above(0),
      });
    expect(Object.keys(await readMetrics('receiver')).filter((key) => key.startsWith('landline_backlog'))).toEqual([]);
    for (const app of ['worker', 'dashboard'] as const) {
      // oxlint-disable-next-line no-await-in-loop -- one after the other
      expect(Object.keys(await readMetrics(app)).filter((key) => key.startsWith('landline_queue_jobs'))).toEqual([]);
    }
    redis.thaw();
    await expect
      .poll(() => readMetrics('receiver'), WITHIN)
      .toMatchObject({
        landline_redis_up: 1,
        landline_journal_pending_records: 0,
        landline_journal_pending_bytes: 0,
        landline_journal_reenqueued_records_total: 1,
      });
    await expect
      .poll(() => readMetrics('worker'), WITHIN)
      .toMatchObject({
        'landline_events_processed_total{outcome="applied"}': 3,
        [jobs(WEBHOOK_QUEUE, 'active')]: 0,
      });
    await expect.poll(() => readMetrics('dashboard'), WITHIN).toMatchObject({ [jobs(WEBHOOK_QUEUE, 'active')]: 0 });
  });

  test('a Redis that is away and comes back', async () => {
    await redis.stop();
    await accepted(aMessage());
    await expect
      .poll(() => readMetrics('receiver'), WITHIN)
      .toMatchObject({ landline_redis_up: 0, landline_journal_pending_records: 1 });
    await expect.poll(() => readMetrics('worker'), WITHIN).toMatchObject({ landline_redis_errors_total: above(0) });
    expect(await readMetrics('dashboard')).not.toHaveProperty([jobs(WEBHOOK_QUEUE, 'waiting')]);
    await redis.restart();
    // Events around the last beat of the Redis that ended are enqueued again as well.
    await expect
      .poll(() => readMetrics('receiver'), WITHIN)
      .toMatchObject({ landline_redis_up: 1, landline_journal_reenqueued_records_total: above(1) });
    await expect
      .poll(() => readMetrics('worker'), WITHIN)
      .toMatchObject({ 'landline_events_processed_total{outcome="applied"}': 4 });
  });

  test('a Redis that may evict what it holds', async () => {
    await redis.run(['CONFIG', 'SET', 'maxmemory-policy', 'volatile-lru']);
    await expect
      .poll(() => readMetrics('receiver'), WITHIN)
      .toMatchObject({ landline_redis_refused: 1, landline_redis_up: 0 });
    await redis.run(['CONFIG', 'SET', 'maxmemory-policy', 'noeviction']);
    await expect
      .poll(() => readMetrics('receiver'), WITHIN)
      .toMatchObject({ landline_redis_refused: 0, landline_redis_up: 1 });
  });

  test('a Redis that has lost what it took', async () => {
    await redis.run(['FLUSHALL']);
    await expect
      .poll(() => readMetrics('receiver'), WITHIN)
      .toMatchObject({ landline_redis_losses_total: 1, landline_journal_reenqueued_records_total: above(2) });
  });

  test('a journal of a killed receiver that no other can take over', async () => {
    const left = join(journalDir, 'abcdef012345');
    await mkdir(left);
    // The file has the name of a journal's file, but not its first bytes.
    await writeFile(join(left, '001767225600000-000000-abcdef012345.log'), 'x'.repeat(1000));
    await expect
      .poll(() => readMetrics('receiver'), WITHIN)
      .toMatchObject({ landline_journal_unheld_bytes: 1000, landline_journal_disk_free_bytes: above(0) });
  });

  test('connections that send nothing, and a body on its way', async () => {
    const { url } = processOf('receiver');
    const body = aMessage();
    const slow = await openConnection(url);
    slow.write(rawPost(WEBHOOK_PATH, signed(body), body).subarray(0, -1));
    await expect
      .poll(() => readMetrics('receiver'), WITHIN)
      .toMatchObject({ landline_receiving_bytes: body.length - 1 });
    const silent = await Promise.all(Array.from({ length: MAX_CONNECTIONS + 5 }, () => openConnection(url)));
    await expect
      .poll(() => readMetrics('receiver'), WITHIN)
      .toMatchObject({
        landline_connections: MAX_CONNECTIONS,
        'landline_connections_dropped_total{state="silent"}': above(5),
      });
    for (const connection of [slow, ...silent]) connection.cut();
    await expect
      .poll(() => readMetrics('receiver'), WITHIN)
      .toMatchObject({ landline_receiving_bytes: 0, landline_connections: 0 });
  });

  test('a recording whose storage is away and comes back, and a body that is damaged', async () => {
    await writeFile(join(folder, 'recordings'), 'a file in place of the folder');
    const data = { conversation_id: 'conv_audio', agent_id: 'agent_1', full_audio: 'QUJD' };
    await accepted(JSON.stringify({ type: 'post_call_audio', event_timestamp: 1_767_225_600, data }));
    await expect
      .poll(() => readMetrics('receiver'), WITHIN)
      .toMatchObject({
        landline_spool_up: 1,
        landline_spool_files: 1,
        landline_spool_bytes: above(100),
        landline_spool_oldest_seconds: above(0),
        landline_spool_disk_free_bytes: above(0),
        landline_spool_failures_total: above(0),
        landline_recordings_stored_total: 0,
      });
    await rm(join(folder, 'recordings'));
    await expect
      .poll(() => readMetrics('receiver'), WITHIN)
      .toMatchObject({
        landline_spool_files: 0,
        landline_spool_bytes: 0,
        landline_spool_oldest_seconds: 0,
        landline_recordings_stored_total: 1,
        landline_spool_damaged_files: 0,
      });
    const dead = join(folder, 'spool', 'abcdef012345');
    await mkdir(dead);
    await writeFile(join(dead, '001767225600000-0123456789ab.body'), 'half a body');
    await expect.poll(() => readMetrics('receiver'), WITHIN).toMatchObject({ landline_spool_damaged_files: 1 });
  });

  test('a spool whose folder is gone and comes back', async () => {
    await rm(join(folder, 'spool'), { recursive: true });
    await writeFile(join(folder, 'spool'), '');
    await expect.poll(() => readMetrics('receiver'), WITHIN).toMatchObject({ landline_spool_up: 0 });
    await rm(join(folder, 'spool'));
    await expect.poll(() => readMetrics('receiver'), WITHIN).toMatchObject({ landline_spool_up: 1 });
  });

  test('a canary that comes through', async () => {
    const sentAt = Date.now() - 90_000;
    await accepted(canaryBody(sentAt));
    for (const app of ['receiver', 'worker'] as const) {
      await expect.poll(() => readMetrics(app), WITHIN).toMatchObject({ landline_canary_age_seconds: above(89) });
    }
  });

  test('jobs that wait while no worker takes them: the receiver tells how many events, and for how long', async () => {
    const queues = openQueues({ redisUrl: redis.url });
    await queues.ping();
    await queues.events.pause();
    await queues.events.add('3 events', { v: 0 }, { timestamp: Date.now() - 100_000 });
    await expect
      .poll(() => readMetrics('receiver'), WITHIN)
      .toMatchObject({
        'landline_backlog_events{shard="0"}': 3,
        'landline_backlog_seconds{shard="0"}': above(99),
        'landline_backlog_oldest_seconds{shard="0"}': above(99),
      });
    await queues.events.drain();
    await queues.events.resume();
    await queues.close();
    await expect.poll(() => readMetrics('receiver'), WITHIN).toMatchObject({ 'landline_backlog_events{shard="0"}': 0 });
  });

  test('a job that the worker cannot read', async () => {
    const queues = openQueues({ redisUrl: redis.url });
    await queues.ping();
    await queues.events.add('events', { v: 0 });
    await queues.close();
    await expect
      .poll(() => readMetrics('worker'), WITHIN)
      .toMatchObject({
        'landline_job_attempts_failed_total{final="true"}': 1,
        [jobs(WEBHOOK_QUEUE, 'failed')]: 1,
      });
    await expect.poll(() => readMetrics('dashboard'), WITHIN).toMatchObject({ [jobs(WEBHOOK_QUEUE, 'failed')]: 1 });
  });

  test('a journal whose folder is gone and comes back', async () => {
    await rm(journalDir, { recursive: true });
    await writeFile(journalDir, '');
    await expect
      .poll(() => readMetrics('receiver'), WITHIN)
      .toMatchObject({ landline_journal_up: 0, landline_journal_errors_total: 0 });
    await accepted(aMessage());
    await expect
      .poll(() => readMetrics('receiver'), WITHIN)
      .toMatchObject({ landline_journal_errors_total: 1, landline_redis_up: 1 });
    await rm(journalDir);
    await expect.poll(() => readMetrics('receiver'), WITHIN).toMatchObject({ landline_journal_up: 1 });
  });

  test('a Postgres that is away and comes back', async () => {
    await expect
      .poll(() => readMetrics('worker'), WITHIN)
      .toMatchObject({ 'landline_events_processed_total{outcome="applied"}': 6 });
    await postgres.stop();
    await accepted(aMessage());
    await expect
      .poll(() => readMetrics('worker'), WITHIN)
      .toMatchObject({
        landline_database_waiting: 1,
        'landline_postgres_errors_total{class="connection"}': above(0),
      });
    postgres = await startPostgres({
      dir: join(folder, 'postgres'),
      port: Number(new URL(postgres.url).port),
      args: ['-c', 'fsync=off'],
    });
    await expect
      .poll(() => readMetrics('worker'), WITHIN)
      .toMatchObject({
        landline_database_waiting: 0,
        'landline_events_processed_total{outcome="applied"}': 7,
        landline_postgres_unsafe: 1,
      });
  });

  test('a Postgres that has lost its tail', async () => {
    await runSql(postgres.url, 'UPDATE landline_beat SET seq = 0');
    await expect.poll(() => readMetrics('worker'), WITHIN).toMatchObject({ landline_postgres_losses_total: 1 });
  });

  test('an operation that runs, and ends', async () => {
    const operations = openOperations(postgres.url);
    // It does not end before somebody has seen it.
    const unlock = await lockRows(postgres.url, `webhook_events WHERE outcome = 'dead'`);
    await operations.request({ kind: 'replay', filter: { outcome: 'dead' }, rate: 1 });
    await expect.poll(() => readMetrics('worker'), WITHIN).toMatchObject({ landline_operations_running: 1 });
    await unlock();
    await expect
      .poll(() => readMetrics('worker'), WITHIN)
      .toMatchObject({
        landline_operations_running: 0,
        'landline_operations_total{kind="replay",event="started"}': 1,
        'landline_operations_total{kind="replay",event="done"}': 1,
        'landline_operations_total{kind="replay",event="failed"}': 0,
      });
    await operations.close();
  });

  test('calls from a known and an unknown caller, and a request without the token', async () => {
    await runSql(
      postgres.url,
      `INSERT INTO user_profiles (user_id, first_seen_at, last_seen_at) VALUES ('+12025550123', now(), now())`,
    );
    // Postgres was away in a test before: the initiation may not have noticed yet that it is back.
    await expect.poll(() => readMetrics('initiation'), WITHIN).toMatchObject({ landline_initiation_database_up: 1 });
    const conversation = { conversation_id: 'conv_calls', agent_id: 'agent_1' };
    const named = await askUntil({ caller_id: '+12025550123', ...conversation }, answers('known', ''));
    const unnamed = await askUntil({ caller_id: '+12025550124' }, answers('unknown', 'not_found'));
    const withheld = await askUntil({ caller_id: 'anonymous' }, answers('unknown', 'withheld'));
    expect(await ask({ caller_id: '+12025550123' }, 'another token, and wrong')).toBe(401);
    await expect
      .poll(() => readMetrics('initiation'), WITHIN)
      .toMatchObject({
        'landline_initiation_answer_seconds_count{kind="known"}': above(0),
        'landline_initiation_refused_total{code="token_mismatch"}': 1,
        'landline_initiation_events_total{result="enqueued"}': named,
        // The metric's alert needs a first sample to see an increase.
        'landline_initiation_events_total{result="lost"}': 0,
      });
    await expect.poll(answered, WITHIN).toBe(named + unnamed + withheld);
  });

  test('a call while Redis and Postgres are away', async () => {
    await redis.stop();
    await postgres.stop();
    const call = { caller_id: '+12025550125', conversation_id: 'conv_away', agent_id: 'agent_1' };
    const times = await askUntil(call, answers('defaults', 'database_away'));
    await expect
      .poll(() => readMetrics('initiation'), WITHIN)
      .toMatchObject({
        'landline_initiation_events_total{result="lost"}': times,
        landline_initiation_database_up: 0,
      });
    await redis.restart();
    postgres = await startPostgres({
      dir: join(folder, 'postgres'),
      port: Number(new URL(postgres.url).port),
    });
    await expect.poll(() => readMetrics('initiation'), WITHIN).toMatchObject({ landline_initiation_database_up: 1 });
  });
});

describe.each(APPS)("the %s's metrics", (app) => {
  const table = readMetricsTable(app.replace(/^./, (letter) => letter.toUpperCase()));
  const everyProcess = readMetricsTable('Every process');

  test('are those of docs/metrics.md, with its types and labels, and no others of ours', () => {
    const types = scrapes[app].at(-1)?.types ?? {};
    const ours = Object.entries(types).filter(([name]) => name.startsWith('landline_'));
    expect(Object.fromEntries(ours)).toEqual(Object.fromEntries(table.map(({ name, type }) => [name, type])));
    expect(types).toMatchObject(Object.fromEntries(everyProcess.map(({ name, type }) => [name, type])));
    for (const { name, labels } of [...table, ...everyProcess]) {
      const keys = scrapes[app].flatMap((seen) => Object.keys(samplesOf(seen, name)));
      const used = keys.flatMap((key) => [...key.matchAll(/(\w+)="/g)].map(([, label = '']) => label));
      expect.soft([name, new Set(used.filter((label) => label !== 'le'))]).toEqual([name, new Set(labels)]);
    }
  });

  test.each(table)('$name moves', ({ name }) => {
    const seen = new Set(scrapes[app].map((one) => JSON.stringify(samplesOf(one, name))));
    expect(seen.size).toBeGreaterThan(1);
  });
});
