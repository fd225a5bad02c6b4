import { randomUUID } from 'node:crypto';
import { createLogger } from '@landline/process';
import { openQueues } from '@landline/queue';
import { afterAll, beforeEach, expect, inject, it } from 'vitest';
import { createApp } from '../../src/app.ts';

const login = { user: 'admin', password: 'correct horse battery' };
const right = basic(login.password);
const queues = openQueues({ redisUrl: inject('redisUrl'), prefix: `{dashboard-${randomUUID()}}` });

let isAway = false;
let lines: object[] = [];
const destination = { write: (line: string) => void lines.push(JSON.parse(line)) };
const shown = { ...queues, ping: async () => (isAway ? Promise.reject(new Error('no answer')) : queues.ping()) };
const app = createApp({
  shards: () => [shown],
  login,
  logger: createLogger({ name: 'dashboard', level: 'info', destination }),
});

beforeEach(() => {
  isAway = false;
  lines = [];
});
afterAll(async () => {
  await app.close();
  await queues.events.obliterate({ force: true });
  await queues.close();
});

function basic(password: string): string {
  return `Basic ${Buffer.from(`${login.user}:${password}`).toString('base64')}`;
}

function send(method: 'GET' | 'PUT', url: string, { authorization = right, remoteAddress = '192.0.2.7' } = {}) {
  return app.inject({ method, url, headers: { authorization }, remoteAddress });
}

it('logs a change with its address and its status, and no read', async () => {
  await send('GET', '/queues/api/queues');
  expect(lines).toEqual([]);
  await send('PUT', '/queues/api/queues/webhook-events/pause');
  await send('PUT', '/queues/api/queues/webhook-events/empty');
  expect(lines).toMatchObject([
    { level: 30, msg: 'Dashboard action', method: 'PUT', url: '/queues/api/queues/webhook-events/pause', status: 200 },
    { level: 30, msg: 'Dashboard action', method: 'PUT', url: '/queues/api/queues/webhook-events/empty', status: 403 },
  ]);
  expect(lines).toMatchObject([{ address: '192.0.2.7' }, { address: '192.0.2.7' }]);
});

it('logs a request that failed as an error', async () => {
  isAway = true;
  expect((await send('GET', '/queues/api/queues')).statusCode).toBe(503);
  expect(lines).toMatchObject([
    { level: 50, msg: 'Dashboard request failed', method: 'GET', url: '/queues/api/queues', status: 503 },
  ]);
});

it('logs each refused login with its address and without the password, and the tenth as an error', async () => {
  const remoteAddress = '192.0.2.8';
  for (let i = 0; i < 12; i += 1) {
    // oxlint-disable-next-line no-await-in-loop -- one guess after the other
    await send('PUT', '/queues/api/queues/pause', { authorization: basic(`guess ${i}`), remoteAddress });
  }
  const refused = { level: 40, msg: 'Dashboard login refused', address: remoteAddress };
  expect(lines).toMatchObject([
    ...Array.from({ length: 10 }, () => refused),
    { level: 50, msg: 'Dashboard logins of this address are refused for a minute', address: remoteAddress },
  ]);
  expect(JSON.stringify(lines)).not.toMatch(/guess|Z3Vlc3/);
});
