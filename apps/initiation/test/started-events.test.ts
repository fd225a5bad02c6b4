import { once } from 'node:events';
import { createLogger } from '@landline/process';
import { createIntake } from '@landline/intake';
import { normalise, type Delivery } from '@landline/webhook';
import { beforeAll, expect, inject, onTestFinished, test } from 'vitest';
import { createDatabase, type TestDatabase } from '../../../test/support/database.ts';
import { startPrivateRedis } from '../../../test/support/private-redis.ts';
import { createStartedEvents, type StartedResult } from '../src/started-events.ts';
import { NOTHING, startInitiation, variablesIn } from './support/an-initiation.ts';

let database: TestDatabase;
beforeAll(async () => {
  database = await createDatabase(inject('databaseUrl'));
  return database.drop;
});

const NOW = Date.UTC(2026, 0, 5, 9);
const call = {
  caller_id: 'sip:+12025550123@trunk.example.com',
  agent_id: 'agent_1',
  called_number: '+12025550100',
  call_sid: 'CA_1',
  conversation_id: 'conv_1',
};

test('a request that names a conversation enqueues a conversation.started with its fields', async () => {
  const app = await startInitiation(database.url, { now: () => NOW });
  await app.ask(call);
  expect(app.events).toEqual([
    {
      receivedAt: NOW,
      signedAt: NOW / 1000,
      secretId: 'initiation',
      encoding: 'utf8',
      body: '{"type":"conversation.started","timestamp":"2026-01-05T09:00:00.000Z","data":{"conversation_id":"conv_1","agent_id":"agent_1","caller_number":"sip:+12025550123@trunk.example.com","called_number":"+12025550100","call_sid":"CA_1","direction":"inbound"}}',
    },
  ]);
  const [event] = app.events;
  if (event === undefined) throw new Error('no event');
  const read = normalise(event);
  expect(read).toMatchObject({
    outcome: 'applied',
    changes: {
      conversation: {
        id: 'conv_1',
        fields: { external_number: { value: '+12025550123' }, agent_number: { value: '+12025550100' } },
      },
      profile: { user_id: '+12025550123' },
    },
  });
  expect(await app.sample('landline_initiation_events_total{result="enqueued"}')).toBe(1);
});

test('a repeat of the request is the same event, another call is another', async () => {
  let now = NOW;
  const app = await startInitiation(database.url, { now: () => (now += 1_000) });
  await app.ask(call);
  await app.ask(call);
  await app.ask({ ...call, conversation_id: 'conv_2' });
  const [first, repeat, other] = app.events.map(({ body }) => body);
  expect(repeat).toBe(first);
  expect(other).not.toBe(first);
});

test('the event leaves out missing fields, and keeps the word of a withheld caller', async () => {
  const app = await startInitiation(database.url, { now: () => NOW });
  await app.ask({ caller_id: 'anonymous', conversation_id: 'conv_1', agent_id: {} });
  expect(app.events.map(({ body }) => body)).toEqual([
    '{"type":"conversation.started","timestamp":"2026-01-05T09:00:00.000Z","data":{"conversation_id":"conv_1","caller_number":"anonymous","direction":"inbound"}}',
  ]);
});

test.for([undefined, '', null, {}, ['conv_1'], true, 'x'.repeat(257)])(
  'a request with the conversation id %j enqueues no event',
  async (conversation_id) => {
    const app = await startInitiation(database.url);
    expect(variablesIn(await app.ask({ ...call, conversation_id }))).toEqual(NOTHING);
    expect(app.events).toEqual([]);
  },
);

