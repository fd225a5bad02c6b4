import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test, vi } from 'vitest';
import { ProviderError } from '../src/index.ts';
import { askedPause } from '../src/request/asked-pause.ts';
import { allOf, errorOf, json, refuse, serve, type Answer } from './support/serve.ts';

const { signal } = new AbortController();
const SETTINGS = json({ webhooks: null });
const WAIT = { timeout: 20_000 };

/** Half an answer, after which nothing more comes, or the connection is cut. */
const half =
  (isCut: boolean): Answer =>
  (_request, response) => {
    response.writeHead(200, { 'content-length': '100' }).write('{"webhooks": ');
    if (isCut) setImmediate(() => response.destroy());
  };

/** Begins audio. */
const begin: Answer = (_request, response) => {
  response.writeHead(200, { 'content-type': 'audio/mpeg' }).write('sound');
};

/** Answers without an end, a byte now and then. */
const drip =
  (status: number): Answer =>
  (_request, response) => {
    response.writeHead(status, { 'content-type': 'audio/mpeg' }).write('s');
    const timer = setInterval(() => response.write('s'), 20);
    response.on('close', () => clearInterval(timer));
  };

/** Whole audio. */
const whole: Answer = (_request, response) => {
  response.writeHead(200, { 'content-type': 'audio/mpeg', 'content-length': '40000' }).end(Buffer.alloc(40_000, 7));
};

/** The same audio, which is cut. */
const cut: Answer = (_request, response) => {
  response.writeHead(200, { 'content-type': 'audio/mpeg', 'content-length': '40000' }).write(Buffer.alloc(9_000, 7));
  setTimeout(() => response.destroy(), 20);
};

async function leaveUnread(pieces: AsyncIterable<Buffer>): Promise<void> {
  await pieces[Symbol.asyncIterator]().return?.();
}

/** Counts how many requests wait for their answer at once. */
function countedAnswer(): { answer: Answer; most: () => number } {
  let now = 0;
  let most = 0;
  const answer: Answer = (request, response) => {
    most = Math.max(most, ++now);
    setTimeout(() => {
      now--;
      SETTINGS(request, response);
    }, 20);
  };
  return { answer, most: () => most };
}

test('asks again after every failure that may pass', async () => {
  const { provider, asked } = await serve(
    [
      (_request, response) => response.writeHead(500).end('Internal Error'),
      refuse(408, 'request_timeout'),
      refuse(429, 'system_busy'),
      (request) => request.socket.destroy(),
      half(true),
      (_request, response) => response.end('{"webhooks": '),
      SETTINGS,
    ],
    { tries: 6, silenceMs: 60_000 },
  );
  await expect(provider.settings(signal)).resolves.toMatchObject({ postCallWebhookId: null, events: undefined });
  expect(asked).toHaveLength(7);
});

test('asks again where nothing more comes', async () => {
  // On a busy machine a good answer may come too late as well: it is asked for until one is in time.
  const { provider, asked } = await serve([half(false), SETTINGS], { tries: 100, silenceMs: 200 });
  await expect(provider.settings(signal)).resolves.toMatchObject({ postCallWebhookId: null });
  expect(asked.length).toBeGreaterThanOrEqual(2);
});

test('makes a change again as well', async () => {
  const bodies: unknown[] = [];
  const noted: Answer = (request, response) => {
    request.setEncoding('utf8').on('data', (text: string) => {
      bodies.push([request.headers['content-type'], JSON.parse(text)]);
      (bodies.length < 2 ? refuse(500, 'oops') : json({ status: 'ok' }))(request, response);
    });
  };
  const { provider, asked } = await serve([noted]);
  await provider.enableRetries({ id: 'w/1', name: 'N', isDisabled: true }, signal);
  const body = ['application/json', { is_disabled: true, name: 'N', retry_enabled: true }];
  expect(bodies).toEqual([body, body]);
  expect(asked).toEqual(Array.from({ length: 2 }, () => 'PATCH /v1/workspace/webhooks/w%2F1'));
});

test('gives up after its tries, and tells a busy provider from one that fails', async () => {
  for (const [answer, code] of [
    [refuse(503, 'down'), 'unavailable'],
    [refuse(429, 'system_busy'), 'busy'],
    [(_request, response) => response.end('no JSON'), 'bad_answer'],
  ] satisfies [Answer, string][]) {
    const { provider, asked } = await serve([answer], { tries: 2 });
    expect(await errorOf(provider.settings(signal))).toMatchObject({ code });
    expect(asked).toHaveLength(3);
  }
});

