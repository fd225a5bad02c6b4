import { afterAll, beforeAll, expect, onTestFinished, test, vi } from 'vitest';
import { spawnApp, startApp, type AppProcess } from '../../../test/support/app-process.ts';
import { startPipe, type Pipe } from '../../../test/support/pipe.ts';
import { SECRET, WEBHOOK_PATH } from '../../../test/support/post.ts';
import { chooseQuietPort } from '../../../test/support/quiet-port.ts';
import { AGENT_ID, ended, makeConversation } from '../../../test/support/provider/conversation.ts';
import { startProvider, type StandIn } from '../../../test/support/provider/start-provider.ts';
import { makeAgent } from '../../../test/support/provider/workspace.ts';
import { scrape } from '../../../test/support/scrape.ts';
import { userSays } from './support/a-bridge.ts';

const STARTED_AT = Math.floor(Date.now() / 1000) - 60;
const CALL = 'conv_live';
const WITHIN = { timeout: 60_000, interval: 50 };

let pipe: Pipe;
let provider: StandIn;

beforeAll(async () => {
  // The receiver stops, and another one listens where it did.
  const PORT = String(await chooseQuietPort());
  [pipe, provider] = await Promise.all([startPipe({ PORT }), startStandIn()]);
}, 60_000);

const startStandIn = () =>
  startProvider({
    conversations: [
      makeConversation({ id: '..', status: 'in-progress', startedAt: STARTED_AT - 60 }),
      makeConversation({ id: CALL, status: 'in-progress', startedAt: STARTED_AT }),
      makeConversation({ id: 'conv_deaf', agentId: 'agent_deaf', status: 'in-progress', startedAt: STARTED_AT }),
    ],
    agents: [makeAgent(), makeAgent({ id: 'agent_deaf', isMonitored: false })],
  });

afterAll(async () => {
  await provider.close();
  await pipe.stop();
});

async function startMonitor(): Promise<AppProcess> {
  const monitor = await startApp('monitor', {
    env: {
      ELEVENLABS_API_KEY: provider.apiKey,
      ELEVENLABS_API_URL: provider.url,
      ELEVENLABS_WEBHOOK_SECRET: `${SECRET},wsec_of_the_time_before_0123456789`,
      MONITOR_WEBHOOK_URL: `${pipe.receiver.url}${WEBHOOK_PATH}`,
    },
  });
  onTestFinished(() => monitor.kill('SIGKILL'));
  return monitor;
}

const agentSays = (agent_response: string, event_id: number) => ({
  type: 'agent_response',
  agent_response_event: { agent_response, event_id },
});
const tool = (type: string, more: object) => ({
  type,
  [type]: { tool_name: 'book', tool_call_id: 'call_1', event_id: 3, ...more },
});

/** What the tables have of the call, besides its times. */
async function rows() {
  const said = await pipe.sql(`SELECT event_key, content FROM conversation_messages
    WHERE conversation_id = '${CALL}' ORDER BY substring(event_key FROM '[0-9]+$')::int`);
  const events = await pipe.sql(`SELECT type, outcome, count(*)::int AS rows FROM webhook_events
    WHERE conversation_id IS NOT NULL GROUP BY type, outcome ORDER BY type`);
  return {
    said: said.map(({ event_key, content }) => `${String(event_key)}: ${String(content)}`),
    events: Object.fromEntries(events.map(({ type, outcome, rows: n }) => [`${String(type)} ${String(outcome)}`, n])),
  };
}

