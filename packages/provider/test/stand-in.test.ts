import { expect, onTestFinished, test, vi } from 'vitest';
import { audioOf, makeConversation } from '../../../test/support/provider/conversation.ts';
import { startProvider, type ProviderFacts } from '../../../test/support/provider/start-provider.ts';
import { makeAgent, makeSettings, makeWebhook, WEBHOOK_ID } from '../../../test/support/provider/workspace.ts';
import { openProvider } from '../src/index.ts';
import { errorOf } from './support/serve.ts';

const { signal } = new AbortController();

/** Starts the provider's stand-in, and opens a client of it; both are closed with the test. */
async function open(facts: ProviderFacts = {}) {
  const standIn = await startProvider(facts);
  const openWith = (apiKey: string) => {
    const provider = openProvider({ apiKey, url: standIn.url, firstPauseMs: 1, silenceMs: 10_000 });
    onTestFinished(() => provider.close());
    return provider;
  };
  onTestFinished(() => standIn.close());
  return { standIn, openWith, provider: openWith(standIn.apiKey) };
}

test('lists, fetches and hears what the provider has', async () => {
  const startedAt = 1_760_000_000;
  const calls = Array.from({ length: 230 }, (_, i) => makeConversation({ id: `c${i}`, startedAt: startedAt + i }));
  const running = makeConversation({ id: 'live', status: 'in-progress', startedAt: startedAt + 500 });
  const { standIn, provider } = await open({ conversations: [...calls, running] });
  standIn.fail({ path: '/v1/convai/conversations', kind: 'system_busy', after: 1 });
  standIn.fail({ path: /c0\/audio$/, kind: 'cut', times: 1 });
  const found = [];
  for await (const page of provider.conversations(
    { from: (startedAt - 1) * 1000, to: (startedAt + 600) * 1000 },
    signal,
  )) {
    found.push(...page);
  }
  expect(found.map(({ id }) => id)).toEqual([...calls.map(({ conversation_id }) => conversation_id), 'live']);
  expect(found[0]).toMatchObject({ status: 'done', startedAt: startedAt * 1000, durationSeconds: 60 });

  const account = await provider.conversation('c0', signal);
  expect(account).toMatchObject({ userId: 'user_c0', externalNumber: '+201005550101' });
  expect(JSON.parse(account.bytes.toString())).toEqual(calls[0]);
  expect(Buffer.concat(await provider.audio('c0', allOf, signal)).equals(audioOf('c0'))).toBe(true);
  expect(standIn.requests.filter(({ path }) => path.endsWith('/c0/audio'))).toHaveLength(2);

  const heard: unknown[] = [];
  standIn.monitor.send('live', { type: 'agent_response' });
  const socket = provider.monitor('live', {
    onMessage: (message) => heard.push(message),
    onTooLarge: () => undefined,
    onClose: () => undefined,
  });
  await vi.waitFor(() => expect(heard).toEqual([{ type: 'agent_response' }]), { timeout: 20_000 });
  socket.close();
});

test('reads where the events of the workspace and of each agent go', async () => {
  const failed = { most_recent_failure_error_code: 500, most_recent_failure_timestamp: 1_760_000_100 };
  const { webhooks } = makeSettings();
  const { provider } = await open({
    webhooks: [makeWebhook({ ...failed, is_disabled: true })],
    settings: makeSettings({
      conversation_initiation_client_data_webhook: { url: 'https://x.example/start', request_headers: {} },
    }),
    agents: [
      makeAgent({ id: 'a1', privacy: { retention_days: 30, zero_retention_mode: true } }),
      makeAgent({ id: 'a2', asksInitiation: true, webhooks: { ...webhooks, events: ['audio'] } }),
    ],
  });
  expect(await provider.webhooks(signal)).toEqual({
    seesUsages: true,
    webhooks: [
      {
        id: WEBHOOK_ID,
        name: 'Landline',
        url: 'https://calls.example.com/api/elevenlabs/webhook',
        isDisabled: true,
        isAutoDisabled: false,
        authType: 'hmac',
        createdAt: 1_760_000_000_000,
        usages: [{ type: 'ConvAI Settings' }],
        lastFailure: { code: 500, at: 1_760_000_100_000 },
      },
    ],
  });
  const events = { postCallWebhookId: WEBHOOK_ID, transcriptFormat: 'json', excludeTranscript: false };
  expect(await provider.settings(signal)).toEqual({
    ...events,
    events: ['transcript', 'audio', 'call_initiation_failure'],
    initiationUrl: 'https://x.example/start',
  });
  const privacy = { retentionDays: null, zeroRetention: false };
  const agents = await allOf(provider.agents(signal));
  expect(agents.toSorted((a, b) => (a.id < b.id ? -1 : 1))).toEqual([
    {
      id: 'a1',
      name: 'Front desk',
      webhooks: undefined,
      asksInitiation: false,
      initiationUrl: null,
      privacy: { ...privacy, retentionDays: 30, zeroRetention: true },
    },
    {
      id: 'a2',
      name: 'Front desk',
      webhooks: { ...events, events: ['audio'] },
      asksInitiation: true,
      initiationUrl: null,
      privacy,
    },
  ]);
});

test('lists what a key may see, and passes over an agent that is deleted meanwhile', async () => {
  const { standIn, openWith, provider } = await open({ agents: [makeAgent({ id: 'a1' }), makeAgent({ id: 'a2' })] });
  standIn.keys.set('sk_no_admin', { isAdmin: false, agents: ['a2'] });
  standIn.keys.set('sk_poor', { isAdmin: false, lacks: ['workspace_read', 'webhooks_write'] });
  const { webhooks, seesUsages } = await openWith('sk_no_admin').webhooks(signal);
  expect([seesUsages, webhooks.map(({ usages }) => usages)]).toEqual([false, [undefined]]);
  expect(await allOf(openWith('sk_no_admin').agents(signal))).toMatchObject([{ id: 'a2' }]);
  standIn.fail({ path: '/v1/convai/agents/a1', kind: 'not_found' });
  expect(await allOf(provider.agents(signal))).toMatchObject([{ id: 'a2' }]);
  const poor = openWith('sk_poor');
  expect(await errorOf(poor.webhooks(signal))).toMatchObject({ code: 'forbidden', permission: 'workspace_read' });
  const webhook = { id: WEBHOOK_ID, name: 'New', isDisabled: false };
  expect(await errorOf(poor.enableRetries(webhook, signal))).toMatchObject({ permission: 'webhooks_write' });
  expect([...standIn.retried]).toEqual([]);
  await provider.enableRetries(webhook, signal);
  expect([...standIn.retried]).toEqual([WEBHOOK_ID]);
});

async function allOf<T>(items: AsyncIterable<T>): Promise<T[]> {
  const found = [];
  for await (const item of items) found.push(item);
  return found;
}
