import { readFileSync } from 'node:fs';
import { openProvider, ProviderError, type Provider, type ProviderFault } from '@landline/provider';
import { afterEach, expect, test } from 'vitest';
import { startProvider, type StandIn } from '../../../../test/support/provider/start-provider.ts';
import { makeAgent, makeSettings, makeWebhook, type Settings } from '../../../../test/support/provider/workspace.ts';
import { checkProvider, type Finding, type ProviderCheck, type ProviderCheckPorts } from '../../src/index.ts';

const PATH = '/api/elevenlabs/webhook';
const INITIATION = 'https://calls.example.com/api/elevenlabs/conversation-initiation';
const NOW = Date.parse('2026-03-01T12:00:00Z');
const FAILED = NOW / 1000 - 3_600;

let standIn: StandIn | undefined;
let api: Provider | undefined;
afterEach(async () => {
  api?.close();
  await standIn?.close();
  standIn = undefined;
});

const nothingRefused = () => Promise.resolve([]);

type Ports = Partial<Omit<ProviderCheckPorts, 'provider'>>;

/** Looks at a stand-in in which all is right, but for what `spoil` changes. */
async function look(spoil: (world: StandIn) => void, ports: Ports = {}): Promise<ProviderCheck> {
  standIn = await startProvider({
    agents: [makeAgent({ asksInitiation: true }), makeAgent({ id: 'agent_b', name: 'Back desk' })],
    settings: makeSettings({ conversation_initiation_client_data_webhook: { url: INITIATION, request_headers: {} } }),
  });
  spoil(standIn);
  const { url, apiKey } = standIn;
  api = openProvider({ apiKey, url, firstPauseMs: 1, tries: 1 });
  const usual = { publicUrl: 'https://calls.example.com', windowHours: 72, keepsAudio: true, now: NOW };
  return checkProvider(
    { provider: api, refusedBetween: nothingRefused, ...usual, ...ports },
    new AbortController().signal,
  );
}

const codesOf = (findings: readonly Finding[], level: Finding['level']) =>
  findings.filter((each) => each.level === level).map(({ code }) => code);

/** Changes what the workspace sends. */
const sends = (more: Partial<NonNullable<Settings['webhooks']>>) => (world: StandIn) => {
  world.settings = { ...world.settings, webhooks: { ...makeSettings().webhooks, ...more } };
};
const route = (more: Partial<NonNullable<Settings['webhooks']>>) => ({ ...makeSettings().webhooks, ...more });

/** Puts webhooks in the place of ours, which has the id of `makeWebhook`. */
const webhooks =
  (...all: Parameters<typeof makeWebhook>[0][]) =>
  (world: StandIn) => {
    world.webhooks.clear();
    for (const each of all.map(makeWebhook)) world.webhooks.set(each.webhook_id, each);
  };

const lacks =
  (...permissions: string[]) =>
  (world: StandIn) => {
    world.keys.set(world.apiKey, { isAdmin: true, lacks: permissions });
  };

const agent = (more: Parameters<typeof makeAgent>[0]) => (world: StandIn) =>
  void world.agents.set('agent_b', makeAgent({ id: 'agent_b', name: 'Back desk', ...more }));

test('a setup in which all is right has no fault, and each line says what was looked at', async () => {
  const { findings, ...rest } = await look(() => {});
  expect(findings.map(({ level, code }) => `${level} ${code}`)).toEqual([
    'fine key',
    'fine public_url',
    'fine webhook',
    'note retries_unknown',
    'fine post_call_webhook',
    'fine events',
    'note agents',
    'fine initiation',
  ]);
  expect(rest).toEqual({
    checkedAt: NOW,
    isWebhookUp: true,
    lastFailure: null,
    agents: expect.arrayContaining([{ id: 'agent_b', name: 'Back desk' }]),
  });
  expect(standIn?.mostAtOnce()).toBeLessThanOrEqual(2);
  expect(standIn?.requests.every(({ method }) => method === 'GET')).toBe(true);
});

