import { readFileSync } from 'node:fs';
import { openProvider, ProviderError, type Provider, type ProviderFault } from '@landline/provider';
import { afterEach, expect, test } from 'vitest';
import { startProvider, type StandIn } from '../../../../test/support/provider/start-provider.ts';
import { makeAgent, makeSettings, makeWebhook, type Settings } from '../../../../test/support/provider/workspace.ts';
import {
  checkProvider,
  type Finding,
  type ProviderCheck,
  type ProviderCheckPorts,
  type UrlTry,
} from '../../src/index.ts';

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

/** How calls came, the newest first: w by the webhook, f fetched. */
function came(calls: string): ProviderCheckPorts['arrivals'] {
  return () => Promise.resolve(Array.from(calls, (each) => (each === 'w' ? 'webhook' : 'fetched')));
}

/** What a GET of our webhook's URL meets. */
function answers(more: Partial<Exclude<UrlTry, { fault: string }>>): NonNullable<ProviderCheckPorts['tryUrl']> {
  return () => Promise.resolve({ status: 200, allow: null, location: null, type: null, ...more });
}

const nothingRefused = () => Promise.resolve([]);

/** What the tables say of a line that is well. */
const TABLES = { refusedBetween: nothingRefused, arrivals: came('wwww') };

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
  return checkProvider({ provider: api, ...TABLES, ...usual, ...ports }, new AbortController().signal);
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
  /** What is to be done about it. */
  todo?: RegExp;
  /** By default true. */
  up?: boolean | null;
}

const url = (webhook_url: string) => webhooks({ webhook_url });

