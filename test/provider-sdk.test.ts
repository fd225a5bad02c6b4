import { once } from 'node:events';
import { ElevenLabsClient, ElevenLabsError, ElevenLabs } from '@elevenlabs/elevenlabs-js';
import { afterEach, describe, expect, test } from 'vitest';
import { WebSocket } from 'ws';
import { z } from 'zod';
import { audioOf, ended, makeConversation } from './support/provider/conversation.ts';
import { startProvider, type ProviderFacts, type StandIn } from './support/provider/start-provider.ts';
import { makeAgent, makeWebhook, WEBHOOK_ID } from './support/provider/workspace.ts';

const standIns: StandIn[] = [];
afterEach(() => Promise.all(standIns.splice(0).map((each) => each.close())));

/** Starts a stand-in, and the provider's own client of it. */
async function start(facts?: ProviderFacts) {
  const standIn = await startProvider(facts);
  standIns.push(standIn);
  const open = (apiKey: string) => new ElevenLabsClient({ apiKey, baseUrl: standIn.url, maxRetries: 0 });
  return { standIn, open, client: open(standIn.apiKey) };
}

const START = 1_790_000_000;

/** Conversations that began one minute after the other. */
const calls = (count: number) =>
  Array.from({ length: count }, (_, i) =>
    makeConversation({ id: `conv_${i}`, startedAt: START + 60 * i, agentId: i % 2 === 0 ? 'agent_even' : 'agent_odd' }),
  );

