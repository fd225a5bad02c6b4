import { afterAll, afterEach, beforeAll, beforeEach, expect, inject, test } from 'vitest';
import { createDatabase, type TestDatabase } from '../../../test/support/database.ts';
import { startProvider, type StandIn } from '../../../test/support/provider/start-provider.ts';
import { makeWebhook } from '../../../test/support/provider/workspace.ts';
import { runSql } from '../../../test/support/run-sql.ts';
import { makeTempFolder } from '../../../test/support/temp-folder.ts';
import type { CommandContext } from '../src/command-context.ts';
import { runCommand } from '../src/run-command.ts';

const FAILED = Math.floor(Date.now() / 1000) - 60;
let database: TestDatabase;
let standIn: StandIn;

beforeAll(async () => {
  database = await createDatabase(inject('databaseUrl'));
  await runSql(
    database.directUrl,
    `INSERT INTO rejected_requests (id, received_at, code, cause, advice, headers)
       SELECT gen_random_uuid(), to_timestamp(${FAILED} + late), 'signature_mismatch', cause, 'Copy it again.', '{}'
       FROM (VALUES (2, 'another_secret'), (20, 'unknown')) AS row (late, cause)`,
  );
});
beforeEach(async () => {
  standIn = await startProvider();
});
afterEach(() => standIn.close());
afterAll(() => database.drop());

/** What Landline answers a GET of its webhook. */
const REACHED = { status: 405, allow: 'POST', location: null, type: 'application/json' };

const WAITS = 'ElevenLabs does not answer yet: trying again.';

/** Runs `landline provider`. That it waits for an answer is no error: on a slow machine it may say so at any time. */
async function run(args: string[], more: Partial<CommandContext> = {}, env: Record<string, string> = {}) {
  const { lines, ...rest } = await runAny(['provider', ...args], more, env);
  return { ...rest, errors: lines.filter((line) => line !== WAITS).join('\n') };
}

/** Runs a command; `lines` are those beside its answer. */
async function runAny(argv: string[], more: Partial<CommandContext> = {}, env: Record<string, string> = {}) {
  const output: string[] = [];
  const lines: string[] = [];
  const code = await runCommand(argv, {
    root: await makeTempFolder(),
    env: {
      ELEVENLABS_API_KEY: standIn.apiKey,
      ELEVENLABS_API_URL: standIn.url,
      PUBLIC_URL: 'https://calls.example.com',
      RECORDINGS_URL: 'file:/recordings',
      ...env,
    },
    print: (line) => output.push(line),
    printError: (line) => lines.push(line),
    width: 120,
    tryUrl: () => Promise.resolve(REACHED),
    ...more,
  });
  return { code, output: output.join('\n'), lines };
}

const fails = (more: Parameters<typeof makeWebhook>[0]) =>
  standIn.webhooks.set('webhook_landline', makeWebhook({ most_recent_failure_timestamp: FAILED, ...more }));

const changes = () => standIn.requests.filter(({ method }) => method !== 'GET').map(({ path }) => path);

