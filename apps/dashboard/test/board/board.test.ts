import { randomUUID } from 'node:crypto';
import {
  createConsumer,
  createDeadLetters,
  createRequestConsumer,
  DEAD_LETTER_QUEUE,
  openQueues,
  REQUESTS_QUEUE,
  WEBHOOK_QUEUE,
} from '@landline/queue';
import { afterAll, beforeAll, describe, expect, inject, it, vi } from 'vitest';
import { createApp } from '../../src/app.ts';
import { changesState, routesOf, type Route } from './routes.ts';

const login = { user: 'admin', password: 'correct horse battery' };
const authorization = basic(login.user, login.password);
const redisUrl = inject('redisUrl');
const prefix = `{dashboard-${randomUUID()}}`;

const event = { receivedAt: 1, signedAt: 1, secretId: 'test', encoding: 'utf8' as const, body: '{"said": "hello"}' };
const deadId = randomUUID();
const jobId = `dead-${deadId}`;

const queues = openQueues({ redisUrl, prefix });
const deadLetters = createDeadLetters({ redisUrl, prefix });
const app = createApp({ shards: () => [queues], login });
let routes: Route[] = [];
let cause: Error | undefined = new Error('the cause is still there');

const consumer = createConsumer({
  redisUrl,
  prefix,
  queue: DEAD_LETTER_QUEUE,
  concurrency: 1,
  process: async () => {
    if (cause) throw cause;
  },
});

function basic(user: string, password: string): string {
  return `Basic ${Buffer.from(`${user}:${password}`).toString('base64')}`;
}

/** Sends each request from an address of its own: the app refuses an address after ten failed logins. */
let address = 0;
function send(route: Route, headers: Record<string, string>) {
  address += 1;
  return app.inject({ ...route, headers, remoteAddress: `10.0.${address >> 8}.${address & 255}` });
}

function from(remoteAddress: string, given?: string) {
  return app.inject({ url: '/metrics', remoteAddress, headers: given === undefined ? {} : { authorization: given } });
}

function change(url: string, payload?: object) {
  return app.inject({ method: 'PUT', url, headers: { authorization }, ...(payload && { payload }) });
}

async function deadLetter() {
  const job = await queues.deadLetters.getJob(jobId);
  return { state: await job?.getState(), data: job?.data, failedReason: job?.failedReason };
}

async function untilFailed(): Promise<void> {
  await vi.waitFor(async () => expect((await deadLetter()).state).toBe('failed'), { timeout: 20_000 });
}

beforeAll(async () => {
  routes = await routesOf(app, { queueName: DEAD_LETTER_QUEUE, jobId });
  await deadLetters.add([{ id: deadId, event }]);
  await queues.events.add('events', { v: 1, events: [event] });
  consumer.start();
  await untilFailed();
});

afterAll(async () => {
  await app.close();
  await consumer.close({ timeoutMs: 2000 });
  await deadLetters.close();
  await Promise.all([queues.events.obliterate({ force: true }), queues.deadLetters.obliterate({ force: true })]);
  await queues.close();
});