const CASES: Case[] = [
  // The key.
  { found: ['key_unknown'], spoil: (world) => world.keys.clear(), says: /does not know the API key/, up: null },
  { found: ['unseen webhooks_unseen'], spoil: lacks('workspace_read'), says: /lacks .* workspace_read/, up: null },
  {
    found: ['unseen agents_unseen'],
    spoil: lacks('convai_read'),
    says: /^The settings .* and the agents .* convai_read/,
    up: null,
  },
  {
    found: ['webhooks_failed'],
    spoil: (world) => void world.fail({ path: /webhooks/, kind: 'internal_error', times: 'always' }),
    up: null,
  },
  {
    found: ['settings_failed'],
    spoil: (world) => void world.fail({ path: '/v1/convai/settings', kind: 'html', times: 'always' }),
    up: null,
  },
  ...(
    [{ kind: 'system_busy' }, { kind: 'html' }, { kind: 'html', status: 403 }, { kind: 'html', status: 401 }] as const
  ).map((fault): Case => ({
    found: ['agents_failed'],
    spoil: (world) => void world.fail({ path: /./, times: 'always', ...fault }),
    says: /^The webhooks .*, the settings .*, and the agents could not be read\./,
    up: null,
  })),
  { found: ['note usages_unseen'], spoil: (world) => void world.keys.set(world.apiKey, { isAdmin: false }) },
  // The address.
  { found: ['note public_url_unset'], ports: { publicUrl: undefined }, says: /by their path alone/ },
  { found: ['public_url_not_https'], ports: { publicUrl: 'http://calls.example.com:3000' } },
  // What is wrong with PUBLIC_URL itself is told alone, and never with the advice to create a webhook at the wrong host.
  {
    found: ['public_url_not_https'],
    ports: { publicUrl: 'http://cals.example.com:3000' },
    says: /Webhooks count as ours by their path alone/,
    todo: /PUBLIC_URL=https:\/\/calls\.example\.com$/,
  },
  {
    found: ['public_url_private'],
    spoil: url(`https://line.example.org${PATH}`),
    ports: { publicUrl: 'http://127.0.0.1:18100' },
    says: /Webhooks count as ours by their path alone/,
    todo: /PUBLIC_URL=https:\/\/line\.example\.org$/,
  },
  ...['http://localhost:3000', 'https://10.1.2.3', 'https://[::1]', 'https://receiver'].map((publicUrl): Case => ({
    found: ['public_url_private'],
    ports: { publicUrl },
    says: /nobody on the Internet can reach\. Webhooks count as ours by their path alone/,
  })),
  // What answers there.
  { found: [], ports: { tryUrl: answers({ status: 405, allow: 'POST' }) } },
  ...(
    [
      [
        { status: 404, type: 'text/html; charset=utf-8' },
        /: 404 \(html\)\. Landline answers/,
        /^See that PUBLIC_URL names/,
      ],
      [{ status: 405, allow: 'GET' }, /: 405\. /, /^See that PUBLIC_URL names/],
      [{ status: 200, type: 'text/html' }, /: 200 \(html\)\. /, /letter by letter/],
      [
        { status: 301, location: 'https://www.example.com/?token=hidden' },
        /: 301 to https:\/\/www\.example\.com\/\. /,
        /no redirect/,
      ],
      [{ status: 502, type: 'application/json' }, /: 502 \(json\)\. /, /receiver runs/],
    ] as const
  ).map(([answer, says, todo]): Case => ({
    found: ['public_url_other'],
    ports: { tryUrl: answers(answer) },
    says,
    todo,
  })),
  // Who refuses a GET may pass POST.
  ...[401, 403].map((status): Case => ({
    found: ['unseen public_url_other'],
    ports: { tryUrl: answers({ status }) },
    says: new RegExp(`: ${status}\\. `),
    todo: /POST alone/,
  })),
  ...['ENOTFOUND', 'ECONNREFUSED', 'ETIMEDOUT', 'CERT_HAS_EXPIRED'].map((fault): Case => ({
    found: ['unseen public_url_unreachable'],
    ports: { tryUrl: () => Promise.resolve({ fault }) },
    says: new RegExp(`^https://calls\\.example\\.com${PATH} could not be tried from this machine: .*${fault}`),
    todo: /^Type on a machine elsewhere: curl -i https:/,
  })),
  // An address that is wrong in itself is not tried.
  ...['http://calls.example.com', 'https://10.1.2.3'].map((publicUrl, i): Case => ({
    found: [i === 0 ? 'public_url_not_https' : 'public_url_private'],
    ports: { publicUrl, tryUrl: answers({ status: 404 }) },
  })),
  { found: ['note public_url_unset'], ports: { publicUrl: undefined, tryUrl: answers({ status: 404 }) } },
  // The webhook.
  {
    found: ['webhook_missing'],
    spoil: (world) => world.webhooks.clear(),
    says: /^The workspace has no webhook\.$/,
    todo: /^ElevenLabs → Workspace settings → Webhooks → Create webhook: URL https:\/\/calls\.example\.com\/api/,
    up: false,
  },
  // One that differs in its host alone: a slip of the pen in PUBLIC_URL is the likelier cause, so that comes first.
  {
    found: ['webhook_missing', 'initiation_other'],
    ports: { publicUrl: 'https://cals.example.com' },
    todo: /^If the webhook "Landline" is right, write PUBLIC_URL=https:\/\/calls\.example\.com into .* If PUBLIC_URL is right: .* Create webhook: URL https:\/\/cals\./,
    up: false,
  },
  {
    found: ['webhook_missing', 'initiation_other'],
    spoil: webhooks({}, { webhook_id: 'webhook_b', webhook_url: `https://line.example.org${PATH}` }),
    ports: { publicUrl: 'https://cals.example.com' },
    todo: /^ElevenLabs → .* Create webhook: .* URL cannot be changed\.$/,
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
    found: ['webhook_missing'],
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
  { found: ['webhook_auto_disabled'], spoil: webhooks({ is_auto_disabled: true, is_disabled: true }), up: false },
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
  { found: ['events_transcript'], spoil: sends({ events: ['audio', 'call_initiation_failure'] }), up: false },
  { found: ['events_call_initiation_failure'], spoil: sends({ events: ['transcript', 'audio'] }) },
  { found: ['events_audio'], spoil: sends({ events: ['transcript', 'call_initiation_failure'] }) },
  {
    found: ['note events_audio'],
    spoil: sends({ events: ['transcript', 'call_initiation_failure'] }),
    ports: { keepsAudio: false },
  },
  { found: ['note audio_not_kept'], ports: { keepsAudio: false } },
  { found: ['transcript_format'], spoil: sends({ transcript_format: 'opentelemetry' }), says: /without turns/ },
  {
    found: ['transcript_excluded'],
    spoil: sends({ exclude_transcript: true }),
    says: /ELEVENLABS_API_KEY fetch them later/,
  },
  // Agents.
  { found: ['agents_none'], spoil: (world) => void world.keys.set(world.apiKey, { isAdmin: true, agents: [] }) },
  { found: ['agent_webhook:agent_b'], spoil: agent({ webhooks: route({ post_call_webhook_id: 'webhook_x' }) }) },
  {
    found: ['agent_events:agent_b'],
    spoil: agent({ webhooks: route({ events: ['transcript'] }) }),
    says: /"Back desk" does not send Call initiation failure, Audio/,
  },
  { found: ['agent_format:agent_b'], spoil: agent({ webhooks: route({ transcript_format: 'opentelemetry' }) }) },
  {
    found: ['agent_excluded:agent_b'],
    spoil: agent({ webhooks: route({ exclude_transcript: true }) }),
    says: /"Back desk" leaves the turns out of transcripts\. .* fetch them later/,
  },
  { found: [], spoil: agent({ webhooks: route({}) }) },
  { found: ['note agent_zero_retention:agent_b'], spoil: agent({ privacy: { zero_retention_mode: true } }) },
  { found: ['note agent_retention:agent_b'], spoil: agent({ privacy: { retention_days: 2 } }) },
  { found: [], spoil: agent({ privacy: { retention_days: 3 } }) },
  // How calls came.
  {
    found: ['calls_fetched'],
    ports: { arrivals: came('f'.repeat(30)) },
    says: /^Of the last 30 calls ElevenLabs’ webhook brought 0; 30 had to be fetched\.$/,
    todo: /^See what npm run landline -- provider says of PUBLIC_URL, .* → Webhooks → "Landline": see its failures.* Calls that ended before the first comparison do not count/,
  },
  { found: ['calls_fetched'], ports: { arrivals: came('wfwff') }, says: /the last 5 calls .* brought 2; 3 had/ },
  {
    found: ['webhook_disabled', 'calls_fetched'],
    spoil: webhooks({ is_disabled: true }),
    ports: { arrivals: came('fff') },
    up: false,
  },
  { found: ['unseen arrivals_unseen'], ports: { arrivals: () => Promise.reject(new Error('no database')) } },
  // Two of a few say nothing, half of all are no more than half, and three that came since say that all is well again.
  ...['', 'ff', 'wffwwf', 'fffwww', 'wwwffffffff'].map((calls): Case => ({
    found: [],
    ports: { arrivals: came(calls) },
  })),
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
  async ({ found, spoil = () => {}, ports, says = /^/, todo: advises = /^/, up = true }) => {
    const { findings, isWebhookUp } = await look(spoil, ports);
    const notes = codesOf(findings, 'note').filter((code) => !USUAL_NOTES.has(code));
    expect([
      ...codesOf(findings, 'fault'),
      ...codesOf(findings, 'unseen').map((code) => `unseen ${code}`),
      ...notes.map((code) => `note ${code}`),
    ]).toEqual(found);
    const first = findings.find(({ code }) => code === found[0]?.split(' ').at(-1));
    expect(first?.what ?? '').toMatch(says);
    expect(first?.todo ?? '').toMatch(advises);
    // What a person has to do is told for all but what is well.
    expect(findings.filter(({ level, todo }) => level !== 'fine' && !todo)).toEqual([]);
    // Where no webhook is ours, nothing about what is sent is well.
    expect(found.includes('webhook_missing') && codesOf(findings, 'fine').includes('events')).toBe(false);
    // The region is to be looked at only where nothing of the API answers.
    const isRegion = findings.some(({ todo }) => todo?.includes('your region'));
    expect(isRegion && codesOf(findings, 'fine').includes('key')).toBe(false);
    expect(isWebhookUp).toBe(up);
    expect(JSON.stringify(findings)).not.toMatch(/hidden|pass@|user:|sk_/);
  },
);

const AUDIO_ALONE = route({ events: ['audio'] });
const ELSEWHERE = route({ post_call_webhook_id: 'webhook_x' });

test.each<{ workspace: Partial<NonNullable<Settings['webhooks']>>; agents: Settings['webhooks'][]; up: boolean }>([
  // An agent that departs from the workspace does not make all down, nor all up.
  { workspace: {}, agents: [null, AUDIO_ALONE, ELSEWHERE], up: true },
  { workspace: { events: ['audio'] }, agents: [null, route({})], up: false },
  // Where each agent departs from it, the workspace's settings are nothing.
  { workspace: {}, agents: [AUDIO_ALONE, ELSEWHERE], up: false },
  { workspace: { events: ['audio'] }, agents: [route({}), ELSEWHERE], up: true },
  // Whoever has some agents alone send here gets their transcripts.
  { workspace: { post_call_webhook_id: 'webhook_x' }, agents: [null, route({})], up: true },
  { workspace: { post_call_webhook_id: null }, agents: [null, AUDIO_ALONE], up: false },
])('our webhook is up where it would bring transcripts: $up, $workspace, $agents', async (each) => {
  const { isWebhookUp } = await look((world) => {
    sends(each.workspace)(world);
    world.agents.clear();
    for (const [i, own] of each.agents.entries()) {
      world.agents.set(`agent_${i}`, makeAgent({ id: `agent_${i}`, webhooks: own }));
    }
  });
  expect(isWebhookUp).toBe(each.up);
});

test('where PUBLIC_URL may have a slip of the pen, no line has its host written anywhere first', async () => {
  const ports = { publicUrl: 'https://cals.example.com' };
  const { findings } = await look(() => {}, ports);
  const todos = findings.flatMap(({ todo }) => (todo?.includes('https://cals.example.com') ? [todo] : []));
  expect(todos).toHaveLength(2);
  expect(todos.every((each) => each.startsWith('If '))).toBe(true);
});

test('what is tried is the URL of our webhook, once', async () => {
  const tried: string[] = [];
  const reached = answers({ status: 405, allow: 'POST' });
  const tryUrl = (asked: string) => {
    tried.push(asked);
    return reached(asked);
  };
  const { findings } = await look(() => {}, { tryUrl, publicUrl: 'https://calls.example.com:8443' });
  expect(tried).toEqual([`https://calls.example.com:8443${PATH}`]);
  expect(codesOf(findings, 'fine')).toContain('public_url_reached');
});

test('each code is explained in docs/provider.md', () => {
  const page = readFileSync(new URL('../../../../docs/provider.md', import.meta.url), 'utf8');
  const codes = CASES.flatMap(({ found }) => found.map((each) => each.split(' ').at(-1)?.split(':')[0]));
  expect(codes.filter((code) => !page.includes(`\`${code}\``))).toEqual([]);
});

const failedAt = (most_recent_failure_error_code: number | null, at = FAILED) =>
  webhooks({ most_recent_failure_error_code, most_recent_failure_timestamp: at });

/** As a row has it: what was found, and what to do. The command to type stands at its end. */
const ADVICE = `${'Signed with another secret. '.repeat(30)}Then: landline rejected readmit.`;

test('the last failure stands beside what Landline answered within five seconds of it', async () => {
  const asked: [number, number][] = [];
  const refused = { code: 'signature_mismatch', cause: 'another_secret', advice: ADVICE };
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
    todo: ADVICE,
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
  const ports = { ...TABLES, publicUrl: undefined, windowHours: 72, keepsAudio: true };
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
  ['bad_answer', /newest Landline/],
])('what to do about settings that could not be read depends on why: %s', async (code, todo) => {
  const provider: ProviderCheckPorts['provider'] = {
    webhooks: () => Promise.resolve({ webhooks: [], seesUsages: true }),
    settings: () => Promise.reject(new ProviderError(code, 'The reason.')),
    agents: noAgents,
  };
  const ports = { ...TABLES, publicUrl: undefined, windowHours: 72, keepsAudio: true };
  const { findings } = await checkProvider({ ...ports, provider, now: NOW }, new AbortController().signal);
  const finding = findings.find((each) => each.code === 'settings_failed');
  expect(finding?.todo).toMatch(todo);
});

test('calls of the last day are looked at, but for those that the webhook may still bring', async () => {
  const asked: [number, number][] = [];
  const arrivals = (from: number, to: number) => {
    asked.push([from, to]);
    return came('fff')(from, to);
  };
  const { findings } = await look(webhooks({ is_disabled: true }), { arrivals });
  expect(asked).toEqual([[NOW - 24 * 3_600_000, NOW - 90 * 60_000]]);
  // What is known to be wrong is mended first.
  expect(findings.find(({ code }) => code === 'calls_fetched')?.todo).toMatch(/^Mend the other faults first\./);
});

test('a look that is ended throws the reason of its signal', async () => {
  standIn = await startProvider();
  api = openProvider({ apiKey: standIn.apiKey, url: standIn.url });
  const ended = AbortSignal.abort(new Error('The worker leaves.'));
  const ports = { ...TABLES, publicUrl: undefined, windowHours: 72, keepsAudio: true };
  await expect(checkProvider({ ...ports, provider: api, now: NOW }, ended)).rejects.toThrow('The worker leaves.');
});
