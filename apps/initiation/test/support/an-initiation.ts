import { createLogger } from '@landline/process';
import type { Delivery } from '@landline/webhook';
import { createReader, type Reader } from '@landline/store';
import { onTestFinished, vi } from 'vitest';
import { createApp, type AppOptions } from '../../src/app.ts';
import { INITIATION_PATH } from '../../src/initiation-route.ts';

/** The token of these tests. */
export const TOKEN = 'a token of this test only';

/** The operator's defaults of these tests. */
export const DEFAULTS = { first_name: 'friend', vip: false, discount: 0 };

/** The variables of an answer about an unknown caller. */
export const NOTHING = {
  caller_known: false,
  caller_language: '',
  caller_dialect: '',
  caller_personality: '',
  caller_calls: 0,
  caller_last_summary: '',
  caller_last_call_at: '',
  ...DEFAULTS,
};

/** An answer as ElevenLabs reads it. */
export interface Answered {
  status: number;
  body: unknown;
  headers: Headers;
}

/** An app that listens in this process. */
export interface TestInitiation {
  url: string;
  reader: Reader;
  drain: () => Promise<void>;
  /** Returns everything that the app has logged. */
  log: () => string;
  /** The events that the app has enqueued. */
  events: Delivery[];
  /** Sends a request with the token; a body that is neither a text nor bytes goes as JSON. */
  ask: (body: unknown, headers?: Record<string, string>) => Promise<Answered>;
  /** Returns the variables of the answer about a caller. */
  variables: (callerId: string, call?: object) => Promise<unknown>;
  /** Returns a sample of the app's metrics; undefined where there is none. */
  sample: (key: string) => Promise<number | undefined>;
}

/** The time limit of tests that are not about time, in ms: a busy machine is slow. */
export const LONG_LIMIT_MS = 10_000;

/** Options of `startInitiation` beside those of the app. */
export interface TestInitiationOptions extends Partial<AppOptions> {
  isReader?: boolean;
  /** Whether the database is away when the app starts; else `startInitiation` waits for it. */
  isAway?: boolean;
}

/** Starts an app on a database, for the running test. Without `limitMs` it waits long for bodies and look-ups. */
export async function startInitiation(
  databaseUrl: string,
  { isReader = true, isAway = false, limitMs = LONG_LIMIT_MS, ...options }: TestInitiationOptions = {},
): Promise<TestInitiation> {
  const lines: string[] = [];
  const logger = createLogger({
    name: 'initiation',
    level: 'trace',
    destination: { write: (line) => void lines.push(line) },
  });
  const events: Delivery[] = [];
  const reader = options.reader ?? createReader({ databaseUrl, isReader, limitMs });
  const intake = { accept: async (event: Delivery) => void events.push(event) };
  const app = createApp({ intake, token: TOKEN, defaults: DEFAULTS, logger, limitMs, ...options, reader });
  onTestFinished(async () => {
    await app.drain();
    await reader.close();
  });
  app.start();
  const url = await app.server.listen({ port: 0, host: '127.0.0.1' });
  const ask = (body: unknown, headers: Record<string, string> = {}) =>
    askAt(url, body, { authorization: `Bearer ${TOKEN}`, ...headers });
  const sample = async (key: string) => {
    const metrics = await (await fetch(`${url}/metrics`)).text();
    const line = metrics.split('\n').find((text) => text.startsWith(`${key} `));
    return line === undefined ? undefined : Number(line.slice(key.length + 1));
  };
  const isUp = async () => (await sample('landline_initiation_database_up')) === 1;
  if (!isAway) await vi.waitUntil(isUp, { timeout: 20_000, interval: 10 });
  return {
    url,
    reader,
    drain: () => app.drain(),
    log: () => lines.join(''),
    events,
    ask,
    variables: async (caller_id, call = {}) => variablesIn(await ask({ caller_id, ...call })),
    sample,
  };
}

/** Sends a request to an app at its address; a body that is neither a text nor bytes goes as JSON. */
export async function askAt(url: string, body: unknown, headers: Record<string, string>): Promise<Answered> {
  const sent = typeof body === 'string' || body instanceof Uint8Array ? body : JSON.stringify(body);
  const answer = await fetch(`${url}${INITIATION_PATH}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    ...(sent !== undefined && { body: sent }),
  });
  return { status: answer.status, headers: answer.headers, body: await answer.json() };
}

/** Returns the dynamic variables of an answer of 200; throws for any other answer. */
export function variablesIn({ status, body }: Answered): unknown {
  if (status !== 200 || typeof body !== 'object' || body === null || !('dynamic_variables' in body))
    throw new Error(`no answer: ${status} ${JSON.stringify(body)}`);
  return body.dynamic_variables;
}
