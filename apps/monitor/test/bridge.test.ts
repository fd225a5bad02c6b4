import { ProviderError } from '@landline/provider';
import { expect, onTestFinished, test, vi } from 'vitest';
import { keepListing } from '../src/keep-listing.ts';
import { createRefusals } from '../src/refusals.ts';
import { aBridge, listed, userSays } from './support/a-bridge.ts';

const WITHIN = { timeout: 20_000, interval: 5 };
const METADATA = { type: 'conversation_initiation_metadata' };

test('tells the beginning, what is said, and the end once two lists in a row no longer show the call', async () => {
  const { look, list, hear, hangUp, received, receiver, sockets } = aBridge();
  list.calls = [listed('conv_1')];
  await look();
  hear('conv_1', METADATA);
  hear('conv_1', userSays('Hello', 1));
  hear('conv_1', userSays('Hello', 1));
  hear('conv_1', { type: 'ping', ping_event: { event_id: 2 } });
  await vi.waitUntil(() => receiver.bodies.length === 2, WITHIN);
  // Also the provider's goodbye is no end while the list shows the call.
  hangUp('conv_1', 1000);
  await look();
  expect(sockets).toHaveLength(2);
  list.calls = [listed('conv_1', { status: 'initiated' })];
  await look();
  list.calls = [];
  await look();
  expect(sockets[1]?.isClosed).toBe(false);
  hangUp('conv_1', 1000);
  expect(received()).toEqual(['started', 'Hello']);
  expect(await look()).toBe(false);
  await vi.waitUntil(() => receiver.bodies.length === 3, WITHIN);
  expect(received()).toEqual(['started', 'Hello', 'ended']);
  expect(receiver.bodies.map((body) => JSON.parse(body))).toMatchObject([
    { event_id: 'started', event_timestamp: 1_767_225_600_000, data: { direction: 'inbound', agent_id: 'agent_1' } },
    { data: { conversation_id: 'conv_1', agent_id: 'agent_1' } },
    { type: 'conversation.ended', event_id: 'ended', data: { conversation_id: 'conv_1', agent_id: 'agent_1' } },
  ]);
});

test('half a list, or none, ends no call; one list that misses it neither', async () => {
  const { look, list, hear, hangUp, received, receiver, log } = aBridge();
  list.calls = [listed('conv_1')];
  await look();
  hear('conv_1', userSays('Hello', 1));
  hangUp('conv_1');
  list.fault = new ProviderError('unavailable', 'The provider is away.');
  list.calls = [];
  for (let i = 0; i < 3; i++) await expect(look()).rejects.toThrow('away');
  list.fault = undefined;
  await look();
  list.calls = [listed('conv_1')];
  await look();
  list.calls = [];
  await look();
  await vi.waitUntil(() => receiver.bodies.length === 2, WITHIN);
  expect(received()).toEqual(['started', 'Hello']);
  expect(log()).not.toContain('Hello');
});

test('a socket that stays open though the call is over is closed in the end', async () => {
  const { look, list, hear, receiver, received, sockets, bridge } = aBridge();
  list.calls = [listed('conv_1')];
  await look();
  hear('conv_1', METADATA);
  list.calls = [];
  for (let i = 0; i < 20; i++) await look();
  await vi.waitUntil(() => receiver.bodies.length === 2, WITHIN);
  expect([received(), sockets[0]?.isClosed, bridge.openCalls()]).toEqual([['started', 'ended'], true, 0]);
});

test('what is only initiated is not followed; a silent socket tells the beginning at the next list', async () => {
  const { look, list, receiver, received, sockets } = aBridge();
  list.calls = [listed('conv_1', { status: 'initiated' })];
  await look();
  expect(sockets).toEqual([]);
  list.calls = [listed('conv_1')];
  await look();
  expect([sockets.length, received()]).toEqual([1, []]);
  await look();
  await vi.waitUntil(() => receiver.bodies.length === 1, WITHIN);
  expect(received()).toEqual(['started']);
});