interface Case {
  /** Codes of the faults; `note …` and `unseen …` for others. All of them, but for the notes of a setup in which all is right. */
  found: string[];
  spoil?: (world: StandIn) => void;
  ports?: Ports;
  /** What the first of these findings says. */
  says?: RegExp;
  /** By default true. */
  up?: boolean | null;
}

const url = (webhook_url: string) => webhooks({ webhook_url });

const CASES: Case[] = [
  // The key.
  { found: ['key_unknown'], spoil: (world) => world.keys.clear(), says: /does not know the API key/, up: null },
  { found: ['unseen webhooks_unseen'], spoil: lacks('workspace_read'), says: /lacks .* workspace_read/, up: null },
  { found: ['unseen settings_unseen', 'unseen agents_unseen'], spoil: lacks('convai_read'), says: /convai_read/ },
  {
    found: ['webhooks_failed'],
    spoil: (world) => void world.fail({ path: /webhooks/, kind: 'internal_error', times: 'always' }),
    up: null,
  },
  {
    found: ['settings_failed'],
    spoil: (world) => void world.fail({ path: '/v1/convai/settings', kind: 'html', times: 'always' }),
  },
  { found: ['unseen usages_unseen'], spoil: (world) => void world.keys.set(world.apiKey, { isAdmin: false }) },
  // The address.
  { found: ['note public_url_unset'], ports: { publicUrl: undefined }, says: /by their path alone/ },
  { found: ['public_url_not_https'], ports: { publicUrl: 'http://calls.example.com' } },
  ...['https://localhost:3000', 'https://10.1.2.3', 'https://[::1]', 'https://receiver'].map((publicUrl): Case => ({
    found: ['public_url_private', 'webhook_missing', 'post_call_webhook_other', 'initiation_other'],
    ports: { publicUrl },
    up: false,
  })),
  // The webhook.
  {
    found: ['webhook_missing', 'post_call_webhook_other'],
    spoil: (world) => world.webhooks.clear(),
    says: /The workspace has no webhook/,
    up: false,
  },
  ...(
    [
      [`https://other.example.com${PATH}`, 'another host'],
      [`https://calls.example.com:8443${PATH}`, 'another port'],
      [`http://calls.example.com${PATH}`, 'http instead of https'],
      ['https://calls.example.com', 'no path'],
      [`https://calls.example.com${PATH}${PATH}`, 'the path twice'],
      [`https://calls.example.com${PATH}/`, 'a slash at the end'],
      [`https://calls.example.com/${PATH}`, 'a slash too many'],
      [`https://calls.example.com/API/elevenlabs/webhook`, 'capital letters in the path'],
      [`https://calls.example.com/landline${PATH}`, 'more than the path'],
      ['https://calls.example.com/webhook', 'another path'],
      [
        `http://user:pass@other.example.com${PATH}/?token=hidden`,
        'http instead of https, another host, a slash at the end',
      ],
    ] as const
  ).map(([at, miss]): Case => ({
    found: ['webhook_missing', 'post_call_webhook_other'],
    spoil: url(at),
    says: new RegExp(`comes near, [^ ?@]*: ${miss}\\.`),
    up: false,
  })),
  {
    found: ['note webhook_doubled'],
    spoil: webhooks({}, { webhook_id: 'webhook_old', name: 'Old', is_disabled: true, usage: [] }),
    says: /change of the secret/,
  },
  {
    found: ['note webhook_doubled'],
    spoil: webhooks({}, { webhook_id: 'webhook_new', name: 'New', usage: [{ usage_type: 'ConvAI Agent Settings' }] }),
    says: /More than one is in use/,
  },
  { found: ['webhook_disabled'], spoil: webhooks({ is_disabled: true }), up: false },
  { found: ['webhook_auto_disabled'], spoil: webhooks({ is_auto_disabled: true }), up: false },
  { found: ['webhook_auth'], spoil: webhooks({ auth_type: 'oauth2' }), says: /authentication oauth2/, up: false },
  {
    found: ['unseen webhook_auth_unseen'],
    spoil: (world) => {
      for (const webhook of world.webhooks.values()) Object.assign(webhook, { auth_type: undefined });
    },
    says: /does not say how .* signs/,
  },
  // What the workspace sends.
  {
    found: ['post_call_webhook_unset'],
    spoil: (world) => {
      sends({ post_call_webhook_id: null })(world);
      webhooks({ usage: [] })(world);
    },
    up: false,
  },
  {
    found: ['post_call_webhook_other'],
    spoil: (world) => {
      sends({ post_call_webhook_id: 'webhook_other' })(world);
      const webhook_url = 'https://hooks.example.org/a?key=hidden';
      webhooks({ usage: [] }, { webhook_id: 'webhook_other', name: 'CRM', webhook_url })(world);
    },
    says: /sends to "CRM" \(https:\/\/hooks\.example\.org\/a\), which/,
    up: false,
  },
  { found: ['events_transcript'], spoil: sends({ events: ['audio', 'call_initiation_failure'] }) },
  { found: ['events_call_initiation_failure'], spoil: sends({ events: ['transcript', 'audio'] }) },
  { found: ['events_audio'], spoil: sends({ events: ['transcript', 'call_initiation_failure'] }) },
  {
    found: ['note events_audio'],
    spoil: sends({ events: ['transcript', 'call_initiation_failure'] }),
    ports: { keepsAudio: false },
  },
  { found: ['note audio_not_kept'], ports: { keepsAudio: false } },
  { found: ['transcript_format'], spoil: sends({ transcript_format: 'opentelemetry' }), says: /without turns/ },
  { found: ['transcript_excluded'], spoil: sends({ exclude_transcript: true }) },
  // Agents.
  { found: ['agents_none'], spoil: (world) => void world.keys.set(world.apiKey, { isAdmin: true, agents: [] }) },
  { found: ['agent_webhook:agent_b'], spoil: agent({ webhooks: route({ post_call_webhook_id: 'webhook_x' }) }) },
  {
    found: ['agent_events:agent_b'],
    spoil: agent({ webhooks: route({ events: ['transcript'] }) }),
    says: /"Back desk" does not send Call initiation failure, Audio/,
  },
  { found: ['agent_format:agent_b'], spoil: agent({ webhooks: route({ transcript_format: 'opentelemetry' }) }) },
  { found: ['agent_excluded:agent_b'], spoil: agent({ webhooks: route({ exclude_transcript: true }) }) },
  { found: [], spoil: agent({ webhooks: route({}) }) },
  { found: ['note agent_zero_retention:agent_b'], spoil: agent({ privacy: { zero_retention_mode: true } }) },
  { found: ['note agent_retention:agent_b'], spoil: agent({ privacy: { retention_days: 2 } }) },
  { found: [], spoil: agent({ privacy: { retention_days: 3 } }) },
  // Who is calling.
  {
    found: ['initiation_unset'],
    spoil: (world) => (world.settings = { ...world.settings, conversation_initiation_client_data_webhook: null }),
  },
  {
    found: ['initiation_other'],
    spoil: (world) => {
      const other = { url: 'https://crm.example.org/hook?key=hidden', request_headers: {} };
      world.settings = { ...world.settings, conversation_initiation_client_data_webhook: other };
    },
    says: /ask https:\/\/crm\.example\.org\/hook, which is not ours/,
  },
  {
    found: ['agent_initiation:agent_b'],
    spoil: (world) => {
      const asking = makeAgent({ id: 'agent_b', name: 'Back desk', asksInitiation: true });
      const own = { url: 'https://crm.example.org/hook', request_headers: {} };
      const settings = asking.platform_settings;
      world.agents.set('agent_b', {
        ...asking,
        platform_settings: {
          ...settings,
          workspace_overrides: { conversation_initiation_client_data_webhook: own, webhooks: null },
        },
      });
    },
  },
];

