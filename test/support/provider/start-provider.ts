import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { closeServer } from '../close-server.ts';
import type { Access } from './access.ts';
import { invalidKey, type Answer, type Asked } from './answers.ts';
import { answerWith, createFaults, type Fault, type FaultRule } from './faults.ts';
import { openMonitor, type Monitor } from './monitor-socket.ts';
import { sendAnswer } from './send-answer.ts';
import type { Account } from './conversation.ts';
import { answer } from './routes.ts';
import { makeAgent, makeSettings, makeWebhook, type Agent, type Settings, type Webhook } from './workspace.ts';
import type { World } from './world.ts';

/** What the stand-in has at first. */
export interface ProviderFacts {
  conversations?: readonly Account[];
  /** By default one, in which all is right. */
  webhooks?: readonly Webhook[];
  settings?: Settings;
  /** By default one: `AGENT_ID`. */
  agents?: readonly Agent[];
  /** Ids of users besides those of the conversations. */
  users?: readonly string[];
  /** The key of an administrator, which sees every agent. */
  apiKey?: string;
}

/** A request that came, and how it was answered. */
export interface SeenRequest {
  method: string;
  path: string;
  query: URLSearchParams;
  /** 101: a monitoring socket. */
  status: number;
  /** What was wrong with the answer. */
  fault: Fault['kind'] | undefined;
}

/** A stand-in of the provider's API. */
export interface StandIn extends World {
  /** For ELEVENLABS_API_URL. */
  url: string;
  /** For ELEVENLABS_API_KEY. */
  apiKey: string;
  /** Every request, in the order in which they were answered. */
  requests: SeenRequest[];
  /** The greatest number of requests that were on their way at once. */
  mostAtOnce: () => number;
  /** Adds a fault, and returns what ends it. */
  fail: (rule: FaultRule) => () => void;
  monitor: Monitor;
  close: () => Promise<void>;
}

/** Starts it on a free port of loopback. */
export async function startProvider(facts: ProviderFacts = {}): Promise<StandIn> {
  const apiKey = facts.apiKey ?? 'sk_of_the_tests';
  const world = worldOf(facts, apiKey);
  const faults = createFaults();
  const requests: SeenRequest[] = [];
  let atOnce = 0;
  let most = 0;

  function note(
    { method, path, query }: Pick<Asked, 'method' | 'path' | 'query'>,
    answered: Answer,
    fault?: Fault,
  ): Answer {
    requests.push({ method, path, query, status: answered.status, fault: fault?.kind });
    return answered;
  }

  async function serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    most = Math.max(most, ++atOnce);
    response.once('close', () => void atOnce--);
    const asked = await read(request);
    const access = world.keys.get(String(request.headers['xi-api-key']));
    const answerIn = (now: World): Answer => (access === undefined ? invalidKey() : answer(now, asked, access));
    const fault = faults.faultOf(asked);
    const answered = fault === undefined ? answerIn(world) : answerWith({ fault, asked, answer: answerIn }, world);
    await sendAnswer(response, note(asked, answered, fault));
  }

  function refuseSocket(request: IncomingMessage, path: string): Answer | undefined {
    const asked = { method: 'GET', path, query: new URLSearchParams() };
    const fault = faults.faultOf(asked);
    const socket: Answer = { status: 101, body: null };
    const isKnown = world.keys.has(String(request.headers['xi-api-key']));
    const answerIn = (): Answer => (isKnown ? socket : invalidKey());
    const answered = fault === undefined ? answerIn() : answerWith({ fault, asked, answer: answerIn }, world);
    return note(asked, answered, fault) === socket ? undefined : answered;
  }

  const server = createServer((request, response) => {
    serve(request, response).catch(() => response.destroy());
  });
  const monitor = openMonitor(server, { world, refuse: refuseSocket });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('The stand-in has no port.');
  return Object.assign(world, {
    url: `http://127.0.0.1:${address.port}`,
    apiKey,
    requests,
    mostAtOnce: () => most,
    fail: faults.fail,
    monitor,
    close: () =>
      closeServer(server, () => {
        monitor.close();
        server.closeAllConnections();
      }),
  });
}

function worldOf(facts: ProviderFacts, apiKey: string): World {
  const { conversations = [], webhooks = [makeWebhook()], agents = [makeAgent()] } = facts;
  return {
    conversations: new Map(conversations.map((each) => [each.conversation_id, each])),
    webhooks: new Map(webhooks.map((each) => [each.webhook_id, each])),
    retried: new Set(),
    settings: facts.settings ?? makeSettings(),
    agents: new Map(agents.map((each) => [each.agent_id, each])),
    users: new Set(facts.users),
    keys: new Map<string, Access>([[apiKey, { isAdmin: true }]]),
  };
}

async function read(request: IncomingMessage): Promise<Asked> {
  const url = new URL(request.url ?? '/', 'http://provider');
  const chunks: Buffer[] = [];
  request.on('data', (chunk: Buffer) => chunks.push(chunk));
  await once(request, 'end');
  const text = Buffer.concat(chunks).toString();
  const body: unknown = text === '' ? undefined : JSON.parse(text);
  return { method: request.method ?? 'GET', path: url.pathname, query: url.searchParams, body };
}