describe("the provider's own SDK reads what the stand-in answers", () => {
  test('the list, page after page, filtered and in both directions', async () => {
    const conversations = calls(25);
    conversations[24] = makeConversation({ id: 'conv_24', startedAt: START + 60 * 24, status: 'in-progress' });
    const { client } = await start({ conversations });
    const ids: string[] = [];
    let cursor: string | undefined;
    do {
      // oxlint-disable-next-line no-await-in-loop -- page after page
      const page = await client.conversationalAi.conversations.list({
        pageSize: 10,
        sortDirection: 'asc',
        callStartAfterUnix: START,
        ...(cursor !== undefined && { cursor }),
      });
      ids.push(...page.conversations.map(({ conversationId }) => conversationId));
      expect(page.hasMore).toBe(page.nextCursor !== undefined);
      cursor = page.nextCursor;
    } while (cursor !== undefined);
    const odd = await client.conversationalAi.conversations.list({
      agentId: 'agent_odd',
      callStartBeforeUnix: START + 300,
    });
    const over = await client.conversationalAi.conversations.list({ excludeStatuses: ['in-progress', 'processing'] });
    const of3 = await client.conversationalAi.conversations.list({ userId: 'user_conv_3' });

    expect(ids).toEqual(Array.from({ length: 24 }, (_, i) => `conv_${i + 1}`));
    expect(odd.conversations.map(({ conversationId }) => conversationId)).toEqual(['conv_3', 'conv_1']);
    expect(over.conversations.map(({ conversationId }) => conversationId)).not.toContain('conv_24');
    expect(of3.conversations).toMatchObject([
      {
        conversationId: 'conv_3',
        agentId: 'agent_odd',
        startTimeUnixSecs: START + 180,
        callDurationSecs: 60,
        messageCount: 4,
        status: 'done',
        callSuccessful: 'success',
        direction: 'inbound',
        callSummaryTitle: 'A table',
        terminationReason: 'Client disconnected: 1005',
      },
    ]);
  });

  test('an account and its audio, also of a call that runs, failed, or was none by telephone; and a deletion', async () => {
    const { client, standIn } = await start({
      conversations: [
        makeConversation({ id: 'conv_done', startedAt: START, deletion: { deletion_time_unix_secs: START + 86_400 } }),
        makeConversation({ id: 'conv_running', status: 'in-progress' }),
        makeConversation({ id: 'conv_failed', status: 'failed', said: [] }),
        makeConversation({ id: 'conv_web', number: null, userId: null }),
      ],
    });
    const get = (id: string) => client.conversationalAi.conversations.get(id);
    const [done, running, failed, web] = await Promise.all(
      ['conv_done', 'conv_running', 'conv_failed', 'conv_web'].map(get),
    );
    const audio = await new Response(await client.conversationalAi.conversations.audio.get('conv_done')).arrayBuffer();
    await client.conversationalAi.conversations.delete('conv_done');

    expect(done).toMatchObject({
      status: 'done',
      userId: 'user_conv_done',
      hasAudio: true,
      metadata: {
        startTimeUnixSecs: START,
        callDurationSecs: 60,
        deletionSettings: { deletionTimeUnixSecs: START + 86_400 },
        phoneCall: { type: 'twilio', externalNumber: '+201005550101' },
      },
      transcript: [{ role: 'agent' }, { role: 'user' }, { role: 'agent' }, { role: 'user', message: 'أيوه، شكراً.' }],
    });
    expect(running).toMatchObject({ status: 'in-progress', hasAudio: false, metadata: { callDurationSecs: 0 } });
    expect(failed).toMatchObject({ status: 'failed', transcript: [], metadata: { error: { reason: 'No answer' } } });
    expect(web?.metadata.phoneCall).toBeUndefined();
    expect(Buffer.from(audio)).toEqual(audioOf('conv_done'));
    expect(standIn.conversations.has('conv_done')).toBe(false);
    await expect(get('conv_done')).rejects.toMatchObject({ statusCode: 404 });
    await expect(client.conversationalAi.conversations.audio.get('conv_running')).rejects.toMatchObject({
      statusCode: 404,
    });
  });

  test('webhooks with their usages, settings, agents and users', async () => {
    const failed = { most_recent_failure_error_code: 401, most_recent_failure_timestamp: START };
    const { client, standIn, open } = await start({
      conversations: calls(3),
      webhooks: [makeWebhook(), makeWebhook({ webhook_id: 'webhook_2', is_auto_disabled: true, ...failed })],
      agents: [makeAgent(), makeAgent({ id: 'agent_2', name: 'Kitchen', privacy: { zero_retention_mode: true } })],
    });
    standIn.keys.set('sk_member', { isAdmin: false });
    const { webhooks } = await client.webhooks.list({ includeUsages: true });
    const hidden = await open('sk_member').webhooks.list();
    await client.webhooks.update(WEBHOOK_ID, { isDisabled: true, name: 'Paused', retryEnabled: true });
    const changed = await client.webhooks.list();
    const settings = await client.conversationalAi.settings.get();
    const agents = await client.conversationalAi.agents.list({ pageSize: 1 });
    const agent = await client.conversationalAi.agents.get('agent_2');
    const users = await client.conversationalAi.users.list({ search: 'user_conv_1' });

    expect(webhooks).toMatchObject([
      { webhookId: WEBHOOK_ID, usage: [{ usageType: 'ConvAI Settings' }], isAutoDisabled: false, authType: 'hmac' },
      { webhookId: 'webhook_2', isAutoDisabled: true, mostRecentFailureErrorCode: 401 },
    ]);
    expect(hidden.webhooks[0]?.usage).toBeUndefined();
    expect(changed.webhooks[0]).toMatchObject({ name: 'Paused', isDisabled: true });
    expect([...standIn.retried]).toEqual([WEBHOOK_ID]);
    expect(settings.webhooks).toMatchObject({ postCallWebhookId: WEBHOOK_ID, transcriptFormat: 'json' });
    expect(agents).toMatchObject({ agents: [{ agentId: 'agent_front_desk' }], hasMore: true });
    expect(agent).toMatchObject({
      name: 'Kitchen',
      platformSettings: {
        workspaceOverrides: {},
        overrides: { enableConversationInitiationClientDataFromWebhook: false },
        privacy: { retentionDays: -1, zeroRetentionMode: true },
      },
    });
    expect(users).toMatchObject({ users: [{ userId: 'user_conv_1', conversationCount: 1 }], hasMore: false });
  });

  test('a key sees its agents alone', async () => {
    const { standIn, open } = await start({ conversations: calls(4), agents: [makeAgent({ id: 'agent_even' })] });
    standIn.keys.set('sk_odd', { isAdmin: false, agents: ['agent_odd'] });
    const odd = open('sk_odd').conversationalAi;

    expect((await odd.conversations.list()).conversations.map(({ conversationId }) => conversationId)).toEqual([
      'conv_3',
      'conv_1',
    ]);
    expect((await odd.agents.list()).agents).toEqual([]);
    await expect(odd.conversations.get('conv_0')).rejects.toMatchObject({ statusCode: 404 });
  });
});