describe('login', () => {
  const strangers: Route[] = [
    { method: 'GET', url: '/nowhere' },
    { method: 'GET', url: '/queues/static/js/none.js' },
    { method: 'DELETE', url: '/queues/api/queues' },
    { method: 'OPTIONS', url: '/queues/api/queues/pause' },
  ];

  it('is asked for on every route, and on unknown paths', async () => {
    expect(routes.filter(changesState).length).toBeGreaterThan(20);
    expect(routes.length).toBeGreaterThan(50);
    for (const route of [...routes, ...strangers]) {
      for (const headers of [
        {},
        { authorization: basic('admin', 'wrong') },
        { authorization: basic('x', login.password) },
      ]) {
        const answer = await send(route, headers);
        expect.soft([route, answer.statusCode]).toEqual([route, 401]);
        expect.soft(answer.headers['www-authenticate']).toBe('Basic realm="Landline", charset="UTF-8"');
        expect.soft(answer.body).not.toContain('hello');
      }
    }
  });

  it('is refused for an address that has guessed ten times, also with the right password', async () => {
    for (let i = 0; i < 10; i += 1) {
      expect((await from('192.0.2.1', basic('admin', `guess ${i}`))).statusCode).toBe(401);
    }
    const refused = await from('192.0.2.1', authorization);
    expect([refused.statusCode, refused.json().code]).toEqual([429, 'too_many_logins']);
    expect(refused.headers['retry-after']).toMatch(/^([1-9]|[1-5]\d|60)$/);
    expect((await from('192.0.2.1')).statusCode).toBe(401);
    expect((await from('192.0.2.2', authorization)).statusCode).toBe(200);
  });

  it('says nothing of a path that cannot be decoded', async () => {
    const answer = await send({ method: 'GET', url: '/%' }, {});
    expect([answer.statusCode, answer.body]).toEqual([400, '']);
  });

  it('opens the board', async () => {
    const page = await send({ method: 'GET', url: '/queues' }, { authorization });
    expect([page.statusCode, page.headers['content-type']]).toEqual([200, 'text/html; charset=utf-8']);
    const shown = await send(
      { method: 'GET', url: `/queues/api/queues/${DEAD_LETTER_QUEUE}/${jobId}` },
      { authorization },
    );
    expect(shown.json()).toMatchObject({ job: { id: jobId, failedReason: 'the cause is still there' } });
  });
});

describe('every answer', () => {
  it.each([
    ['the page', '/queues', { authorization }, 200],
    ['the data', '/queues/api/queues', { authorization }, 200],
    ['a file', '/queues/static/favicon.ico', { authorization }, 200],
    ['nothing there', '/api/nowhere', { authorization }, 404],
    ['a refused login', '/', {}, 401],
    ['a bad path', '/%', {}, 400],
  ])('%s is neither cached nor framed nor sniffed', async (_what, url, headers, status) => {
    const answer = await send({ method: 'GET', url }, headers);
    expect(answer.statusCode).toBe(status);
    expect(answer.headers).toMatchObject({
      'cache-control': 'no-store',
      'x-frame-options': 'DENY',
      'x-content-type-options': 'nosniff',
      'cross-origin-opener-policy': 'same-origin',
      'referrer-policy': 'no-referrer',
      'content-security-policy': expect.stringMatching(/^default-src 'none';.*frame-ancestors 'none'$/),
    });
    expect(answer.headers['access-control-allow-origin']).toBeUndefined();
  });
});

