import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openConsole, type AConsole } from './support/a-console.ts';
import { ROUTES } from './support/check-answer.ts';
import { apply, transcript } from './support/filled.ts';

/** How many queries are tried; FUZZ=whole tries many, which takes some minutes. */
const RUNS = process.env['FUZZ'] === 'whole' ? 3_000 : 60;

const UUID = '0f0e0d0c-0b0a-0908-0706-050403020100';
const PARAMETERS: Readonly<Record<string, string>> = { fingerprint: '0123456789ab', sha256: 'a'.repeat(64) };
const all = ROUTES.map(({ method, path }) => ({
  method,
  url: `/api/v1${path.replace(/:(\w+)/g, (_, name: string) => PARAMETERS[name] ?? UUID)}`,
}));
const changes = all.filter(({ method }) => method !== 'GET');

let console_: AConsole;
beforeAll(async () => {
  console_ = await openConsole();
  await apply(console_.store, [transcript('conv-1')]);
});
afterAll(() => console_.close());

describe('every route', () => {
  it('is there', () => {
    expect(all.map(({ method, url }) => `${method} ${url.replace('/api/v1', '')}`).toSorted()).toEqual([
      `GET /conversations`,
      `GET /conversations/${UUID}`,
      `GET /conversations/${UUID}/messages`,
      `GET /conversations/${UUID}/recordings/${PARAMETERS['sha256']}`,
      `GET /conversations/${UUID}/tool-calls`,
      `GET /events`,
      `GET /events/${UUID}`,
      `GET /events/${UUID}/body`,
      `GET /failures`,
      `GET /openapi.json`,
      `GET /operations`,
      `GET /operations/${UUID}`,
      `GET /overview`,
      `GET /provider`,
      `GET /rejected`,
      `GET /rejected/${UUID}`,
      `GET /session`,
      `POST /operations`,
      `POST /operations/${UUID}/cancel`,
      `POST /operations/plan`,
      `PUT /failures/0123456789ab`,
    ]);
  });

  it('is closed without the login, and open with the token', async () => {
    for (const [i, route] of all.entries()) {
      const remoteAddress = `10.2.0.${i}`;
      for (const headers of [{}, { authorization: 'Bearer a-token-of-strangers' }, { authorization: 'Basic eDp5' }]) {
        const answer = await console_.app.inject({ ...route, headers, remoteAddress });
        expect.soft([route, answer.statusCode, answer.json().code]).toEqual([route, 401, 'unauthorized']);
      }
      const headers = { authorization: 'Bearer a-token-of-scripts' };
      const answer = await console_.app.inject({ ...route, headers, remoteAddress });
      expect.soft([route, [200, 400, 404].includes(answer.statusCode)]).toEqual([route, true]);
    }
  });

  it('refuses what another site asks for', async () => {
    expect(changes).toHaveLength(4);
    for (const { method, url } of all) {
      for (const marks of [{ 'sec-fetch-site': 'cross-site' }, { origin: 'https://evil.example' }]) {
        const payload = method === 'GET' ? {} : { payload: { kind: 'replay', filter: {}, known: true } };
        const answer = await console_.ask(url.replace('/api/v1', ''), { method, headers: marks, ...payload });
        expect.soft([url, answer.statusCode, answer.json().code]).toEqual([url, 403, 'cross_site']);
      }
    }
    expect(await console_.queues.shards()[0]?.requests.count()).toBe(0);
  });

  it.each(['/%61pi/v1/session', '/api/%761/session'])('has the same rules by another spelling: %s', async (url) => {
    const statusOf = async (headers: Record<string, string>) =>
      (await console_.app.inject({ url, headers, remoteAddress: '10.3.0.1' })).statusCode;
    const authorization = 'Bearer a-token-of-scripts';
    expect(await statusOf({})).toBe(401);
    expect(await statusOf({ authorization })).toBe(200);
    expect(await statusOf({ authorization, 'sec-fetch-site': 'cross-site' })).toBe(403);
  });

  it.each(['{', '[]', '"x"', 'null', '', '{"known":1}', '{"known":true,"x":1}', `{"x":"${'x'.repeat(70_000)}"}`])(
    'refuses a body that cannot be meant: %.20s',
    async (payload) => {
      const headers = { 'content-type': 'application/json' };
      for (const { method, url } of changes.filter((change) => !change.url.endsWith('/cancel'))) {
        const answer = await console_.ask(url.replace('/api/v1', ''), { method, payload, headers });
        expect([url, [400, 413].includes(answer.statusCode)]).toEqual([url, true]);
        expect(answer.json()).toEqual({ code: 'invalid', message: expect.any(String) });
      }
    },
  );

  it('refuses a body of another type, as the description says', async () => {
    const { paths } = (await console_.ask('/openapi.json')).json();
    for (const { method, url } of changes) {
      const headers = { 'content-type': 'text/plain' };
      const answer = await console_.ask(url.replace('/api/v1', ''), { method, payload: 'x', headers });
      expect([url, answer.statusCode, answer.json().code]).toEqual([url, 415, 'invalid']);
    }
    for (const [path, methods] of Object.entries<Record<string, { responses: object }>>(paths)) {
      for (const [method, { responses }] of Object.entries(methods)) {
        const has = [413, 415, 500].filter((status) => status in responses);
        expect.soft([method, path, has]).toEqual([method, path, method === 'get' ? [500] : [413, 415, 500]]);
      }
    }
  });

  it('takes an id of a conversation of as many characters as the ledger does', async () => {
    for (const id of ['a'.repeat(256), 'م'.repeat(256), 'a'.repeat(257), 'a'.repeat(1_000)]) {
      const status = id.length === 256 ? 404 : 400;
      for (const below of ['', '/messages', '/tool-calls', `/recordings/${'a'.repeat(64)}`]) {
        const answer = await console_.ask(`/conversations/${encodeURIComponent(id)}${below}`);
        expect.soft([id.length, below, answer.statusCode]).toEqual([id.length, below, status]);
      }
    }
  });

  it('answers a path that is none with 404, and tells who asks', async () => {
    const none = await console_.ask('/nowhere');
    expect([none.statusCode, none.json().code]).toEqual([404, 'not_found']);
    expect((await console_.ask('/session')).json()).toEqual({ user: 'admin', ends_at: null });
    const headers = { authorization: 'Bearer a-token-of-scripts' };
    expect((await console_.ask('/session', { headers })).json()).toEqual({ user: 'API token', ends_at: null });
  });
});