test('reads how long it shall wait', () => {
  const now = Date.UTC(2026, 0, 1);
  const pauseOf = (headers: Record<string, string>, status = 429) =>
    askedPause(new Response(null, { status, headers }), now);
  expect(pauseOf({ 'retry-after': '7', 'x-ratelimit-reset': '9' })).toBe(7_000);
  expect(pauseOf({ 'retry-after': new Date(now + 9_000).toUTCString() })).toBe(9_000);
  expect(pauseOf({ 'retry-after': 'soon', 'x-ratelimit-reset': '5' })).toBe(5_000);
  expect(pauseOf({ 'x-ratelimit-reset': `${now / 1000 + 11}` })).toBe(11_000);
  expect(pauseOf({ 'x-ratelimit-reset': `${now / 1000 - 11}` })).toBeUndefined();
  expect(pauseOf({ 'retry-after': '0' })).toBeUndefined();
  expect(pauseOf({ 'x-ratelimit-reset': '5' }, 500)).toBeUndefined();
  expect(pauseOf({ 'retry-after': '5' }, 503)).toBe(5_000);
});

test('waits as long as the provider asks, with all its requests', async () => {
  const times: number[] = [];
  const timed = (answer: Answer): Answer => {
    return (request, response) => {
      times.push(performance.now());
      answer(request, response);
    };
  };
  // The second answer waits for the third request, so that only the refusal gives that one a place.
  const waiting: Parameters<Answer>[] = [];
  const second: Answer = (...asked) => void waiting.push(asked);
  const later: Answer = (...asked) => {
    for (const each of [...waiting.splice(0), asked]) SETTINGS(...each);
  };
  const { provider } = await serve(
    [refuse(429, 'system_busy', { 'retry-after': '1' }), second, later].map((answer) => timed(answer)),
    { silenceMs: 60_000 },
  );
  await Promise.all(Array.from({ length: 3 }, () => provider.settings(signal)));
  const [refusedAt = 0, , ...after] = times;
  expect(after).toHaveLength(2);
  expect(Math.min(...after) - refusedAt).toBeGreaterThan(900);
});

test('does not wait for hours, and says until when', async () => {
  const { provider, asked } = await serve([refuse(429, 'system_busy', { 'retry-after': '7200' }), SETTINGS]);
  const error = await errorOf(provider.settings(signal));
  expect(error).toMatchObject({ code: 'busy', status: 429 });
  expect(error.message).toMatch(/wait until \d{4}-\d\d-\d\dT\d\d:\d\d/);
  await provider.settings(signal);
  expect(asked).toHaveLength(2);
});

test('gives up soon where a person waits, and says until when the provider asks to wait', async () => {
  const away = await serve([refuse(503, 'down')], { patienceMs: 100, tries: 1_000_000 });
  expect(await errorOf(away.provider.settings(signal))).toMatchObject({ code: 'unavailable' });
  let told = 0;
  const person = { patienceMs: 20_000, onWait: () => void told++ };
  const late = await serve([refuse(429, 'system_busy', { 'retry-after': '3' }), SETTINGS], person);
  await late.provider.settings(signal);
  expect(told).toBe(1);
  const { provider, asked } = await serve([refuse(429, 'system_busy', { 'retry-after': '60' }), SETTINGS], person);
  const error = await errorOf(provider.settings(signal));
  expect(error).toMatchObject({ code: 'busy', message: expect.stringMatching(/wait until \d{4}-\d\d-\d\dT/) });
  // A pause that nobody waits for keeps no other request waiting.
  await provider.settings(signal);
  expect(asked).toHaveLength(2);
});

test('ends a pause, a silent answer and a wait for a place as soon as the signal is aborted, with its reason', async () => {
  const abort = new AbortController();
  const busy = refuse(429, 'system_busy', { 'retry-after': '60' });
  const { provider, asked } = await serve([half(false), half(false), busy], { silenceMs: 60_000 });
  const silent = [provider.settings(abort.signal), provider.settings(abort.signal)];
  await vi.waitFor(() => expect(asked).toHaveLength(2), WAIT);
  const waiting = provider.settings(abort.signal);
  abort.abort(new Error('stopped'));
  for (const each of [...silent, waiting]) await expect(each).rejects.toBe(abort.signal.reason);
  expect(asked).toHaveLength(2);

  const other = new AbortController();
  const pausing = provider.conversation('c1', other.signal);
  await vi.waitFor(() => expect(asked).toHaveLength(3), WAIT);
  await sleep(50);
  other.abort(new Error('stopped too'));
  await expect(pausing).rejects.toBe(other.signal.reason);
});

test('has two requests on their way at most, and one after the provider has said that these are too many', async () => {
  const two = countedAnswer();
  const free = await serve([two.answer]);
  await Promise.all(Array.from({ length: 6 }, () => free.provider.settings(signal)));
  expect(two.most()).toBe(2);

  const one = countedAnswer();
  const crowded = await serve([refuse(429, 'too_many_concurrent_requests'), one.answer]);
  await expect(crowded.provider.settings(signal)).resolves.toBeDefined();
  await Promise.all(Array.from({ length: 4 }, () => crowded.provider.settings(signal)));
  expect(one.most()).toBe(1);
});