const USUAL_NOTES = new Set(['retries_unknown', 'agents']);

test.each(CASES.map((each) => ({ name: [each.found.join(', '), each.says?.source].join(' '), ...each })))(
  'finds, and finds nothing else: $name',
  async ({ found, spoil = () => {}, ports, says = /^/, up = true }) => {
    const { findings, isWebhookUp } = await look(spoil, ports);
    const notes = codesOf(findings, 'note').filter((code) => !USUAL_NOTES.has(code));
    expect([
      ...codesOf(findings, 'fault'),
      ...codesOf(findings, 'unseen').map((code) => `unseen ${code}`),
      ...notes.map((code) => `note ${code}`),
    ]).toEqual(found);
    const first = findings.find(({ code }) => code === found[0]?.split(' ').at(-1));
    expect(first?.what ?? '').toMatch(says);
    // What a person has to do is told for all but what is well.
    expect(findings.filter(({ level, todo }) => level !== 'fine' && !todo)).toEqual([]);
    expect(isWebhookUp).toBe(up);
    expect(JSON.stringify(findings)).not.toMatch(/hidden|pass@|user:|sk_/);
  },
);

test('each code is explained in docs/provider.md', () => {
  const page = readFileSync(new URL('../../../../docs/provider.md', import.meta.url), 'utf8');
  const codes = CASES.flatMap(({ found }) => found.map((each) => each.split(' ').at(-1)?.split(':')[0]));
  expect(codes.filter((code) => !page.includes(`\`${code}\``))).toEqual([]);
});