test('a socket that is closed while the call runs is opened again, with growing pauses', async () => {
  const { look, list, hangUp, sockets, metrics } = aBridge();
  list.calls = [listed('conv_1')];
  const opened: number[] = [];
  for (let second = 0; second < 100; second++) {
    const before = sockets.length;
    await look(1);
    if (sockets.length === before) continue;
    opened.push(second);
    hangUp('conv_1');
  }
  expect(opened).toEqual([0, 1, 3, 7, 15, 31, 63]);
  expect((await metrics.reconnects.get()).values).toMatchObject([{ value: 6 }]);
});

test('a socket that breaks is opened again before the next list, one that is closed in order or whose call is not listed after it', async () => {
  vi.useFakeTimers({ toFake: ['setTimeout'] });
  onTestFinished(() => void vi.useRealTimers());
  const { look, pass, list, hangUp, sockets, bridge } = aBridge();
  const wait = (seconds: number): string[] => {
    const before = sockets.length;
    pass(seconds);
    vi.advanceTimersByTime(seconds * 1000);
    return sockets.slice(before).map(({ id }) => id);
  };
  list.calls = [listed('conv_1'), listed('conv_2'), listed('conv_3')];
  await look();
  hangUp('conv_1');
  hangUp('conv_2', 1000);
  hangUp('conv_3', 1008);
  expect([wait(0.9), wait(0.1)]).toEqual([[], ['conv_1']]);
  hangUp('conv_1', 1011);
  expect([wait(1.9), wait(0.1)]).toEqual([[], ['conv_1']]);
  // A list may have missed it, and the next one says.
  list.calls = [];
  await look();
  hangUp('conv_1');
  expect(wait(60)).toEqual([]);
  list.calls = [listed('conv_1')];
  await look();
  hangUp('conv_1');
  bridge.close();
  expect(wait(60)).toEqual([]);
});

test('many sockets that break at once are opened again a hundred between two lists', async () => {
  vi.useFakeTimers({ toFake: ['setTimeout'] });
  onTestFinished(() => void vi.useRealTimers());
  const { look, pass, list, hangUp, sockets } = aBridge();
  list.calls = Array.from({ length: 150 }, (_, i) => listed(`conv_${i}`));
  await look();
  await look();
  await look(0);
  for (const { id } of sockets) hangUp(id);
  pass(1);
  vi.advanceTimersByTime(1_000);
  expect(sockets).toHaveLength(250);
  await look(0);
  expect(sockets).toHaveLength(300);
});

test('an agent that may not be monitored: said once, its calls are tried again after an hour, and nothing is told of them', async () => {
  const { look, list, hangUp, sockets, log, received, metrics, hear, receiver } = aBridge();
  list.calls = [listed('conv_1'), listed('conv_2'), listed('conv_3', { agentId: 'agent_2' })];
  for (let i = 0; i < 8; i++) {
    const before = sockets.length;
    await look(5);
    for (const { id } of sockets.slice(before)) if (id !== 'conv_3') hangUp(id, 1008, 'Monitoring is not enabled');
  }
  const tries = sockets.filter(({ id }) => id !== 'conv_3').length;
  expect(log().match(/lets nobody listen/g)).toHaveLength(1);
  expect(log()).toContain('agent_1');
  await vi.waitUntil(() => receiver.bodies.length === 1, WITHIN);
  hear('conv_3', userSays('Hi', 1));
  await vi.waitUntil(() => receiver.bodies.length === 2, WITHIN);
  expect(received()).toEqual(['started', 'Hi']);
  expect((await metrics.refused.get()).values).toContainEqual({ labels: { by: 'provider' }, value: tries });
  list.calls = [listed('conv_4')];
  await look(3_000);
  expect(sockets.some(({ id }) => id === 'conv_4')).toBe(false);
  await look(601);
  expect(sockets.some(({ id }) => id === 'conv_4')).toBe(true);
});

test('a call that is refused because it has just ended costs the other calls of its agent nothing', async () => {
  const { look, list, hangUp, hear, sockets, log } = aBridge();
  list.calls = [listed('conv_1'), listed('conv_2')];
  await look();
  hear('conv_1', userSays('Hello', 1));
  hangUp('conv_2', 1008, 'Conversation is not active');
  for (let i = 0; i < 6; i++) {
    const before = sockets.length;
    await look(20);
    if (sockets.length > before) hangUp('conv_2', 1008, 'Conversation is not active');
  }
  list.calls = [listed('conv_1'), listed('conv_5')];
  await look();
  expect(sockets.at(-1)?.id).toBe('conv_5');
  expect(log()).not.toContain('lets nobody listen');
});