describe("the provider's own SDK knows the stand-in's errors", () => {
  test.each([
    ['a key that is none', 'sk_none', 401, 'invalid_api_key'],
    ['a key without the permission', 'sk_poor', 401, 'missing_permissions'],
  ])('%s', async (_, key, statusCode, status) => {
    const { standIn, open } = await start();
    standIn.keys.set('sk_poor', { isAdmin: false, lacks: ['convai_read'] });
    const asked = open(key).conversationalAi.conversations.list();

    await expect(asked).rejects.toThrow(ElevenLabsError);
    await expect(asked).rejects.toMatchObject({ statusCode, body: { detail: { status } } });
  });

  test('usages for a key that is no administrator’s', async () => {
    const { standIn, open } = await start();
    standIn.keys.set('sk_member', { isAdmin: false });

    await expect(open('sk_member').webhooks.list({ includeUsages: true })).rejects.toMatchObject({ statusCode: 403 });
  });

  test('what it cannot take', async () => {
    const { client, standIn } = await start();
    const update = await fetch(`${standIn.url}/v1/workspace/webhooks/${WEBHOOK_ID}`, {
      method: 'PATCH',
      headers: { 'xi-api-key': standIn.apiKey, 'content-type': 'application/json' },
      body: '{"retry_enabled": true, "name": "Landline"}',
    });

    const page = client.conversationalAi.conversations.list({ pageSize: 101 });
    await expect(page).rejects.toThrow(ElevenLabs.UnprocessableEntityError);
    await expect(page).rejects.toMatchObject({ body: { detail: [{ loc: ['query', 'page_size'] }] } });
    expect(update.status).toBe(422);
    expect(await update.json()).toMatchObject({ detail: [{ loc: ['body', 'is_disabled'], type: 'missing' }] });
    expect(standIn.requests.map(({ status }) => status)).toEqual([422, 422]);
  });
});

const LIST = '/v1/convai/conversations';

describe('a fault', () => {
  test('is an error of the SDK, as often as it was asked for', async () => {
    const { client, standIn } = await start({ conversations: calls(2) });
    standIn.fail({ path: LIST, kind: 'too_many_concurrent_requests' });
    standIn.fail({ path: LIST, kind: 'system_busy', times: 2 });
    standIn.fail({ path: LIST, kind: 'internal_error' });
    standIn.fail({ path: LIST, kind: 'forbidden' });
    standIn.fail({ path: LIST, kind: 'cut' });
    standIn.fail({ path: LIST, kind: 'html' });
    const ask = () =>
      client.conversationalAi.conversations.list().then(
        ({ conversations }) => ({ ids: conversations.map(({ conversationId }) => conversationId) }),
        (error: unknown) => error,
      );
    const answers: unknown[] = [];
    // oxlint-disable-next-line no-await-in-loop -- one after the other
    while (answers.length < 8) answers.push(await ask());

    expect(answers).toMatchObject([
      { statusCode: 429, body: { detail: { status: 'too_many_concurrent_requests' } } },
      { statusCode: 429, body: { detail: { status: 'system_busy' } } },
      { statusCode: 429 },
      { statusCode: 500 },
      { statusCode: 403 },
      expect.any(Error),
      expect.any(Error),
      { ids: ['conv_1', 'conv_0'] },
    ]);
    expect(standIn.requests.map(({ fault }) => fault)).toEqual([
      'too_many_concurrent_requests',
      'system_busy',
      'system_busy',
      'internal_error',
      'forbidden',
      'cut',
      'html',
      undefined,
    ]);
  });

  test('says in each of three headers how long to wait', async () => {
    const { client, standIn } = await start();
    const seconds = 100;
    for (const as of ['retry-after', 'retry-after-date', 'x-ratelimit-reset'] as const) {
      standIn.fail({ path: LIST, kind: 'system_busy', wait: { seconds, as } });
    }
    const headers = z.object({ rawResponse: z.object({ headers: z.instanceof(Headers) }) });
    const ask = async () => {
      const error: unknown = await client.conversationalAi.conversations.list().catch((reason: unknown) => reason);
      const found = headers.parse(error).rawResponse.headers;
      return ['retry-after', 'x-ratelimit-reset'].map((name) => found.get(name));
    };
    const from = Date.now();
    const [asSeconds, asDate, asReset] = [await ask(), await ask(), await ask()];
    const isUntil = (ms: number) => ms >= from + seconds * 1000 - 1000 && ms <= Date.now() + seconds * 1000 + 1000;

    expect(asSeconds).toEqual([String(seconds), null]);
    expect(asDate).toEqual([expect.toSatisfy((date: string) => isUntil(Date.parse(date))), null]);
    expect(asReset).toEqual([null, expect.toSatisfy((unix: string) => isUntil(Number(unix) * 1000))]);
  });

  test('leaves a call out of the list, takes it away, or changes what is there before the answer', async () => {
    const { client, standIn } = await start({ conversations: calls(3) });
    const list = async () => {
      const { conversations, ...page } = await client.conversationalAi.conversations.list({ pageSize: 2 });
      return { ids: conversations.map(({ conversationId }) => conversationId), ...page };
    };
    standIn.fail({ path: LIST, kind: 'unlisted', ids: ['conv_2'] });
    standIn.fail({ path: LIST, kind: 'no_cursor' });
    standIn.fail({ path: LIST, kind: 'before', run: ({ conversations }) => void conversations.delete('conv_1') });
    const restore = standIn.fail({ path: `${LIST}/conv_2`, kind: 'not_found', times: 'always' });
    const get = () => client.conversationalAi.conversations.get('conv_2');

    expect(await list()).toEqual({ ids: ['conv_1', 'conv_0'], hasMore: false });
    expect(await list()).toEqual({ ids: ['conv_2', 'conv_1'], hasMore: true });
    expect(await list()).toEqual({ ids: ['conv_2', 'conv_0'], hasMore: false });
    await expect(get()).rejects.toMatchObject({ statusCode: 404 });
    await expect(get()).rejects.toMatchObject({ statusCode: 404 });
    restore();
    expect((await get()).conversationId).toBe('conv_2');
  });
});

