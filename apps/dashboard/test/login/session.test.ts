import { once } from 'node:events';
import { IncomingMessage, request } from 'node:http';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { createApp } from '../../src/app.ts';
import { createSessions } from '../../src/login/session.ts';

const login = { user: 'admin', password: 'correct horse battery' };
const apiToken = 'a-token-of-scripts';
const basic = `Basic ${Buffer.from(`${login.user}:${login.password}`).toString('base64')}`;
const HOUR_MS = 3_600_000;
const OPENS = { 'sec-fetch-mode': 'navigate', 'sec-fetch-dest': 'document', accept: 'text/html' };
const FETCHES = { 'sec-fetch-mode': 'cors', 'sec-fetch-dest': 'empty' };

let now = 1_800_000_000_000;
let app: ReturnType<typeof createApp>;
let pagesFolder = '';

beforeAll(async () => {
  pagesFolder = await mkdtemp(join(tmpdir(), 'landline-pages-'));
  await writeFile(join(pagesFolder, 'index.html'), '<!doctype html>');
  app = createApp({ shards: () => [], login, apiToken, now: () => now, pagesFolder });
});
afterAll(async () => {
  await app.close();
  await rm(pagesFolder, { recursive: true });
});

let address = 0;
/** Each kind of wrong login is tried from an address of its own. */
let guessers = 0;
function ask(url: string, headers: Record<string, string>) {
  address += 1;
  return app.inject({ url, headers, remoteAddress: `10.1.${address >> 8}.${address & 255}` });
}

/** Opens a page as a browser that logs in, and returns its cookie. */
async function logIn(): Promise<string> {
  const answer = await ask('/events', { ...OPENS, authorization: basic });
  expect(answer.statusCode).toBe(200);
  const set = String(answer.headers['set-cookie']);
  expect(set).toMatch(/^landline_session_[\w-]{12}=\S+; Path=\/; HttpOnly; SameSite=Lax$/);
  return set.slice(0, set.indexOf(';'));
}

describe('a session', () => {
  it('begins when a browser logs in, is a login by itself, and ends after twelve hours', async () => {
    const cookie = await logIn();
    expect((await ask('/', { ...OPENS, cookie, authorization: basic })).headers['set-cookie']).toBeUndefined();
    now += 12 * HOUR_MS - 1;
    expect((await ask('/metrics', { ...FETCHES, cookie })).statusCode).toBe(200);
    now += 1;
    const fetched = await ask('/metrics', { ...FETCHES, cookie, authorization: basic });
    expect([fetched.statusCode, fetched.json().code]).toEqual([401, 'unauthorized']);
    expect([fetched.headers['www-authenticate'], fetched.headers['set-cookie']]).toEqual([undefined, undefined]);

    // Over plain http a browser says no more than what it takes.
    const plain = await ask('/metrics', { accept: '*/*', cookie, authorization: basic });
    expect([plain.statusCode, plain.headers['www-authenticate'], plain.headers['set-cookie']]).toEqual([
      401,
      undefined,
      undefined,
    ]);

    const opened = await ask('/', { accept: 'text/html', cookie, authorization: basic });
    expect(opened.statusCode).toBe(401);
    expect(opened.headers['www-authenticate']).toBe('Basic realm="Landline", charset="UTF-8"');
    expect(opened.headers['set-cookie']).toMatch(/^landline_session_[\w-]{12}=; .*Max-Age=0$/);
    expect(await logIn()).not.toBe(cookie);
  });

  it('is sent over https alone where the proxy says that the browser came so', async () => {
    for (const [proto, isSecure] of [
      ['https', true],
      ['HTTPS, http', true],
      ['http', false],
      ['http, https', false],
    ] as const) {
      const headers = { ...OPENS, authorization: basic, 'x-forwarded-proto': proto };
      const begun = await ask('/events', headers);
      expect.soft([proto, / Secure(;|$)/.test(String(begun.headers['set-cookie']))]).toEqual([proto, isSecure]);
    }
    const cookie = await logIn();
    const out = await ask('/sign-out', { ...OPENS, cookie, 'x-forwarded-proto': 'https' });
    expect(out.headers['set-cookie']).toMatch(/; Secure; Max-Age=0$/);
  });

  it('ends at once for who signs out, also for a copy of the cookie', async () => {
    const cookie = await logIn();
    const out = await ask('/sign-out', { ...OPENS, cookie, authorization: basic });
    expect([out.statusCode, out.headers['www-authenticate']]).toEqual([401, expect.stringContaining('Basic')]);
    expect(out.headers['set-cookie']).toContain('Max-Age=0');
    expect((await ask('/metrics', { cookie })).statusCode).toBe(401);

    const again = await ask('/sign-out', { ...OPENS, authorization: basic });
    expect([again.statusCode, again.headers.location]).toEqual([303, '/']);
    expect(again.headers['set-cookie']).toContain('landline_session_');
  });

  it('is not needed by a script, which gets none', async () => {
    const answer = await ask('/metrics', { authorization: basic });
    expect([answer.statusCode, answer.headers['set-cookie']]).toEqual([200, undefined]);
  });

  it('cannot be made, or made longer, without the password', async () => {
    const cookie = await logIn();
    const [name = '', value = ''] = cookie.split('=');
    const [endsAt, random, signature] = value.split('.');
    const forged = [`${Number(endsAt) + 1}.${random}.${signature}`, `${endsAt}.x.${signature}`, 'x', ''];
    for (const one of forged) {
      expect.soft([one, (await ask('/metrics', { cookie: `${name}=${one}` })).statusCode]).toEqual([one, 401]);
    }
    const [other = ''] = createSessions({ ...login, password: 'another password' })
      .begin()
      .cookie.split(';');
    expect((await ask('/metrics', { cookie: other })).statusCode).toBe(401);
    // It is that of another dashboard on this host.
    expect((await ask('/metrics', { cookie: other, authorization: basic })).statusCode).toBe(200);
  });
});

