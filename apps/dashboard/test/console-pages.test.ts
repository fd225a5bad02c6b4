import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { createApp } from '../src/app.ts';

const login = { user: 'admin', password: 'correct horse battery' };
const authorization = `Basic ${Buffer.from(`${login.user}:${login.password}`).toString('base64')}`;
const NONE = "'none'";

let folder = '';
let app: ReturnType<typeof createApp>;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'landline-pages-'));
  await mkdir(join(folder, 'assets'));
  await writeFile(join(folder, 'index.html'), '<!doctype html><title>Landline</title>');
  await writeFile(join(folder, 'favicon.svg'), '<svg/>');
  await writeFile(join(folder, 'assets/main-1a2b.js'), 'export {}');
  app = createApp({ shards: () => [], login, pagesFolder: folder });
});
afterAll(async () => {
  await app.close();
  await rm(folder, { recursive: true });
});

const ask = (url: string, headers: Record<string, string> = { authorization }) => app.inject({ url, headers });

it.each(['/', '/events?type=x.y', '/conversations/conv_1', '/conversations/a.b', '/rejected', '/any/page'])(
  '%s is a page of the console',
  async (url) => {
    const answer = await ask(url);
    expect([answer.statusCode, answer.headers['content-type']]).toEqual([200, 'text/html; charset=utf-8']);
    expect(answer.body).toContain('<title>Landline');
    expect(answer.headers['cache-control']).toBe('no-store');
    const policy = String(answer.headers['content-security-policy']);
    expect(policy).toContain(`default-src ${NONE}; script-src 'self'; style-src 'self';`);
    expect(policy).not.toContain('unsafe');
  },
);

it('keeps the files whose names have a hash, and nothing else', async () => {
  const script = await ask('/assets/main-1a2b.js');
  expect([script.statusCode, script.body]).toEqual([200, 'export {}']);
  expect(script.headers).toMatchObject({
    'cache-control': 'private, max-age=31536000, immutable',
    'content-type': expect.stringContaining('javascript'),
  });
  expect((await ask('/favicon.svg')).headers['cache-control']).toBe('no-store');
  expect((await ask('/assets/none.js')).headers['cache-control']).toBe('no-store');
});

it('packs scripts for a browser that takes them so', async () => {
  const headers = { authorization, 'accept-encoding': 'gzip, deflate, br' };
  for (const _ of [1, 2]) {
    const packed = await ask('/assets/main-1a2b.js', headers);
    expect(packed.headers).toMatchObject({ 'content-encoding': 'gzip', vary: 'accept-encoding' });
    expect(gunzipSync(packed.rawPayload).toString()).toBe('export {}');
    expect(packed.headers['cache-control']).toContain('immutable');
  }
  expect((await ask('/favicon.svg', headers)).headers['content-encoding']).toBeUndefined();
  expect((await ask('/assets/none.js', headers)).statusCode).toBe(404);
});

it.each(['/api/x', '/api', '/api/v1/events', '/queues/x/y', '/metrics/x', '/none.js', '/assets/none.js', '/../x.js'])(
  '%s is not there',
  async (url) => {
    const answer = await ask(url);
    expect([url, answer.statusCode, answer.json().code]).toEqual([url, 404, 'not_found']);
  },
);

it('is not given without the login', async () => {
  for (const url of ['/', '/assets/main-1a2b.js', '/favicon.svg']) expect((await ask(url, {})).statusCode).toBe(401);
});

it('says where the pages were not built', async () => {
  const without = createApp({ shards: () => [], login, pagesFolder: join(folder, 'none') });
  const answer = await without.inject({ url: '/', headers: { authorization } });
  expect([answer.statusCode, answer.json().message]).toEqual([503, expect.stringContaining('npm run build')]);
  await without.close();
});