test('one call of which no socket can be had, thrown or refused for as long as it is listed, costs the other calls nothing', async () => {
  const { look, list, hear, hangUp, sockets, received, receiver, log, metrics } = aBridge({ noSocketOf: '..' });
  list.calls = [listed('..'), listed('conv_over', { agentId: 'agent_2' })];
  for (let i = 0; i < 5; i++) {
    const before = sockets.length;
    await look(60);
    if (sockets.length > before) hangUp('conv_over', 1008, 'Conversation is not active');
  }
  list.calls = [...list.calls, listed('conv_1'), listed('conv_2', { agentId: 'agent_2' })];
  await look();
  for (const id of ['conv_1', 'conv_2']) hear(id, userSays('Hello', 1));
  await vi.waitUntil(() => receiver.bodies.length === 4, WITHIN);
  expect(received().toSorted()).toEqual(['Hello', 'Hello', 'started', 'started']);
  expect(sockets.map(({ id }) => id)).toEqual(['conv_over', 'conv_over', 'conv_over', 'conv_1', 'conv_2']);
  expect(log().match(/No socket can be opened for a call/g)).toHaveLength(1);
  expect((await metrics.reconnects.get()).values).toMatchObject([{ value: 2 }]);
});

test('no more calls than its limit at once; one that ends makes room', async () => {
  const { look, list, hangUp, sockets, log, bridge } = aBridge({ maxCalls: 2 });
  list.calls = ['conv_1', 'conv_2', 'conv_3'].map((id) => listed(id));
  await look();
  await look();
  expect([bridge.openCalls(), log().match(/More than 2 calls run/g)?.length]).toEqual([2, 1]);
  list.calls = [listed('conv_2'), listed('conv_3')];
  hangUp('conv_1', 1000);
  await look();
  await look();
  expect(sockets.map(({ id }) => id)).toEqual(['conv_1', 'conv_2', 'conv_3']);
});

test('calls that are over but still listed hold no place, and are tried after all others', async () => {
  const { look, list, hangUp, sockets, bridge } = aBridge({ maxCalls: 100 });
  const over = Array.from({ length: 150 }, (_, i) => `over_${i}`);
  list.calls = over.map((id) => listed(id));
  const lookAndHangUp = async () => {
    const before = sockets.length;
    await look(60);
    for (const { id } of sockets.slice(before)) if (id.startsWith('over')) hangUp(id, 1000);
    return sockets.slice(before).map(({ id }) => id);
  };
  for (let i = 0; i < 4; i++) await lookAndHangUp();
  list.calls.push(listed('conv_1'), listed('conv_2'));
  expect((await lookAndHangUp()).slice(0, 2)).toEqual(['conv_1', 'conv_2']);
  await lookAndHangUp();
  expect(bridge.openCalls()).toBe(2);
});

test('a receiver that is away loses nothing, and a full outbox closes the socket until there is room', async () => {
  const { look, list, hear, receiver, received, sockets, log, metrics, outbox } = aBridge({
    ofACall: { events: 4, bytes: 100_000 },
  });
  receiver.status = 503;
  list.calls = [listed('conv_1')];
  await look();
  for (let i = 1; i <= 3; i++) hear('conv_1', userSays(`word ${i}`, i));
  expect(sockets[0]?.isClosed).toBe(false);
  hear('conv_1', userSays('word 4', 4));
  expect(sockets[0]?.isClosed).toBe(true);
  await look();
  expect(sockets).toHaveLength(1);
  receiver.status = 401;
  await vi.waitUntil(() => log().includes('ELEVENLABS_WEBHOOK_SECRET'), WITHIN);
  expect((await metrics.refused.get()).values).toContainEqual({
    labels: { by: 'receiver' },
    value: expect.any(Number),
  });
  receiver.status = 200;
  await vi.waitUntil(() => receiver.bodies.length === 4, WITHIN);
  await look();
  expect(sockets).toHaveLength(2);
  // The provider sends all of it again, in no sure order: what is known is not sent twice.
  for (const i of [2, 4, 1, 3, 5]) hear('conv_1', userSays(`word ${i}`, i));
  await vi.waitUntil(() => receiver.bodies.length === 6, WITHIN);
  expect(received()).toEqual(['started', 'word 1', 'word 2', 'word 3', 'word 4', 'word 5']);
  expect(log()).not.toContain('word');
  await outbox.close(1_000);
});

