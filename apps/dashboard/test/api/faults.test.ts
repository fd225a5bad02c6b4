import { QueueUnavailableError } from '@landline/queue';
import { StoreError, type FaultClass, type Lookups } from '@landline/store';
import { createLogger } from '@landline/process';
import { afterAll, afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { z } from 'zod';
import type { ApiPorts } from '../../src/api/ports.ts';
import { createApp } from '../../src/app.ts';
import { askApi, AUTHORIZATION, LOGIN } from './support/a-console.ts';

const EVENT = {
  id: '0f0e0d0c-0b0a-0908-0706-050403020100',
  eventKey: null,
  type: 'x',
  conversationId: null,
  origin: 'webhook',
  eventAt: 18e11,
  receivedAt: 18e11,
  appliedAt: null,
  outcome: 'ignored',
  error: null,
  bodyBytes: 20,
};

/** Bodies of which the first has a word in it. */
const bodies = async (ids: readonly string[]) =>
  ids.map((id, i) => ({ id, body: Buffer.from(i === 0 ? 'a word' : '') }));

/** Over when the running test says so: what it finds until then does not hang on how quick the machine is. */
let time = new AbortController();

/** What is asked comes to no end: the time is over meanwhile. */
const never = () => {
  time.abort();
  return new Promise<never>(() => undefined);
};
/** As `never`, for a search that asks for the next page before it looks at this one: it does so before the loop turns. */
const afterThis = () => {
  setImmediate(() => time.abort());
  return new Promise<never>(() => undefined);
};
const nobody = () => Promise.reject(new Error('nobody asks this'));

/** A test gives the look-ups that it asks for, and no others. */
const lookupsSchema = z.custom<Lookups>().optional();

/** What the running test gives; whatever else is asked fails. */
interface Given {
  lookups?: unknown;
  send?: ApiPorts['requests']['send'];
}
let given: Given = {};
let lines: object[] = [];

const ports: ApiPorts = {
  queues: { overview: nobody },
  canary: { newest: nobody },
  journalHours: 24,
  activity: { minutes: nobody, now: nobody, processes: nobody },
  rebuilds: undefined,
  planMs: 300,
  requests: {
    send: (request) => given.send?.(request) ?? nobody(),
    starts: async () => [],
    start: async () => undefined,
    withdraw: async () => false,
  },
  storage: { read: () => expect.unreachable() },
  get lookups() {
    return lookupsSchema.parse(given.lookups);
  },
};
const destination = { write: (line: string) => void lines.push(JSON.parse(line)) };
const logger = createLogger({ name: 'dashboard', level: 'info', destination });
const app = createApp({ shards: () => [], login: LOGIN, console: ports, logger });

beforeEach(() => {
  time = new AbortController();
  vi.spyOn(AbortSignal, 'timeout').mockImplementation(() => time.signal);
});
afterEach(() => {
  vi.restoreAllMocks();
  lines = [];
});
afterAll(() => app.close());

/** A console that finds this. */
function aConsole(found: Given) {
  given = found;
  return (url: string, options = {}) => askApi(app, url, options);
}

function rejecting(error: Error) {
  return async () => {
    throw error;
  };
}

/** Look-ups of which each fails. */
function failing(error: Error) {
  const fail = rejecting(error);
  return {
    ledger: { list: fail, count: fail },
    operations: { list: fail, get: fail },
    erasurePlan: fail,
    conversations: { get: fail },
    rejected: { get: fail },
  };
}

function storeError(faultClass: FaultClass, message = 'said of somebody') {
  return new StoreError(message, {
    faultClass,
    code: 'X',
    advice: faultClass === 'connection' ? 'Start it.' : undefined,
  });
}

describe('a search that runs out of time', () => {
  const page = Array.from({ length: 64 }, (_, i) => ({ ...EVENT, receivedAt: EVENT.receivedAt - i, storedBytes: 20 }));

  it('tells what it has found, how far it looked, and how to go on', async () => {
    let pages = 0;
    const first = page.map((event, i) => ({ ...event, id: idOf(i) }));
    const ledger = { page: () => ((pages += 1) === 1 ? Promise.resolve(first) : afterThis()), bodies };
    const ask = aConsole({ lookups: { ledger } });
    const answer = await ask('/events?text=word');
    expect(answer.statusCode).toBe(504);
    expect(answer.json()).toMatchObject({
      code: 'timed_out',
      looked: 64,
      back_to: '2027-01-15T07:59:59.937Z',
      items: [{ id: idOf(0) }],
      next: expect.stringMatching(/^[\w-]+$/),
    });
  });

  it('says that it has looked at nothing, and where it was to begin', async () => {
    const ask = aConsole({ lookups: { ledger: { page: never, list: never } } });
    for (const url of ['/events', '/events?text=x']) {
      time = new AbortController();
      const answer = await ask(url);
      expect([answer.statusCode, answer.json()]).toMatchObject([
        504,
        { looked: 0, back_to: null, items: [], next: null },
      ]);
    }
  });

  it.each([
    'status=done',
    'language=he&limit=9',
    'min_duration=9',
    'channel=web&outcome=failure',
    'agent=a&status=done',
  ])(
    'of conversations by a word without an index (%s) tells how far back it looked, and how to go on',
    async (query) => {
      const search = async function* () {
        yield { found: [], looked: 2_048, position: { startedAt: EVENT.receivedAt, id: 'conv-9' } };
        return await never();
      };
      const answer = await aConsole({ lookups: { conversations: { search, list: never } } })(`/conversations?${query}`);
      expect(answer.statusCode).toBe(504);
      expect(answer.json()).toMatchObject({
        looked: 2_048,
        back_to: '2027-01-15T08:00:00.000Z',
        items: [],
        next: expect.stringMatching(/^[\w-]+$/),
      });
    },
  );

  it('is no different where Postgres ends it', async () => {
    const answer = await aConsole({ lookups: failing(storeError('timeout')) })('/events');
    expect([answer.statusCode, answer.json()]).toMatchObject([504, { code: 'timed_out', items: [] }]);
  });
});

it('a search ends when nobody waits for it any more', async () => {
  let searching: AbortSignal | undefined;
  const search = (_filter: unknown, { signal }: { signal: AbortSignal }) => {
    searching = signal;
    // The time is not over.
    return { next: () => new Promise(() => undefined), return: async () => ({ done: true, value: true }) };
  };
  given = { lookups: { conversations: { search } } };
  const listening = createApp({ shards: () => [], login: LOGIN, console: ports });
  const address = await listening.listen({ port: 0, host: '127.0.0.1' });
  const gone = new AbortController();
  const asking = fetch(`${address}/api/v1/conversations?text=x`, {
    headers: { authorization: AUTHORIZATION },
    signal: gone.signal,
  });
  await vi.waitUntil(() => searching !== undefined, { timeout: 25_000 });
  expect(searching?.aborted).toBe(false);
  gone.abort();
  await expect(asking).rejects.toThrow(/abort/i);
  await vi.waitUntil(() => searching?.aborted, { timeout: 25_000 });
  await listening.close();
});

it.each(['/failures', '/operations', '/conversations/conv-1'])('%s is answered in time', async (url) => {
  const groups = async function* () {
    yield { failures: { groups: () => [], others: 5 }, looked: 7, position: { receivedAt: 1, id: EVENT.id } };
    return await never();
  };
  const lookups = { failures: { groups }, operations: { list: never }, conversations: { whole: never } };
  const answer = await aConsole({ lookups })(url);
  expect([answer.statusCode, answer.json().code, answer.json().looked]).toEqual([
    504,
    'timed_out',
    url === '/failures' ? 7 : undefined,
  ]);
});

it('failures until the time is over say how far back they go, and how many are in no group that is shown', async () => {
  const group = {
    fingerprint: '0123456789ab',
    code: 'c',
    pattern: 'p',
    count: 2,
    first: 0,
    last: 0,
    types: {},
    hours: [],
  };
  const all = Array.from({ length: 203 }, () => ({ ...group, example: { id: EVENT.id, message: '' }, known: null }));
  const groups = async function* () {
    yield { failures: { groups: () => all, others: 4 }, looked: 410, position: EVENT };
    return await never();
  };
  const answer = (await aConsole({ lookups: { failures: { groups } } })('/failures')).json();
  expect(answer).toMatchObject({ looked: 410, back_to: '2027-01-15T08:00:00.000Z', others: 10 });
  expect(answer.items).toHaveLength(200);
});

describe('a plan of a replay that Postgres does not count in time', () => {
  const plan = { method: 'POST', payload: { kind: 'replay', filter: { until: '2026-01-05T12:00:00Z' } } } as const;

  it('says how many there are at least, and how far it has counted back', async () => {
    const HOUR = 3_600_000;
    const ledger = {
      // What is longer than four hours takes it too long.
      async count({ since = 0, until = 0 }) {
        if (until - since > 4 * HOUR) throw storeError('timeout');
        if (until <= Date.UTC(2026, 0, 5, 5)) return never();
        return { total: 10, byType: { x: 10 }, byOutcome: { applied: 10 }, first: since, last: since };
      },
    };
    const answer = await aConsole({ lookups: { ledger } })('/operations/plan', plan);
    expect([answer.statusCode, answer.json()]).toMatchObject([
      200,
      {
        total: 30,
        is_whole: false,
        text: 'At least 30 events (30 applied) match, counted back to 2026-01-05T05:00:00.000Z: then the time was over. All that match would go through the worker again, older ones as well. What is applied already changes nothing.',
        parts: [{ counts: { applied: 30 } }, { counts: { x: 30 } }],
      },
    ]);
  });

  it('says what was found of a text until then', async () => {
    let pages = 0;
    const page = Array.from({ length: 64 }, (_, i) => ({
      ...EVENT,
      id: idOf(i),
      receivedAt: EVENT.receivedAt - i,
      storedBytes: 20,
    }));
    const ledger = { page: () => ((pages += 1) === 1 ? Promise.resolve(page) : never()), bodies };
    const payload = { kind: 'replay', filter: { text: 'word' } };
    const answer = await aConsole({ lookups: { ledger } })('/operations/plan', { method: 'POST', payload });
    expect(answer.json()).toMatchObject({
      total: 1,
      is_whole: false,
      text: expect.stringMatching(/^At least 1 event /),
    });
  });

  it('is a fault where nothing was counted', async () => {
    const answer = await aConsole({ lookups: { ledger: { count: never } } })('/operations/plan', plan);
    expect([answer.statusCode, answer.json().code]).toEqual([504, 'timed_out']);
  });
});

describe('a fault', () => {
  it.each([
    ['connection', 503, 'unavailable', /^Postgres does not answer.* Start it\.$/],
    ['resources', 503, 'unavailable', /^Postgres does not answer/],
    ['configuration', 503, 'unavailable', /READER_DATABASE_URL/],
    ['timeout', 504, 'timed_out', /in time/],
    ['data', 400, 'invalid', /cannot read/],
  ] satisfies [FaultClass, number, string, RegExp][])(
    'of Postgres, %s, is answered %i',
    async (kind, status, code, message) => {
      const answer = await aConsole({ lookups: failing(storeError(kind)) })('/operations');
      expect([answer.statusCode, answer.json()]).toEqual([status, { code, message: expect.stringMatching(message) }]);
      expect(answer.headers['retry-after']).toBe(status === 503 ? '5' : undefined);
    },
  );

  it('of Redis leaves nothing changed, and says so', async () => {
    const ask = aConsole({ send: rejecting(new QueueUnavailableError('away')) });
    const payload = { kind: 'replay', filter: {} };
    const answer = await ask('/operations', { method: 'POST', payload });
    expect([answer.statusCode, answer.json().message]).toEqual([
      503,
      expect.stringMatching(/^Redis .*nothing was changed/),
    ]);
    expect((await ask('/failures/0123456789ab', { method: 'PUT', payload: { known: true } })).statusCode).toBe(503);
  });

  it('of Postgres does not keep an operation from being asked for', async () => {
    const sent: unknown[] = [];
    const ask = aConsole({
      lookups: failing(storeError('connection')),
      send: async (request) => void sent.push(request),
    });
    const calls = [
      { kind: 'erase', by: 'user', value: 'somebody' },
      { kind: 'fetch-conversation', conversation: 'conv-1' },
    ];
    for (const payload of calls) {
      expect((await ask('/operations', { method: 'POST', payload })).statusCode).toBe(202);
    }
    expect(sent).toMatchObject(calls.map(({ kind }) => ({ do: 'start', kind })));
    expect(JSON.stringify(lines)).toContain('"url":"/api/v1/operations"');
    expect(JSON.stringify(lines)).not.toContain('somebody');
  });

  it('is that no database was named: the rest works', async () => {
    const ask = aConsole({});
    for (const url of ['/events', '/conversations/x', '/failures', '/rejected', '/operations']) {
      const answer = await ask(url);
      expect([answer.statusCode, answer.json().message]).toEqual([503, expect.stringContaining('READER_DATABASE_URL')]);
    }
    const { redis, postgres, now } = (await ask('/overview')).json();
    expect([redis.ok, postgres, now]).toEqual([
      false,
      { ok: false, message: expect.stringContaining('READER_DATABASE_URL') },
      null,
    ]);
  });

  it('that many pages meet is logged once', async () => {
    const ask = aConsole({ lookups: failing(storeError('connection')) });
    for (let i = 0; i < 3; i += 1) expect((await ask(`/rejected/${EVENT.id}`)).statusCode).toBe(503);
    expect(lines).toMatchObject([{ msg: 'Dashboard request failed', url: '/api/v1/rejected/:id', status: 503 }]);
  });

  it('of ours is answered 500, and no line of the log says what was asked for', async () => {
    const ask = aConsole({ lookups: failing(new TypeError('of somebody')) });
    await expect(ask('/events?user=somebody')).rejects.toThrow(/user=somebody.*500/);
    expect(lines).toMatchObject([
      { level: 50, msg: 'A route of the API has a fault', name: 'TypeError' },
      { level: 50, msg: 'Dashboard request failed', url: '/api/v1/events', status: 500 },
    ]);
    expect(JSON.stringify(lines)).not.toContain('somebody');
  });
});

function idOf(i: number): string {
  return `0f0e0d0c-0b0a-0908-0706-0504030201${String(i).padStart(2, '0')}`;
}