describe('the description', () => {
  it('has every route, every word, and no reference that leads nowhere', async () => {
    const document = (await console_.ask('/openapi.json')).json();
    expect(document.openapi).toBe('3.1.0');
    const described = Object.entries<Record<string, unknown>>(document.paths).flatMap(([path, methods]) =>
      Object.keys(methods).map((method) => `${method.toUpperCase()} ${path}`),
    );
    const registered = ROUTES.map(({ method, path }) => `${method} ${path.replace(/:(\w+)/g, '{$1}')}`);
    expect(described.toSorted()).toEqual(registered.toSorted());
    const { parameters, responses } = document.paths['/events'].get;
    expect(parameters.map(({ name }: { name: string }) => name)).toEqual([
      'type',
      'outcome',
      'origin',
      'conversation',
      'agent',
      'user',
      'number',
      'since',
      'until',
      'text',
      'error',
      'fingerprint',
      'cursor',
      'limit',
    ]);
    expect(responses['504'].content['application/json'].schema.properties).toHaveProperty('back_to');
    const references = [...JSON.stringify(document).matchAll(/"\$ref":"([^"]+)"/g)].map(([, to]) => to);
    expect([...new Set(references)]).toEqual(['#/components/schemas/Fault']);
    const ids = [...JSON.stringify(document).matchAll(/"operationId":"([^"]+)"/g)].map(([, id]) => id);
    expect(new Set(ids).size).toBe(ROUTES.length);
  });
});

describe('a query of whatever words', { timeout: 30_000 + RUNS * 100 }, () => {
  const names = fc.constantFrom(
    'type',
    'outcome',
    'origin',
    'conversation',
    'agent',
    'user',
    'number',
    'since',
    'until',
    'text',
    'error',
    'fingerprint',
    'cursor',
    'limit',
    'status',
    'language',
    'channel',
    'completeness',
    'min_duration',
    'max_duration',
    'cause',
    'series',
    '__proto__',
    'constructor',
    '',
  );
  const cursors = fc
    .tuple(
      fc.constantFrom('events', 'conversations', 'rejected', 'operations', 'messages', 'tool-calls'),
      fc.oneof(fc.double(), fc.integer()),
      fc.oneof(fc.uuid(), fc.string({ unit: 'binary' }), fc.constant('conv-1')),
    )
    .map((place) => Buffer.from(JSON.stringify(place)).toString('base64url'));
  const values = fc.oneof(
    fc.string({ unit: 'binary' }),
    fc.constantFrom('2h', '7d', '2026-01-05T09:00:00Z', '999999999d', 'dead', 'applied', '1', '200', '-1', '1e9', '\0'),
    fc.constantFrom('%', "'; DROP TABLE webhook_events", '\ud800', '+1', 'ar-EG', '9'.repeat(40), 'ü'.repeat(300)),
    cursors,
  );
  const queries = fc.array(fc.tuple(names, values), { maxLength: 4 });
  const paths = fc.constantFrom(
    '/events',
    '/conversations',
    '/conversations/conv-1/messages',
    '/conversations/conv-1/tool-calls',
    '/rejected',
    '/operations',
    '/overview',
    '/failures',
    '/provider',
  );
  const ids = fc.oneof(fc.string({ unit: 'binary', minLength: 1 }), fc.uuid(), fc.constant('conv-1'));

  it('is answered, and never by a fault of ours', async () => {
    await fc.assert(
      fc.asyncProperty(paths, queries, async (path, query) => {
        const words = new URLSearchParams(query.map(([name, value]): [string, string] => [name, value.toWellFormed()]));
        const answer = await console_.ask(`${path}?${words.toString()}`);
        expect([200, 400]).toContain(answer.statusCode);
      }),
      { numRuns: RUNS },
    );
  });

  it('nor is a path of whatever id', async () => {
    const below = fc.constantFrom('/events/', '/conversations/', '/rejected/', '/operations/');
    await fc.assert(
      fc.asyncProperty(below, ids, async (path, id) => {
        const answer = await console_.app.inject({
          url: `/api/v1${path}${encodeURIComponent(id.toWellFormed())}`,
          headers: { authorization: 'Bearer a-token-of-scripts' },
        });
        expect([200, 400, 404]).toContain(answer.statusCode);
      }),
      { numRuns: RUNS },
    );
  });

  it('nor is a plan of whatever words', async () => {
    await fc.assert(
      fc.asyncProperty(fc.constantFrom('replay', 'readmit', 'reconcile'), queries, async (kind, query) => {
        const payload = { kind, filter: Object.fromEntries(query) };
        const answer = await console_.ask('/operations/plan', { method: 'POST', payload });
        expect([200, 400]).toContain(answer.statusCode);
      }),
      { numRuns: RUNS },
    );
  });
});