test('memory is bounded over all calls as well, and a stop does not wait for a receiver that is away', async () => {
  const { look, list, hear, receiver, sockets, outbox } = aBridge({ ofAll: { events: 3, bytes: 100_000 } });
  receiver.status = 503;
  list.calls = [listed('conv_1'), listed('conv_2')];
  await look();
  hear('conv_1', userSays('one', 1));
  hear('conv_2', userSays('two', 1));
  expect(sockets.map(({ isClosed }) => isClosed)).toEqual([false, true]);
  await outbox.close(10);
  expect(receiver.bodies).toEqual([]);
});

test('a message too large for an event, or for the receiver, is left out, and the next one is sent', async () => {
  const { look, list, hear, sockets, receiver, received, log } = aBridge();
  list.calls = [listed('conv_1')];
  await look();
  hear('conv_1', userSays('ط'.repeat(131_072), 1));
  for (const { handlers } of [...sockets, ...sockets]) handlers.onTooLarge(2_000_000);
  hear('conv_1', userSays('small', 2));
  await vi.waitUntil(() => receiver.bodies.length === 2, WITHIN);
  receiver.status = 413;
  hear('conv_1', userSays('too large for this receiver', 3));
  await vi.waitUntil(() => log().includes('BODY_LIMIT_BYTES'), WITHIN);
  receiver.status = 200;
  hear('conv_1', userSays('last', 4));
  await vi.waitUntil(() => receiver.bodies.length === 3, WITHIN);
  expect(received()).toEqual(['started', 'small', 'last']);
  expect(log()).toContain('too large for an event');
  expect(log().match(/has more than 1 MiB/g)).toHaveLength(1);
});

test('a message that nothing can be made of costs itself alone, is said once without its words, and goes to no receiver', async () => {
  const { look, list, hear, receiver, received, log } = aBridge();
  const longId = `conv_${'x'.repeat(10_000)}`;
  list.calls = [listed('conv_1'), listed('conv_2'), listed(longId)];
  await look();
  for (const depth of [254, 257, 6_000, 400_000, 400_000]) hear('conv_1', JSON.parse(deepTool(depth)));
  hear('conv_1', JSON.parse(STRANGE));
  hear('conv_1', userSays('after', 3));
  hear('conv_2', userSays('other', 1));
  hear(longId, userSays('nobody can name this call', 1));
  await vi.waitUntil(() => receiver.bodies.length === 6, WITHIN);
  expect(received().toSorted()).toEqual(['after', 'agent.tool_call', 'agent.tool_call', 'other', 'started', 'started']);
  expect(log().match(/json_too_deep/g)).toHaveLength(1);
  expect(log().match(/cannot be read \(RangeError\)/g)).toHaveLength(1);
  expect(log().match(/conversation_id_missing/g)).toHaveLength(1);
  expect(log()).not.toMatch(/secret word|nobody can name|x{300}/);
  const strange = receiver.bodies.map((body) => JSON.parse(body)).find(({ data }) => data.tool_call_id === 'strange');
  expect(strange).toMatchObject({
    event_timestamp: 1_767_225_600_000,
    data: { tool_name: '\ud800\0', state: '__proto__' },
  });
});

/** A tool call with so many levels of parameters, as text. */
function deepTool(levels: number): string {
  const parameters = `${'['.repeat(levels)}"secret word"${']'.repeat(levels)}`;
  return `{"type":"client_tool_call","client_tool_call":{"tool_call_id":"deep","event_id":2,"parameters":${parameters}}}`;
}

const STRANGE = `{"type":"mcp_tool_call","__proto__":{"type":"ping"},"mcp_tool_call":{"tool_call_id":"strange","tool_name":"\\ud800\\u0000",
  "event_id":1e308,"timestamp":1e400,"state":"__proto__","parameters":{"__proto__":{"toJSON":1},"toString":null,"n":1e999}}}`;