const running = () => makeConversation({ id: 'conv_1', status: 'in-progress' });
const agentSaid = (event_id: number) => ({
  type: 'agent_response',
  agent_response_event: { agent_response: `${event_id}`, event_id },
});

/** Follows conv_1, and keeps what comes. */
function follow({ url, apiKey }: Pick<StandIn, 'url' | 'apiKey'>) {
  const socket = new WebSocket(`${url.replace('http', 'ws')}${LIST}/conv_1/monitor`, {
    headers: { 'xi-api-key': apiKey },
  });
  const heard: unknown[] = [];
  // oxlint-disable-next-line typescript/no-base-to-string -- a Buffer, as nothing else is asked for
  socket.on('message', (data) => void heard.push(JSON.parse(data.toString())));
  return { socket, heard };
}

describe('the monitoring socket', () => {
  test('tells what is said, what was said before in no sure order, and ends with the call', async () => {
    const { standIn } = await start({ conversations: [running()] });
    for (const id of [1, 2, 3]) standIn.monitor.send('conv_1', agentSaid(id));
    const { socket, heard } = follow(standIn);
    await once(socket, 'open');
    standIn.monitor.send('conv_1', agentSaid(4));
    standIn.conversations.set('conv_1', ended(running()));
    standIn.monitor.end('conv_1');
    const [code] = await once(socket, 'close');

    expect(heard).toEqual([2, 1, 3, 4].map(agentSaid));
    expect(code).toBe(1000);
    expect(standIn.monitor.received).toEqual([]);
    expect(standIn.conversations.get('conv_1')).toMatchObject({ status: 'done', has_audio: true });
  });

  test('is closed with 1008 where the agent may not be monitored, and refused to a key that is none', async () => {
    const { standIn } = await start({ conversations: [running()], agents: [makeAgent({ isMonitored: false })] });
    const [code, reason] = await once(follow(standIn).socket, 'close');
    const stranger = follow({ ...standIn, apiKey: 'sk_none' }).socket;

    expect({ code, reason: String(reason) }).toEqual({
      code: 1008,
      reason: 'Monitoring is not enabled for this agent',
    });
    await expect(once(stranger, 'open')).rejects.toThrow('Unexpected server response: 401');
  });
});
