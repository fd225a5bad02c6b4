import { afterAll, afterEach, beforeEach, describe, expect, it, vi, type MockInstance } from 'vitest';
import { z } from 'zod';
import type { Lookups } from '@landline/store';
import type { ApiPorts } from '../../src/api/ports.ts';
import { createApp } from '../../src/app.ts';
import { askApi, AUTHORIZATION, LOGIN } from './support/a-console.ts';

const SHA256 = 'a'.repeat(64);
const ID = '0f0e0d0c-0b0a-0908-0706-050403020100';
const URLS = [`/conversations/c/recordings/${SHA256}`, `/events/${ID}/body`, `/events/${ID}/body?limit=9`];
const BYTES = 10;

const recording = {
  eventId: ID,
  url: 'file:/x',
  contentType: 'audio/mpeg',
  bytes: BYTES,
  sha256: SHA256,
  createdAt: 0,
  storedAt: 0,
  deletedAt: null,
};
const event = { id: ID, bodyBytes: 2, reference: { eventId: ID, bytes: BYTES, bodyUrl: 'file:/y' }, recordings: [] };
const nobody = () => Promise.reject(new Error('nobody asks this'));

/** What the running test has in its storage. */
let read: ApiPorts['storage']['read'] = () => expect.unreachable();
const ports: ApiPorts = {
  lookups: z.custom<Lookups>().parse({
    conversations: { recordings: async () => [recording] },
    event: async () => event,
    eventBeginning: async () => event,
  }),
  queues: { overview: nobody },
  canary: { newest: nobody },
  journalHours: 24,
  activity: { minutes: nobody, now: nobody, processes: nobody },
  rebuilds: undefined,
  requests: { send: nobody, starts: nobody, start: nobody, withdraw: nobody },
  storage: { read: (url, options) => read(url, options) },
};
const app = createApp({ shards: () => [], login: LOGIN, console: ports });

/** Over when the running test says so: whether bytes come in time does not hang on how quick the machine is. */
let time = new AbortController();
let timeout: MockInstance<typeof AbortSignal.timeout>;
beforeEach(() => {
  time = new AbortController();
  timeout = vi.spyOn(AbortSignal, 'timeout').mockImplementation(() => time.signal);
});
afterEach(() => void vi.restoreAllMocks());
afterAll(() => app.close());

/** Waits until a signal ends it. */
function untilEnded(signal: AbortSignal | undefined): Promise<never> {
  return new Promise((_, reject) => {
    signal?.addEventListener('abort', () => reject(new Error('ended')), { once: true });
  });
}

describe('bytes of the storage', () => {
  it.each(URLS)('are answered 504 where the first do not come in time, and are not waited for: %s', async (url) => {
    let reading: AbortSignal | undefined;
    read = async function* (_url, options) {
      reading = options?.signal;
      setImmediate(() => time.abort());
      yield await untilEnded(reading);
    };
    const answer = await askApi(app, url);
    expect([answer.statusCode, answer.json()]).toEqual([
      504,
      { code: 'timed_out', message: expect.stringContaining('The storage did not answer') },
    ]);
    expect(reading?.aborted).toBe(true);
    expect(timeout.mock.calls).toEqual([[4_000]]);
  });

  it.each(URLS.slice(0, 2))('flow for longer than that once they have begun: %s', async (url) => {
    read = async function* (_url, options) {
      yield Buffer.from('01234');
      time.abort();
      await new Promise(setImmediate);
      if (options?.signal?.aborted) throw new Error('ended');
      yield Buffer.from('56789');
    };
    expect((await askApi(app, url)).body).toBe('0123456789');
  });

  it.each(URLS.slice(0, 2))('are not read any more once nobody waits: %s', async (url) => {
    let reading: AbortSignal | undefined;
    read = async function* (_url, options) {
      reading = options?.signal;
      yield Buffer.from('01234');
      yield await untilEnded(reading);
    };
    if (!app.server.listening) await app.listen({ port: 0, host: '127.0.0.1' });
    const { port } = z.object({ port: z.number() }).parse(app.server.address());
    const gone = new AbortController();
    const answer = await fetch(`http://127.0.0.1:${port}/api/v1${url}`, {
      headers: { authorization: AUTHORIZATION },
      signal: gone.signal,
    });
    expect([answer.status, reading?.aborted]).toEqual([200, false]);
    gone.abort();
    await vi.waitUntil(() => reading?.aborted, { timeout: 20_000 });
  });
});