test('an event that is answered 4xx is given up after a while, counted and logged without its words; one of 429 is not', async () => {
  const { look, list, hear, receiver, received, log, metrics } = aBridge({ giveUpMs: 30 });
  list.calls = [listed('conv_1')];
  await look();
  hear('conv_1', METADATA);
  await vi.waitUntil(() => receiver.bodies.length === 1, WITHIN);
  receiver.status = 429;
  hear('conv_1', userSays('kept', 1));
  const since = Date.now();
  await vi.waitUntil(() => Date.now() - since > 60, WITHIN);
  receiver.status = 200;
  await vi.waitUntil(() => receiver.bodies.length === 2, WITHIN);
  receiver.status = 403;
  hear('conv_1', userSays('refused', 2));
  await vi.waitUntil(() => log().includes('was answered 403'), WITHIN);
  receiver.status = 200;
  hear('conv_1', userSays('last', 3));
  await vi.waitUntil(() => receiver.bodies.length === 3, WITHIN);
  expect(received()).toEqual(['started', 'kept', 'last']);
  expect((await metrics.givenUp.get()).values).toMatchObject([{ value: 1 }]);
  expect(log()).not.toMatch(/kept|"refused/);
});

test('after a 401 one event alone is tried, and all of them go when the secret is right', async () => {
  const { look, list, hear, receiver, outbox } = aBridge();
  const warnings: Error[] = [];
  const note = (warning: Error) => warnings.push(warning);
  process.on('warning', note);
  onTestFinished(() => void process.off('warning', note));
  const ids = Array.from({ length: 10 }, (_, i) => `conv_${i}`);
  receiver.status = 401;
  list.calls = ids.map((id) => listed(id));
  await look();
  for (const id of ids) hear(id, userSays('Hello', 1));
  await vi.waitUntil(() => receiver.tried.length === 16, WITHIN);
  // Those that were on their way were refused; from then on it is one.
  expect(new Set(receiver.tried.slice(10)).size).toBe(1);
  receiver.status = 200;
  await vi.waitUntil(() => receiver.bodies.length === 20, WITHIN);
  receiver.status = 401;
  for (const id of ids) hear(id, userSays('Bye', 2));
  await outbox.close(10);
  expect(warnings).toEqual([]);
});

test('agents that were refused or heard are forgotten in time', () => {
  const clock = { ms: 0 };
  const refusals = createRefusals(() => clock.ms);
  for (let hour = 0; hour < 100; hour++) {
    clock.ms += 3_600_000;
    refusals.heard(`agent_${hour}`);
    expect(refusals.note({ call: `conv_${hour}`, agent: `deaf_${hour}` }, 3)).toBe('sure');
  }
  expect(refusals.note({ call: 'conv_of_99', agent: 'deaf_99' }, 3)).toBe('told');
  expect(refusals.size()).toBeLessThan(30);
});

test('lists again and again, says once what is at fault, and stops at once', async () => {
  const lines: string[] = [];
  const { log: _, ...logger } = {
    log: 0,
    warn: (line: string) => lines.push(line),
    info: (line: string) => lines.push(line),
  };
  let looks = 0;
  const upAtLook: boolean[] = [];
  const look = async () => {
    // The first look begins before there is a listing to ask.
    await Promise.resolve();
    upAtLook.push(listing.isProviderUp());
    if (looks++ < 3) throw new ProviderError('unauthorized', 'The key is none of the provider’s.');
    return looks < 5;
  };
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- of a logger it uses these alone
  const listing = keepListing({ look, logger: logger as never, pauses: { first: 1, idle: 2, longest: 4 } });
  await vi.waitUntil(() => looks > 5, WITHIN);
  expect(listing.isProviderUp()).toBe(true);
  expect(upAtLook.slice(0, 5)).toEqual([false, false, false, false, true]);
  await listing.stop();
  const stopped = looks;
  expect(lines).toEqual([
    'ElevenLabs does not say which calls run: The key is none of the provider’s.',
    'ElevenLabs says again which calls run',
  ]);
  await new Promise((resolve) => setTimeout(resolve, 20));
  expect(looks).toBe(stopped);
});