describe('changes', () => {
  it('are refused on every route when another site asks for them', async () => {
    const before = await deadLetter();
    for (const route of routes.filter(changesState)) {
      for (const marks of [{ 'sec-fetch-site': 'cross-site' }, { origin: 'https://evil.example' }]) {
        const answer = await send(route, { authorization, ...marks });
        expect.soft([route, answer.statusCode]).toEqual([route, 403]);
        expect.soft(answer.json()).toMatchObject({ code: 'cross_site' });
      }
    }
    expect(await deadLetter()).toEqual(before);
    expect(await queues.events.isPaused()).toBe(false);
  });

  it.each([
    ['delete a dead letter', `/queues/api/queues/${DEAD_LETTER_QUEUE}/${jobId}/clean`, undefined],
    ['clean the dead letters', `/queues/api/queues/${DEAD_LETTER_QUEUE}/clean/failed`, undefined],
    ['empty the dead letters', `/queues/api/queues/${DEAD_LETTER_QUEUE}/empty`, undefined],
    ['obliterate the dead letters', `/queues/api/queues/${DEAD_LETTER_QUEUE}/obliterate`, { force: true }],
    ['empty the events', `/queues/api/queues/${WEBHOOK_QUEUE}/empty`, undefined],
    ['clean the events', `/queues/api/queues/${WEBHOOK_QUEUE}/clean/wait`, undefined],
    ['obliterate the events', `/queues/api/queues/${WEBHOOK_QUEUE}/obliterate`, { force: true }],
    ['throttle the events', `/queues/api/queues/${WEBHOOK_QUEUE}/concurrency`, { concurrency: 0 }],
  ])('that lose something are refused: %s', async (_what, url, payload) => {
    const before = await deadLetter();
    // BullMQ obliterates only a paused queue, so the queue is paused: the refusal must be that of the dashboard.
    await Promise.all([queues.events.pause(), queues.deadLetters.pause()]);
    const answer = await change(url, payload);
    await Promise.all([queues.events.resume(), queues.deadLetters.resume()]);
    expect(answer.statusCode).toBe(403);
    expect(answer.json()).toMatchObject({ message: expect.stringContaining('nothing is dropped in silence') });
    expect(await deadLetter()).toEqual(before);
    expect(await queues.events.getWaitingCount()).toBe(1);
  });

  it.each([
    ['forge an event', 'POST' as const, `/queues/api/queues/${WEBHOOK_QUEUE}/add`, { name: 'events', data: {} }],
    [
      'change what was said',
      'PATCH' as const,
      `/queues/api/queues/${DEAD_LETTER_QUEUE}/${jobId}/update-data`,
      { jobData: {} },
    ],
  ])('that falsify something are refused: %s', async (_what, method, url, payload) => {
    const answer = await app.inject({ method, url, headers: { authorization }, payload });
    expect(answer.statusCode).toBe(403);
    expect((await deadLetter()).data).toEqual({ v: 1, events: [event] });
    expect(await queues.events.getWaitingCount()).toBe(1);
  });

  it('that lose nothing are allowed: pause and resume', async () => {
    expect((await change(`/queues/api/queues/${WEBHOOK_QUEUE}/pause`)).statusCode).toBe(200);
    expect(await queues.events.isPaused()).toBe(true);
    expect((await change(`/queues/api/queues/${WEBHOOK_QUEUE}/resume`)).statusCode).toBe(200);
    expect(await queues.events.isPaused()).toBe(false);
  });

  it('retry asks once more for what somebody asked for in the console, and failed', async () => {
    let isAtFault = true;
    const requests = createRequestConsumer({
      redisUrl,
      prefix,
      concurrency: 1,
      onUnreadable: () => undefined,
      process: () => (isAtFault ? Promise.reject(new Error('the cause')) : Promise.resolve()),
    });
    requests.start();
    const data = { v: 1, request: { do: 'cancel', id: randomUUID() } };
    const counts = () => requests.counts();
    try {
      const one = await queues.requests.add('request', data, { attempts: 1, removeOnComplete: true });
      await queues.requests.add('request', data, { attempts: 1, removeOnComplete: true });
      await vi.waitFor(async () => expect(await counts()).toMatchObject({ failed: 2 }), { timeout: 20_000 });
      isAtFault = false;
      const path = `/queues/api/queues/${REQUESTS_QUEUE}`;
      expect((await change(`${path}/${one.id}/retry`)).statusCode).toBe(204);
      await vi.waitFor(async () => expect(await counts()).toMatchObject({ failed: 1 }), { timeout: 20_000 });
      expect((await change(`${path}/retry/failed`)).statusCode).toBe(200);
      const none = { waiting: 0, active: 0, delayed: 0, failed: 0 };
      await vi.waitFor(async () => expect(await counts()).toEqual(none), { timeout: 20_000 });
    } finally {
      await requests.close({ timeoutMs: 2_000 });
    }
  });

  it('retry applies a dead letter again: it comes back while the cause is there, and is gone after', async () => {
    cause = new Error('another cause');
    expect((await change(`/queues/api/queues/${DEAD_LETTER_QUEUE}/${jobId}/retry`)).statusCode).toBe(204);
    await vi.waitFor(
      async () => expect(await deadLetter()).toMatchObject({ state: 'failed', failedReason: 'another cause' }),
      { timeout: 20_000 },
    );

    cause = undefined;
    expect((await change(`/queues/api/queues/${DEAD_LETTER_QUEUE}/retry/failed`)).json()).toEqual({
      retried: 1,
      skipped: 0,
    });
    await vi.waitFor(async () => expect(await queues.deadLetters.getJob(jobId)).toBeUndefined(), { timeout: 20_000 });
  });
});