test('counts audio as on its way until it is read or left', async () => {
  const { provider, asked } = await serve([refuse(500, 'oops'), begin, begin, SETTINGS]);
  const abort = new AbortController();
  const reading = ['a', 'b'].map((id) => provider.audio(id, allOf, abort.signal));
  await vi.waitFor(() => expect(asked).toHaveLength(3), WAIT);
  const settings = provider.settings(signal);
  await sleep(50);
  expect(asked).toHaveLength(3);
  abort.abort(new Error('left'));
  for (const each of reading) await expect(each).rejects.toBe(abort.signal.reason);
  await settings;
});

test('asks again for audio that is cut, and has it read from its beginning; the pause holds no place', async () => {
  const { provider, asked } = await serve([cut, cut, whole], { tries: 2 });
  const readings: number[] = [];
  const read = async (pieces: AsyncIterable<Buffer>) => {
    const nth = readings.push(0) - 1;
    for await (const piece of pieces) readings[nth] = (readings[nth] ?? 0) + piece.length;
    return readings[nth];
  };
  expect(await provider.audio('a', read, signal)).toBe(40_000);
  expect(readings).toHaveLength(3);
  expect(asked).toHaveLength(3);

  const always = await serve([cut], { tries: 1 });
  expect(await errorOf(always.provider.audio('a', allOf, signal))).toMatchObject({ code: 'unavailable' });
  expect(always.asked).toHaveLength(2);

  const paused = await serve([cut, cut, SETTINGS], { firstPauseMs: 60_000 });
  const abort = new AbortController();
  const pausing = ['a', 'b'].map((id) => paused.provider.audio(id, allOf, abort.signal));
  await vi.waitFor(() => expect(paused.asked).toHaveLength(2), WAIT);
  await paused.provider.settings(signal);
  abort.abort(new Error('left'));
  for (const each of pausing) await expect(each).rejects.toBe(abort.signal.reason);

  // What the reader throws of itself is not tried again.
  const full = await serve([whole]);
  await expect(full.provider.audio('a', () => Promise.reject(new Error('No room.')), signal)).rejects.toThrow(
    'No room.',
  );
  expect(full.asked).toHaveLength(1);
});

test('gives the place of audio back that was left before it was read', async () => {
  const { provider } = await serve([begin, begin, begin, begin, SETTINGS]);
  for (const id of ['a', 'b', 'c']) await provider.audio(id, leaveUnread, signal);
  await provider.audio('d', () => Promise.resolve(), signal);
  await expect(provider.settings(signal)).resolves.toBeDefined();
});

/** On a busy machine the beginning of an answer may come too late as well: it is asked for until one is in time. */
const told = (ask: () => Promise<unknown>) => expect.poll(() => errorOf(ask()), WAIT);

test('gives up what comes a byte now and then: an answer, audio, and the body of a refusal', async () => {
  const slow = await serve([drip(200)], { silenceMs: 500, tries: 0 });
  await told(() => slow.provider.settings(signal)).toMatchObject({ code: 'unavailable', status: 200 });
  const message = expect.stringContaining('1024 bytes a second');
  await told(() => slow.provider.audio('a', allOf, signal)).toMatchObject({ code: 'unavailable', message });
  const refused = await serve([drip(403)], { silenceMs: 500, tries: 0 });
  await told(() => refused.provider.settings(signal)).toMatchObject({ code: 'bad_answer', status: 403 });
});

test('sends the key nowhere else, and shows it in no error', async () => {
  const elsewhere = await serve([SETTINGS]);
  const { provider } = await serve([
    (_request, response) => response.writeHead(307, { location: `${elsewhere.url}/secret` }).end(),
  ]);
  const error = await errorOf(provider.settings(signal));
  expect(error).toMatchObject({ code: 'bad_answer', status: 307 });
  expect(error.message).toContain(`sends on to ${elsewhere.url}`);
  expect(error.message).not.toContain('secret');
  expect(elsewhere.asked).toEqual([]);
});

test('ends what is on its way when it is closed', async () => {
  const { provider, asked } = await serve([half(false)]);
  const settings = provider.settings(signal);
  await vi.waitFor(() => expect(asked).toHaveLength(1), WAIT);
  provider.close();
  expect(await errorOf(settings)).toBeInstanceOf(ProviderError);
  expect(await errorOf(provider.webhooks(signal))).toMatchObject({ code: 'unavailable' });
  expect(asked).toHaveLength(1);
});