describe('a page that is open', () => {
  it('is never asked for the password', async () => {
    for (const headers of [FETCHES, { 'sec-fetch-mode': 'no-cors', 'sec-fetch-dest': 'audio' }]) {
      const answer = await ask('/metrics', headers);
      expect([answer.statusCode, answer.headers['www-authenticate']]).toEqual([401, undefined]);
    }
  });
});

/** Sends a request target as it is, and answers the status. */
async function askRaw(path: string, headers: Record<string, string>): Promise<number | undefined> {
  if (!app.server.listening) await app.listen({ port: 0, host: '127.0.0.1' });
  const { port } = z.object({ port: z.number() }).parse(app.server.address());
  const [answer] = z
    .tuple([z.instanceof(IncomingMessage)])
    .parse(await once(request({ host: '127.0.0.1', port, path, headers, agent: false }).end(), 'response'));
  answer.resume();
  return answer.statusCode;
}

function guess() {
  return closed('/api/v1/nowhere', { authorization: 'Bearer guess' });
}

/** Asks from the address of the one who guesses. */
function closed(url: string, headers: Record<string, string>) {
  return app.inject({ url, headers, remoteAddress: '192.0.2.10' });
}

describe('the token', () => {
  const bearer = { authorization: `Bearer ${apiToken}` };

  it('opens the API and nothing else', async () => {
    // There is no such route; who is not let in does not learn it.
    expect((await ask('/api/v1/nowhere', bearer)).statusCode).toBe(404);
    for (const url of ['/', '/metrics', '/queues', '/queues/api/queues', '/api/v10/x', '/api/v1x', '/sign-out']) {
      expect.soft([url, (await ask(url, bearer)).statusCode]).toEqual([url, 401]);
    }
  });

  it.each(['Bearer', 'Bearer ', 'Bearer another token', `Basic ${apiToken}`, `Bearer ${apiToken}x`])(
    'is refused as %j, and counted: after ten, the right password is refused as well',
    async (authorization) => {
      guessers += 1;
      const from = (headers: Record<string, string>) =>
        app.inject({ url: '/api/v1/nowhere', headers, remoteAddress: `198.51.100.${guessers}` });
      for (let i = 0; i < 10; i += 1) expect((await from({ authorization })).statusCode).toBe(401);
      expect((await from({ authorization: basic })).statusCode).toBe(429);
    },
  );

  it('is not guessed more than ten times, and still opens the API for who has it, as a session does', async () => {
    const cookie = await logIn();
    for (let i = 0; i < 10; i += 1) expect((await guess()).statusCode).toBe(401);
    expect((await guess()).statusCode).toBe(429);
    expect((await closed('/api/v1/nowhere', bearer)).statusCode).toBe(404);
    // With a session no password is looked at, so none can be guessed there.
    for (const headers of [{ cookie }, { cookie, authorization: basic }, { cookie, authorization: 'Basic eDp5' }]) {
      expect((await closed('/metrics', headers)).statusCode).toBe(200);
    }
    // The right password alone is answered as a wrong one.
    for (const authorization of [basic, 'Basic eDp5']) {
      const refused = await closed('/metrics', { ...OPENS, authorization });
      expect([refused.statusCode, refused.json().code]).toEqual([429, 'too_many_logins']);
    }
    expect((await closed('/metrics', bearer)).statusCode).toBe(429);
  });

  it.each([
    '/%61pi/v1/nowhere',
    '/api/%761/nowhere',
    '/api%2Fv1/nowhere',
    'http://dashboard.example/api/v1/nowhere',
    'http://dashboard.example/%61pi/v1/nowhere?x=1',
  ])('and the rules of the API are the same for the spelling %s', async (url) => {
    // The raw request target: `inject` would tidy it.
    const spelled = (headers: Record<string, string>) => askRaw(url, headers);
    expect(await spelled({})).toBe(401);
    expect(await spelled({ authorization: 'Bearer x' })).toBe(401);
    expect(await spelled(bearer)).toBe(404);
    expect(await spelled({ ...bearer, 'sec-fetch-site': 'cross-site' })).toBe(403);
    expect(await spelled({ authorization: basic, origin: 'https://evil.example' })).toBe(403);
  });

  it('is none where there is none', async () => {
    const without = createApp({ shards: () => [], login });
    for (const authorization of ['Bearer', 'Bearer ', 'Bearer x']) {
      expect((await without.inject({ url: '/api/v1/nowhere', headers: { authorization } })).statusCode).toBe(401);
    }
    await without.close();
  });
});