test('without a fault it exits with 0, and no line says ✗', async () => {
  const { code, output, errors } = await run([], {}, { DATABASE_URL: database.url });
  expect({ code, errors }).toEqual({ code: 0, errors: '' });
  expect(output.split('\n')).toEqual([
    '✓ ElevenLabs knows the API key.',
    '✓ ElevenLabs is to call https://calls.example.com/api/elevenlabs/webhook.',
    '✓ Landline answers this machine at https://calls.example.com/api/elevenlabs/webhook.',
    expect.stringMatching(/^✓ The webhook "Landline" \(https:/),
    expect.stringMatching(/^! ElevenLabs does not tell whether it repeats/),
    expect.stringMatching(/^ {4}→ npm run landline -- provider --enable-retries/),
    '✓ The workspace sends to "Landline".',
    expect.stringMatching(/^✓ The workspace sends all events/),
    expect.stringMatching(/^! The key sees one agent: "Front desk"\./),
    expect.stringMatching(/^ {4}→ /),
    'No fault.',
  ]);
  expect(changes()).toEqual([]);
});

test('with faults it exits with 1, and shows what Landline answered when a delivery failed', async () => {
  fails({ most_recent_failure_error_code: 401, is_disabled: true });
  const { code, output, errors } = await run([], {}, { DATABASE_URL: database.url });
  expect({ code, errors }).toEqual({ code: 1, errors: '' });
  expect(output).toMatch(/^✗ The webhook "Landline" is switched off\. Nothing is sent\.\n {4}→ ElevenLabs → /m);
  expect(output).toMatch(/401 signature_mismatch then, because of another_secret\.\n {4}→ Copy it again\./);
  expect(output).toMatch(/\n2 faults: see ✗\.$/);
});

test('where something else answers at PUBLIC_URL, it says so; where nothing does, that it may be so from here alone', async () => {
  const env = { DATABASE_URL: database.url };
  const other = await run([], { tryUrl: () => Promise.resolve({ ...REACHED, status: 404, type: 'text/html' }) }, env);
  expect(other).toMatchObject({
    code: 1,
    output: expect.stringMatching(/^✗ Something else answers .*: 404 \(html\)\./m),
  });
  const away = await run([], { tryUrl: () => Promise.resolve({ fault: 'ECONNREFUSED' }) }, env);
  expect(away).toMatchObject({
    code: 0,
    output: expect.stringMatching(/^\? https:.* \(ECONNREFUSED\)\. Behind some/m),
  });
});

test('where calls had to be fetched, because no webhook came, it says so', async () => {
  const calls = await createDatabase(inject('databaseUrl'));
  try {
    await runSql(
      calls.directUrl,
      `INSERT INTO conversations (id, status, clocks, created_at, updated_at, started_at, completeness)
         SELECT 'conv_' || i, 'done', '{}', now(), now(), now() - interval '2 hours', 'complete' FROM generate_series(1, 30) AS i;
       INSERT INTO webhook_events (id, conversation_id, type, event_at, received_at, applied_at, origin, outcome, body_bytes)
         SELECT gen_random_uuid(), 'conv_' || i, 'post_call_transcription', now(), now(), now(), 'backfill', 'applied', 0
         FROM generate_series(1, 30) AS i;
       INSERT INTO reconciliations (id, window_from, window_to, started_at)
         SELECT gen_random_uuid(), now() - interval '4 days', now() - interval '1 day', now() - interval '1 day'`,
    );
    const { code, output, errors } = await run([], {}, { DATABASE_URL: calls.url });
    expect({ code, errors }).toEqual({ code: 1, errors: '' });
    expect(output).toMatch(/^✗ Of the last 30 calls ElevenLabs’ webhook brought 0; 30 had to be fetched\.\n {4}→ /m);
    expect(output).toMatch(/\n1 fault: see ✗\.$/);
  } finally {
    await calls.drop();
  }
});

test('without a database it says so, and goes on; --json prints one document', async () => {
  fails({ most_recent_failure_error_code: 503 });
  const { code, output, errors } = await run(['--json'], {}, { RECORDINGS_URL: '' });
  expect(code).toBe(1);
  // Two questions, and one reason why none is answered.
  expect(errors.match(/could not be looked up\. No database: /g)).toHaveLength(1);
  expect(JSON.parse(output)).toEqual({
    checked_at: expect.stringMatching(/^\d{4}-.*Z$/),
    is_webhook_up: true,
    last_failure: { code: 503, at: new Date(FAILED * 1000).toISOString(), answered: null },
    agents: [{ id: expect.any(String), name: 'Front desk' }],
    findings: expect.arrayContaining([
      { code: 'key', level: 'fine', what: 'ElevenLabs knows the API key.', todo: null },
      { code: 'arrivals_unseen', level: 'unseen', what: expect.any(String), todo: expect.any(String) },
      { code: 'audio_not_kept', level: 'note', what: expect.any(String), todo: expect.any(String) },
    ]),
  });
});

test('where ElevenLabs is away a command says that it waits, and soon that it is away', async () => {
  standIn.fail({ path: /./, kind: 'internal_error', times: 'always' });
  const [look, plan] = await Promise.all([
    runAny(['provider'], {}, { DATABASE_URL: database.url }),
    runAny(['reconcile', '--plan'], {}, { DATABASE_URL: database.url }),
  ]);
  expect(look).toMatchObject({ code: 1, lines: [WAITS], output: expect.stringMatching(/1 fault: see ✗\.$/) });
  expect(look.output).toMatch(/^✗ .*, and the agents could not be read\. .*\(500\)/m);
  expect(plan).toMatchObject({ code: 1, output: '', lines: [WAITS, expect.stringContaining('(500)')] });
});

test('where ElevenLabs asks for a longer pause than somebody waits, a command says until when', async () => {
  const wait = { seconds: 40, as: 'retry-after' } as const;
  standIn.fail({ path: /./, kind: 'system_busy', times: 'always', wait });
  const until = /too busy .*\(429, system_busy\)\. It asks to wait until \d{4}-\d\d-\d\dT[\d:.]+Z: try again then\./;
  expect((await run([])).output).toMatch(until);
  const plan = await runAny(['reconcile', '--plan'], {}, { DATABASE_URL: database.url });
  expect(plan).toMatchObject({ code: 1, lines: [expect.stringMatching(until)] });
});

test('without a key it says what to do, and asks nothing', async () => {
  const { code, output, errors } = await run([], {}, { ELEVENLABS_API_KEY: '' });
  expect({ code, output }).toEqual({ code: 1, output: '' });
  expect(errors).toMatch(/ELEVENLABS_API_KEY is not set.*\n.*docs\/provider\.md/);
  expect(standIn.requests).toEqual([]);
});

test('a wrong call exits with 2, and a wrong variable with 1 and its name', async () => {
  expect((await run(['--all'])).code).toBe(2);
  expect(await run([], {}, { PUBLIC_URL: 'calls' })).toMatchObject({
    code: 1,
    errors: expect.stringContaining('PUBLIC_URL must be'),
  });
});

test('retries are switched on for our webhook alone, name and state unchanged', async () => {
  const other = makeWebhook({ webhook_id: 'webhook_other', webhook_url: 'https://crm.example.org/hook' });
  const old = makeWebhook({ webhook_id: 'webhook_old', name: 'Old', is_disabled: true });
  for (const each of [other, old]) standIn.webhooks.set(each.webhook_id, each);
  const before = structuredClone([...standIn.webhooks]);

  // Where nobody can be asked, it shows what it would change all the same.
  const shown = /would be switched on for:\n {2}"Landline" \(https:.*\)\n {2}"Old" \(https:.*\), switched off$/;
  expect(await run(['--enable-retries'])).toMatchObject({
    code: 2,
    output: expect.stringMatching(shown),
    errors: expect.stringContaining('--yes'),
  });
  const asked: string[] = [];
  const ask = (answer: boolean) => (question: string) => {
    asked.push(question);
    return Promise.resolve(answer);
  };
  const refused = await run(['--enable-retries'], { ask: ask(false) });
  expect(refused).toMatchObject({ code: 0, errors: 'Nothing was changed.' });
  expect(refused.output).toMatch(shown);
  const inJson = await run(['--enable-retries', '--json'], { ask: ask(false) });
  expect(inJson).toMatchObject({
    output: '',
    errors: expect.stringMatching(/would be switched on for:\n {2}"Landline" /),
  });
  expect(changes()).toEqual([]);

  const { code, output } = await run(['--enable-retries'], { ask: ask(true) });
  expect({ code, asked }).toEqual({ code: 0, asked: Array(3).fill('Have ElevenLabs repeat transcripts that failed?') });
  expect(output).toMatch(/Switched on\. .*cannot be read back\.$/);
  expect([...standIn.retried]).toEqual(['webhook_landline', 'webhook_old']);
  expect([...standIn.webhooks]).toEqual(before);
  expect(changes()).toEqual(['webhook_landline', 'webhook_old'].map((id) => `/v1/workspace/webhooks/${id}`));
});

test('--yes asks nobody; where it is not clear which webhook is ours, none is changed', async () => {
  const { output: told } = await run(['--enable-retries', '--yes']);
  expect(told).toMatch(/^Switching retries on for:\n {2}"Landline" .*\nSwitched on\./);
  const { code, output } = await run(['--enable-retries', '--yes', '--json']);
  expect(code).toBe(0);
  expect(JSON.parse(output)).toEqual({ retries_enabled: [{ webhook_id: 'webhook_landline', name: 'Landline' }] });

  const url = 'https://staging.example.com/api/elevenlabs/webhook';
  standIn.webhooks.set('webhook_b', makeWebhook({ webhook_id: 'webhook_b', webhook_url: url }));
  const several = await run(['--enable-retries', '--yes'], {}, { PUBLIC_URL: '' });
  expect(several).toMatchObject({ code: 1, errors: expect.stringContaining('Set PUBLIC_URL') });
  const none = await run(['--enable-retries', '--yes'], {}, { PUBLIC_URL: 'https://elsewhere.example.com' });
  expect(none).toMatchObject({ code: 1, errors: expect.stringContaining('No webhook has our URL.') });
  expect(changes()).toHaveLength(2);
});

test('where the key does not see all, the last line says so', async () => {
  standIn.keys.set(standIn.apiKey, { isAdmin: true, lacks: ['convai_read'] });
  const { code, output } = await run([], {}, { DATABASE_URL: database.url });
  expect(code).toBe(0);
  expect(output).toMatch(
    /^\? The settings .* and the agents .* convai_read\.\n {4}→ .*\nNo fault\. Not all could be seen: see \?\.$/ms,
  );
});

test('a key that may not change webhooks is told which permission it lacks', async () => {
  standIn.keys.set(standIn.apiKey, { isAdmin: true, lacks: ['webhooks_write'] });
  const { code, errors } = await run(['--enable-retries', '--yes']);
  expect(code).toBe(1);
  expect(errors).toContain('webhooks_write');
  expect([...standIn.retried]).toEqual([]);
});