const failedAt = (most_recent_failure_error_code: number | null, at = FAILED) =>
  webhooks({ most_recent_failure_error_code, most_recent_failure_timestamp: at });

test('the last failure stands beside what Landline answered within five seconds of it', async () => {
  const asked: [number, number][] = [];
  const refused = { code: 'signature_mismatch', cause: 'another_secret', advice: 'Copy the secret again.' };
  const refusedBetween = (from: number, to: number) => {
    asked.push([from, to]);
    const rows = [3_000, 1_000].map((late) => ({ ...refused, receivedAt: FAILED * 1000 + late }));
    return Promise.resolve(rows.map((row, i) => (i === 0 ? { ...row, cause: 'unknown' } : row)));
  };
  const { findings, lastFailure } = await look(failedAt(401), { refusedBetween });
  expect(asked).toEqual([[FAILED * 1000 - 5_000, FAILED * 1000 + 5_000]]);
  const answered = 'Landline answered 401 signature_mismatch then, because of another_secret';
  expect(lastFailure).toEqual({ code: 401, at: FAILED * 1000, answered });
  expect(findings.find(({ code }) => code === 'last_failure')).toEqual({
    code: 'last_failure',
    level: 'fault',
    what: `A delivery failed with the code 401 at 2026-03-01T11:00:00.000Z. ${answered}.`,
    todo: 'Copy the secret again.',
  });
});

test.each([
  { code: 503, at: FAILED, level: 'fault', todo: /Redis nor the disk/ },
  { code: null, at: FAILED, level: 'fault', todo: /timeout/ },
  { code: 404, at: FAILED - 86_400, level: 'note', todo: /letter by letter/ },
])('a failure that Landline did not answer is explained: $code', async ({ code, at, level, todo }) => {
  const { findings, lastFailure } = await look(failedAt(code, at));
  const finding = findings.find((each) => each.code === 'last_failure');
  expect(finding).toMatchObject({ level, what: expect.stringContaining('Landline answered no 401 then.') });
  expect(finding?.todo).toMatch(todo);
  expect(lastFailure?.answered).toBe('Landline answered no 401 then');
});

test('without a database the rest is looked at, and the answer is not known', async () => {
  const { findings, lastFailure } = await look(failedAt(503), {
    refusedBetween: () => Promise.reject(new Error('no')),
  });
  expect(lastFailure).toEqual({ code: 503, at: FAILED * 1000, answered: null });
  expect(codesOf(findings, 'fault')).toEqual(['last_failure']);
});