test('the answer does not wait for Redis, and an event that Redis does not take is counted', async () => {
  const redis = await startPrivateRedis();
  onTestFinished(() => redis.remove());
  const intake = createIntake({
    redisUrl: redis.url,
    batchMaxEvents: 9,
    batchMaxBytes: 9_999,
    enqueueTimeoutMs: 2_000,
  });
  onTestFinished(() => intake.close());
  await intake.start();
  const answered = new AbortController();
  onTestFinished(() => answered.abort());
  const isAnswered = once(answered.signal, 'abort');
  // What becomes of an event is known when the answer is there: one that waited for it would never come.
  const accept = async (event: Delivery) => {
    try {
      await intake.accept(event);
    } finally {
      await isAnswered;
    }
  };
  const app = await startInitiation(database.url, { intake: { accept } });
  redis.freeze();
  onTestFinished(() => redis.thaw());
  expect(await app.variables(call.caller_id, call)).toEqual(NOTHING);
  answered.abort();
  const lost = () => app.sample('landline_initiation_events_total{result="lost"}');
  await expect.poll(lost, { timeout: 20_000 }).toBe(1);
  expect(app.log()).toContain('conversation.started');
  expect(app.log()).not.toContain('2025550123');
  redis.thaw();
  const enqueued = async () => {
    await app.variables(call.caller_id, call);
    return app.sample('landline_initiation_events_total{result="enqueued"}');
  };
  await expect.poll(enqueued, { timeout: 20_000 }).toBeGreaterThan(0);
});

test('a thousand events are under way at most', async () => {
  const results: StartedResult[] = [];
  const waiting: (() => void)[] = [];
  const sent: Delivery[] = [];
  const logger = createLogger({ name: 'test', level: 'silent' });
  const enqueue = (event: Delivery) => {
    sent.push(event);
    return new Promise<void>((resolve) => waiting.push(resolve));
  };
  const started = createStartedEvents({
    intake: { accept: enqueue },
    logger,
    onResult: (result) => results.push(result),
  });
  for (let i = 0; i < 1_005; i++) started.enqueue({ conversation_id: `conv_${i}` });
  expect([sent.length, results]).toEqual([1_000, Array(5).fill('lost')]);
  waiting.splice(0).forEach((resolve) => resolve());
  await started.settled();
  started.enqueue({ conversation_id: 'conv_later' });
  expect(sent).toHaveLength(1_001);
  waiting.forEach((resolve) => resolve());
  await started.settled();
  expect(results.filter((result) => result === 'enqueued')).toHaveLength(1_001);
});

test('lost events are logged once, however many are lost at once', async () => {
  const lines: string[] = [];
  const logger = createLogger({
    name: 'test',
    level: 'trace',
    destination: { write: (line) => void lines.push(line) },
  });
  const results: StartedResult[] = [];
  const started = createStartedEvents({
    intake: { accept: () => Promise.reject(new Error('Redis is away')) },
    logger,
    onResult: (result) => results.push(result),
  });
  for (let i = 0; i < 3; i++) started.enqueue({ conversation_id: `conv_${i}` });
  await started.settled();
  expect(results).toEqual(['lost', 'lost', 'lost']);
  expect(lines.map((line) => JSON.parse(line))).toMatchObject([
    { level: 40, msg: 'Redis does not take conversation.started: these events are lost, and the calls go on' },
  ]);
});

test('the start of a call is remembered over 999 later calls, and then forgotten', async () => {
  const bodies: string[] = [];
  let now = NOW;
  const started = createStartedEvents({
    intake: { accept: async ({ body }) => void bodies.push(body) },
    logger: createLogger({ name: 'test', level: 'silent' }),
    onResult: () => undefined,
    now: () => (now += 1_000),
  });
  const begin = async (...names: string[]) => {
    for (const conversation_id of names) started.enqueue({ conversation_id });
    await started.settled();
  };
  await begin('first', ...Array.from({ length: 500 }, (_, i) => `a${i}`));
  await begin(...Array.from({ length: 499 }, (_, i) => `b${i}`), 'first');
  expect(bodies.at(-1)).toBe(bodies[0]);
  await begin('one more', 'first');
  expect(bodies.at(-1)).not.toBe(bodies[0]);
});
