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

/** Runs `landline provider`. */
async function run(args: string[], more: Partial<CommandContext> = {}, env: Record<string, string> = {}) {
  const output: string[] = [];
  const errors: string[] = [];
  const code = await runCommand(['provider', ...args], {
    root: await makeTempFolder(),
    env: {
      ELEVENLABS_API_KEY: standIn.apiKey,
      ELEVENLABS_API_URL: standIn.url,
      PUBLIC_URL: 'https://calls.example.com',
      RECORDINGS_URL: 'file:/recordings',
      ...env,
    },
    print: (line) => output.push(line),
    printError: (line) => errors.push(line),
    width: 120,
    ...more,
  });
  return { code, output: output.join('\n'), errors: errors.join('\n') };
}

const fails = (more: Parameters<typeof makeWebhook>[0]) =>
  standIn.webhooks.set('webhook_landline', makeWebhook({ most_recent_failure_timestamp: FAILED, ...more }));

const changes = () => standIn.requests.filter(({ method }) => method !== 'GET').map(({ path }) => path);

test('without a fault it exits with 0, and no line says ✗', async () => {
  const { code, output, errors } = await run([]);
  expect({ code, errors }).toEqual({ code: 0, errors: '' });
  expect(output.split('\n')).toEqual([
    '✓ ElevenLabs knows the API key.',
    '✓ ElevenLabs is to call https://calls.example.com/api/elevenlabs/webhook.',
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

test('without a database it says so, and goes on; --json prints one document', async () => {
  fails({ most_recent_failure_error_code: 503 });
  const { code, output, errors } = await run(['--json'], {}, { RECORDINGS_URL: '' });
  expect(code).toBe(1);
  expect(errors).toMatch(/could not be looked up\. No database: /);
  expect(JSON.parse(output)).toEqual({
    checked_at: expect.stringMatching(/^\d{4}-.*Z$/),
    is_webhook_up: true,
    last_failure: { code: 503, at: new Date(FAILED * 1000).toISOString(), answered: null },
    agents: [{ id: expect.any(String), name: 'Front desk' }],
    findings: expect.arrayContaining([
      { code: 'key', level: 'fine', what: 'ElevenLabs knows the API key.', todo: null },
      { code: 'audio_not_kept', level: 'note', what: expect.any(String), todo: expect.any(String) },
    ]),
  });
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

  expect(await run(['--enable-retries'])).toMatchObject({ code: 2, errors: expect.stringContaining('--yes') });
  const asked: string[] = [];
  const ask = (answer: boolean) => (question: string) => {
    asked.push(question);
    return Promise.resolve(answer);
  };
  const refused = await run(['--enable-retries'], { ask: ask(false) });
  expect(refused).toMatchObject({ code: 0, errors: 'Nothing was changed.' });
  expect(refused.output).toMatch(/"Landline" \(https:.*\)\n {2}"Old" \(https:.*\), switched off$/);
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
  const { code, output } = await run(['--enable-retries', '--yes', '--json']);
  expect(code).toBe(0);
  expect(JSON.parse(output)).toEqual({ retries_enabled: [{ webhook_id: 'webhook_landline', name: 'Landline' }] });

  const url = 'https://staging.example.com/api/elevenlabs/webhook';
  standIn.webhooks.set('webhook_b', makeWebhook({ webhook_id: 'webhook_b', webhook_url: url }));
  const several = await run(['--enable-retries', '--yes'], {}, { PUBLIC_URL: '' });
  expect(several).toMatchObject({ code: 1, errors: expect.stringContaining('Set PUBLIC_URL') });
  const none = await run(['--enable-retries', '--yes'], {}, { PUBLIC_URL: 'https://elsewhere.example.com' });
  expect(none).toMatchObject({ code: 1, errors: expect.stringContaining('No webhook has our URL.') });
  expect(changes()).toHaveLength(1);
});

test('a key that may not change webhooks is told which permission it lacks', async () => {
  standIn.keys.set(standIn.apiKey, { isAdmin: true, lacks: ['webhooks_write'] });
  const { code, errors } = await run(['--enable-retries', '--yes']);
  expect(code).toBe(1);
  expect(errors).toContain('webhooks_write');
  expect([...standIn.retried]).toEqual([]);
});