test('names of the provider are bounded, and cannot move a cursor', async () => {
  const name = `\u001b[2J\u202e${'x'.repeat(5_000)}`;
  const { findings, agents } = await look((world) => {
    webhooks({ name, is_disabled: true, webhook_url: `https://calls.example.com${PATH}?token=${'y'.repeat(3_000)}` })(
      world,
    );
    agent({ name: '\u0000\ud800', webhooks: route({ exclude_transcript: true }) })(world);
  });
  expect(findings.filter(({ what, todo = '' }) => /[\p{Cc}\p{Cf}\p{Cs}]/u.test(what + todo))).toEqual([]);
  expect(Math.max(...findings.map(({ what, todo = '' }) => what.length + todo.length))).toBeLessThan(900);
  expect(findings.find(({ code }) => code === 'webhook_disabled')?.what).toContain('"\\u{1b}[2J\\u{202e}xxx');
  expect(JSON.stringify(agents)).not.toMatch(/\\u0000|\\ud800/);
});

test('a thousand agents are looked at, and the rest is told; fifty findings about them stand alone', async () => {
  const seen = Array.from({ length: 1_001 }, (_, i) => ({
    id: `agent_${i}`,
    name: '',
    webhooks: { postCallWebhookId: null, events: undefined, transcriptFormat: null, excludeTranscript: false },
    asksInitiation: false,
    initiationUrl: null,
    privacy: { retentionDays: 1, zeroRetention: false },
  }));
  const provider: ProviderCheckPorts['provider'] = {
    webhooks: () => Promise.resolve({ webhooks: [], seesUsages: true }),
    settings: () => Promise.resolve({ ...seen[0]!.webhooks, initiationUrl: null }),
    // oxlint-disable-next-line require-await -- the port is asynchronous
    async *agents() {
      yield* seen;
    },
  };
  const ports = { refusedBetween: nothingRefused, publicUrl: undefined, windowHours: 72, keepsAudio: true };
  const { findings, agents } = await checkProvider({ ...ports, provider, now: NOW }, new AbortController().signal);
  expect(agents).toHaveLength(1_000);
  const about = findings.filter(({ code }) => code.startsWith('agent_'));
  expect(about.map(({ code }) => code)).toEqual(Array.from({ length: 50 }, (_, i) => `agent_webhook:agent_${i}`));
  expect(findings.slice(-1)).toMatchObject(
    [{ code: 'agents_rest', level: 'fault', what: /^1950 more/ }].map((each) => ({
      ...each,
      what: expect.stringMatching(each.what),
    })),
  );
  expect(codesOf(findings, 'unseen')).toEqual(['agents_more']);
});

async function* noAgents() {}

test.each<[ProviderFault, RegExp]>([
  ['busy', /some minutes/],
  ['unavailable', /some minutes/],
  ['refused', /credit limit/],
  ['not_found', /proxy/],
  ['bad_answer', /region/],
])('what to do about settings that could not be read depends on why: %s', async (code, todo) => {
  const provider: ProviderCheckPorts['provider'] = {
    webhooks: () => Promise.resolve({ webhooks: [], seesUsages: true }),
    settings: () => Promise.reject(new ProviderError(code, 'The reason.')),
    agents: noAgents,
  };
  const ports = { refusedBetween: nothingRefused, publicUrl: undefined, windowHours: 72, keepsAudio: true };
  const { findings } = await checkProvider({ ...ports, provider, now: NOW }, new AbortController().signal);
  const finding = findings.find((each) => each.code === 'settings_failed');
  expect(finding?.todo).toMatch(todo);
  expect(finding?.todo?.includes('region')).toBe(code === 'bad_answer');
});

test('a look that is ended throws the reason of its signal', async () => {
  standIn = await startProvider();
  api = openProvider({ apiKey: standIn.apiKey, url: standIn.url });
  const ended = AbortSignal.abort(new Error('The worker leaves.'));
  const ports = { refusedBetween: nothingRefused, publicUrl: undefined, windowHours: 72, keepsAudio: true };
  await expect(checkProvider({ ...ports, provider: api, now: NOW }, ended)).rejects.toThrow('The worker leaves.');
});