test('each event is applied once: heard by two bridges, one of which is killed, over sockets that are cut, with a receiver that is away', async () => {
  const [first, second] = await Promise.all([startMonitor(), startMonitor(), pipe.startWorker()]);
  await vi.waitUntil(() => provider.monitor.followers(CALL) === 2, WITHIN);
  const { send } = provider.monitor;
  // What would end the process costs nothing else.
  const deep = JSON.stringify(tool('client_tool_call', { parameters: 'DEEP' }));
  send(CALL, deep.replace('"DEEP"', `${'['.repeat(9_000)}${']'.repeat(9_000)}`));
  send(CALL, { type: 'conversation_initiation_metadata', conversation_id: CALL });
  // In no sure order: the correction comes before what it corrects.
  send(CALL, {
    type: 'agent_response_correction',
    agent_response_correction_event: {
      original_agent_response: 'Hello, how can I help you today?',
      corrected_agent_response: 'Hello, how',
      event_id: 1,
    },
  });
  send(CALL, agentSays('Hello, how can I help you today?', 1));
  send(CALL, userSays('طاولة لاثنين', 2));
  send(CALL, tool('agent_tool_request', { tool_type: 'client' }));
  send(CALL, tool('client_tool_call', { parameters: { seats: 2 } }));
  send(CALL, tool('agent_tool_response', { tool_type: 'client', is_error: false, is_called: true }));
  await expect.poll(rows, WITHIN).toEqual({
    said: ['agent:agent-1: Hello, how', 'user:user-2: طاولة لاثنين'],
    events: { 'agent.tool_call applied': 3, 'conversation.message applied': 3, 'conversation.started applied': 1 },
  });
  expect(await pipe.sql(`SELECT request_id, tool_name, tool_type, parameters, is_error FROM agent_tool_calls`)).toEqual(
    [{ request_id: 'call_1', tool_name: 'book', tool_type: 'client', parameters: { seats: 2 }, is_error: false }],
  );

  // A bridge dies; the socket of the other is cut, and what is said meanwhile comes when it is opened again.
  first.kill('SIGKILL');
  await first.exited;
  provider.monitor.end(CALL, 1011);
  await vi.waitUntil(() => provider.monitor.followers(CALL) === 0, WITHIN);
  send(CALL, agentSays('For tonight?', 4));
  await expect.poll(async () => (await rows()).said, WITHIN).toHaveLength(3);

  // The receiver goes, words are said, a new bridge starts and hears all of it again.
  const { port } = new URL(pipe.receiver.url);
  await pipe.receiver.stop();
  send(CALL, userSays('Yes', 5));
  await vi.waitUntil(() => second.output().includes('The receiver does not answer'), WITHIN);
  const [third, receiver] = await Promise.all([
    startMonitor(),
    startApp('receiver', {
      env: { ELEVENLABS_WEBHOOK_SECRET: SECRET, REDIS_URL: pipe.redis.url, PORT: port, ENQUEUE_TIMEOUT_MS: '10000' },
    }),
  ]);
  await vi.waitUntil(() => provider.monitor.followers(CALL) === 2, WITHIN);
  onTestFinished(async () => void (await receiver.stop()));
  await expect.poll(async () => (await rows()).said, WITHIN).toHaveLength(4);

  // The call ends.
  const account = provider.conversations.get(CALL);
  if (account) provider.conversations.set(CALL, ended(account));
  provider.monitor.end(CALL);
  await expect.poll(async () => (await rows()).events, WITHIN).toHaveProperty(['conversation.ended applied']);
  for (const monitor of [second, third]) {
    const sent = async () => (await scrape(monitor.healthUrl)).samples;
    // oxlint-disable-next-line no-await-in-loop -- two
    await expect.poll(sent, WITHIN).toMatchObject({
      'landline_monitor_events_sent_total{type="conversation.ended"}': 1,
      'landline_monitor_refused_total{by="provider"}': expect.toSatisfy((n: number) => n >= 1),
      landline_monitor_calls: 0,
    });
  }
  await pipe.untilIdle();
  expect(await rows()).toEqual({
    said: ['agent:agent-1: Hello, how', 'user:user-2: طاولة لاثنين', 'agent:agent-4: For tonight?', 'user:user-5: Yes'],
    events: {
      'agent.tool_call applied': 3,
      'conversation.ended applied': 1,
      'conversation.message applied': 5,
      'conversation.started applied': 1,
    },
  });
  expect(
    await pipe.sql(
      `SELECT id, agent_id, status, direction, language, extract(epoch FROM started_at)::int AS began FROM conversations`,
    ),
  ).toEqual([
    { id: CALL, agent_id: AGENT_ID, status: 'ended', direction: 'inbound', language: null, began: STARTED_AT },
  ]);

  expect(await Promise.all([second.stop(), third.stop()])).toEqual([
    [0, null],
    [0, null],
  ]);
  expect(second.output().match(/lets nobody listen/g)).toHaveLength(1);
  for (const monitor of [second, third]) {
    for (const line of [/No socket can be opened for a call/g, /cannot be read \(RangeError\)/g])
      expect(monitor.output().match(line)).toHaveLength(1);
    expect(monitor.output()).not.toMatch(/Hello|tonight|طاولة|wsec_|sk_of/);
  }
  // It only listens.
  expect(provider.monitor.received).toEqual([]);
  expect(new Set(provider.requests.map(({ method, path }) => `${method} ${path}`))).toEqual(
    new Set([
      'GET /v1/convai/conversations',
      `GET /v1/convai/conversations/${CALL}/monitor`,
      'GET /v1/convai/conversations/conv_deaf/monitor',
    ]),
  );
}, 240_000);

test('says that it is off, and ends well, whatever else is set', async () => {
  const app = await spawnApp('monitor', { env: { MONITOR: '', MONITOR_PORT: 'many' } });
  expect(await app.exited).toEqual([0, null]);
  expect(app.output()).toContain('The monitor is off. MONITOR=on switches it on');
}, 60_000);
