import { createHash, randomUUID } from 'node:crypto';
import { Agent } from 'node:http';
import { EVENT_TYPES, idempotencyKey, sign, SIGNATURE_HEADER } from '@landline/webhook';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { z } from 'zod';
import { DEAD_BODIES } from './bad-input/dead-bodies.ts';
import { COLUMNS, ODD_BODIES } from './bad-input/odd-bodies.ts';
import { ACCEPTED_SIGNATURES, OLD_SECRET, REFUSED_SIGNATURES } from './bad-input/signatures.ts';
import { sendAmongOthers } from './bad-input/send-among-others.ts';
import { wrongTypesOf } from './bad-input/wrong-types.ts';
import { startApp, type AppProcess } from './support/app-process.ts';
import { exampleEvent } from './support/example-event.ts';
import { LEDGER } from './support/ledger.ts';
import { startPipe, type Pipe } from './support/pipe.ts';
import { post, SECRET, send, signed, unixSeconds, WEBHOOK_PATH, type Answer } from './support/post.ts';
import { openConnection, rawPost, statusesIn } from './support/raw-connection.ts';
import { jobSchema } from '../packages/queue/test/support/job-schema.ts';

const BODY_LIMIT_BYTES = 2_000_000;

let pipe: Pipe;
let worker: AppProcess;
beforeAll(async () => {
  pipe = await startPipe({
    ELEVENLABS_WEBHOOK_SECRET: `${SECRET},${OLD_SECRET}`,
    BODY_LIMIT_BYTES: String(BODY_LIMIT_BYTES),
  });
  worker = await pipe.startWorker();
});
afterAll(() => pipe.stop());

/** Identifies an event by its bytes: the ledger's id of a live event without id and time is not their hash alone. */
const digest = (body: Buffer): string => createHash('sha256').update(body).digest('hex');

/** Returns the ledger's row of a body. Its `body` is whether the stored bytes are the same, but for audio that was cut out. */
async function ledgerOf(body: Buffer): Promise<Record<string, unknown> | undefined> {
  const [row] = await pipe.sql(
    `SELECT * FROM ${LEDGER} WHERE sha256(body) = '\\x${digest(body)}' OR body_reference ->> 'eventId' = '${idempotencyKey(body)}'`,
  );
  return row && { ...row, body: isExactly(row['body'], body) || isEnvelopeOf(row, body) };
}

const cutOut = z.object({ body: z.instanceof(Buffer), body_reference: z.object({ bytes: z.number() }) });

/** Whether a row's body is this body without one part of it: the text of the audio. */
function isEnvelopeOf(row: Record<string, unknown>, body: Buffer): boolean {
  const { data } = cutOut.safeParse(row);
  if (data === undefined || data.body_reference.bytes !== body.length) return false;
  const at = data.body.findIndex((byte, i) => byte !== body[i]);
  const behind = at + body.length - data.body.length;
  return Buffer.concat([body.subarray(0, at), body.subarray(behind)]).equals(data.body);
}

function bytesOf(stored: unknown): Buffer {
  if (!(stored instanceof Buffer)) throw new Error('The ledger has bytes.');
  return stored;
}

/** Compares bytes as vitest would, but fast enough for megabytes. */
function isExactly(stored: unknown, body: Buffer): boolean {
  return stored instanceof Buffer && stored.equals(body);
}

function sendWith(signature: string | string[] | undefined, body: Buffer): Promise<Answer> {
  const headers = signature === undefined ? {} : { [SIGNATURE_HEADER]: signature };
  return send(pipe.receiver.url, { headers, body });
}

/** Checks that a refused request has left nothing in queue and ledger. */
async function expectNoTrace(body: Buffer, dead: number): Promise<void> {
  expect(await pipe.untilIdle()).toEqual({ events: 0, unsettled: 0, dead });
  expect(await ledgerOf(body)).toBeUndefined();
}

async function expectApplied(body: Buffer, dead: number): Promise<void> {
  expect(await pipe.untilIdle()).toEqual({ events: 0, unsettled: 0, dead });
  expect(await ledgerOf(body)).toMatchObject({ outcome: 'applied', error: null, body: true });
}

describe('a signature header', () => {
  it.each(REFUSED_SIGNATURES)('$name: 401 $code', async ({ header, code }) => {
    const { dead } = await pipe.counts();
    const body = exampleEvent('conversation.message');
    const answer = await sendWith(header(body), body);
    expect(answer.status).toBe(401);
    expect(JSON.parse(answer.body)).toEqual({ code, message: expect.any(String) });
    await expectNoTrace(body, dead);
  });

  it.each(ACCEPTED_SIGNATURES)('$name: 200', async ({ header }) => {
    const { dead } = await pipe.counts();
    const body = exampleEvent('conversation.message');
    expect(await sendWith(header(body), body)).toMatchObject({ status: 200 });
    await expectApplied(body, dead);
  });
});

describe('a request', () => {
  it.each(['GET', 'HEAD', 'PUT', 'PATCH', 'DELETE', 'OPTIONS', 'PROPFIND'])('%s: 405', async (method) => {
    const { dead } = await pipe.counts();
    const body = exampleEvent('conversation.message');
    const answer = await post(pipe.receiver.url, body, { method });
    expect([answer.status, answer.headers.allow]).toEqual([405, 'POST']);
    await expectNoTrace(body, dead);
  });

  it('too large by a byte, with a length: 413 before any of its body', async () => {
    const { dead } = await pipe.counts();
    const body = Buffer.alloc(BODY_LIMIT_BYTES + 1, ' ');
    const connection = await openConnection(pipe.receiver.url);
    connection.write(rawPost(WEBHOOK_PATH, signed(body), body).subarray(0, -body.length));
    await connection.ended;
    connection.cut();
    expect(statusesIn(connection.received())).toEqual([413]);
    await expectNoTrace(body, dead);
  });

  it('too large by a byte, without a length: 413', async () => {
    const { dead } = await pipe.counts();
    const body = Buffer.alloc(BODY_LIMIT_BYTES + 1, ' ');
    const headers = { 'transfer-encoding': 'chunked' };
    expect(await post(pipe.receiver.url, body, { headers })).toMatchObject({ status: 413 });
    await expectNoTrace(body, dead);
  });

  it('as large as may be: 200', async () => {
    const { dead } = await pipe.counts();
    const body = Buffer.from(exampleEvent('conversation.message').toString().padEnd(BODY_LIMIT_BYTES));
    expect(await post(pipe.receiver.url, body)).toMatchObject({ status: 200 });
    await expectApplied(body, dead);
  });

  it.each([1, 20])('whose last %i bytes never come: 408', async (missing) => {
    const { dead } = await pipe.counts();
    const body = exampleEvent('conversation.message');
    // Of its own, as other requests may need longer on a machine that stands still for a while.
    const env = { ELEVENLABS_WEBHOOK_SECRET: SECRET, REDIS_URL: pipe.redis.url, REQUEST_TIMEOUT_MS: '1000' };
    const receiver = await startApp('receiver', { env });
    onTestFinished(async () => void (await receiver.stop()));
    const connection = await openConnection(receiver.url);
    connection.write(rawPost(WEBHOOK_PATH, signed(body), body).subarray(0, -missing));
    await connection.ended;
    connection.cut();
    expect(statusesIn(connection.received())).toEqual([408]);
    await expectNoTrace(body, dead);
  });

  it('that breaks off: no answer', async () => {
    const { dead } = await pipe.counts();
    const body = exampleEvent('conversation.message');
    const connection = await openConnection(pipe.receiver.url);
    connection.write(rawPost(WEBHOOK_PATH, signed(body), body).subarray(0, -1));
    connection.cut();
    expect(await post(pipe.receiver.url, exampleEvent('conversation.ended'))).toMatchObject({ status: 200 });
    await expectNoTrace(body, dead);
  });

  it('whose body is shorter than it says, with the next right behind it: neither is taken', async () => {
    const { dead } = await pipe.counts();
    const body = exampleEvent('conversation.message');
    const head = `POST ${WEBHOOK_PATH} HTTP/1.1\r\nhost: x\r\n${SIGNATURE_HEADER}: ${sign(body, SECRET, unixSeconds())}\r\n`;
    const connection = await openConnection(pipe.receiver.url);
    connection.write(`${head}content-length: ${body.length + 5}\r\n\r\n`);
    connection.write(Buffer.concat([body, rawPost(WEBHOOK_PATH, signed(body), body)]));
    await connection.ended;
    connection.cut();
    expect(statusesIn(connection.received())).toContain(400);
    expect(statusesIn(connection.received())).not.toContain(200);
    await expectNoTrace(body, dead);
  });
});

async function expectDeadLetter(body: Buffer, code: string): Promise<void> {
  const row = await ledgerOf(body);
  const letter = await pipe.queues.deadLetters.getJob(`dead-${String(row?.['id'])}`);
  expect(letter?.failedReason).toMatch(new RegExp(`^${code}: `));
  const [event] = jobSchema.parse(letter?.data).events;
  const stored = Buffer.from(event?.body ?? '', event?.encoding);
  expect(isExactly(stored, body) || isEnvelopeOf({ body: stored, body_reference: event?.reference }, body)).toBe(true);
}

describe('a verified body that makes no sense', () => {
  it.each(DEAD_BODIES)('$name: 200, a dead letter ($code), and its neighbours are applied', async (row) => {
    const { dead } = await pipe.counts();
    const neighbours = await sendAmongOthers(pipe, row.body);
    for (const body of neighbours) await expectApplied(body, dead + 1);
    expect(await ledgerOf(row.body)).toMatchObject({
      outcome: 'dead',
      error: { code: row.code, message: expect.any(String), attempts: 2 },
      body: true,
      type: row.type ?? null,
      conversation_id: row.conversationId ?? null,
      applied_at: null,
    });
    await expectDeadLetter(row.body, row.code);
  });

  it('that only Postgres refuses: 200, a dead letter with its code, and its neighbours are applied', async () => {
    const { dead } = await pipe.counts();
    await pipe.sql(`ALTER TABLE conversation_messages ADD CONSTRAINT no_poison CHECK (content <> 'poisonous words')`);
    const data = { conversation_id: 'conv_poison', text: 'poisonous words' };
    const body = Buffer.from(JSON.stringify({ type: 'conversation.message', data }));
    const neighbours = await sendAmongOthers(pipe, body);
    for (const neighbour of neighbours) await expectApplied(neighbour, dead + 1);
    expect(await ledgerOf(body)).toMatchObject({ outcome: 'dead', error: { code: '23514', attempts: 2 }, body: true });
    await expectDeadLetter(body, '23514');
    expect(await pipe.sql(`SELECT FROM conversations WHERE id = 'conv_poison'`)).toEqual([]);
  });
});

describe('a verified body that is odd', () => {
  it.each(ODD_BODIES)('$name: 200, and taken', async (row) => {
    const { dead } = await pipe.counts();
    const conversationId = `conv_${randomUUID()}`;
    const storedId = row.storedId?.(conversationId) ?? conversationId;
    const body = Buffer.from(row.body(conversationId));
    expect(await post(pipe.receiver.url, body)).toMatchObject({ status: 200 });
    expect(await pipe.untilIdle()).toEqual({ events: 0, unsettled: 0, dead });
    expect(await ledgerOf(body)).toMatchObject({ outcome: row.row ? 'applied' : 'ignored', error: null, body: true });
    const rows = await pipe.sql(`SELECT * FROM conversations WHERE id = '${storedId}'`);
    expect(rows).toHaveLength(row.row ? 1 : 0);
    if (!row.row) return;
    const { table, columns } = row.row;
    const key = table === 'conversations' ? 'id' : 'conversation_id';
    const [found] = await pipe.sql(`SELECT ${COLUMNS[table]} FROM ${table} WHERE ${key} = '${storedId}'`);
    expect(found).toMatchObject(columns);
  });
});

describe('a value of the wrong form in any field', () => {
  /** The only fields that an event must have. */
  const FATAL = /^(type|data|data\.conversation_id|data\.transcript|data\.full_audio)$/;

  it.each(Object.keys(EVENT_TYPES))('of %s: 200, and applied or a dead letter with its bytes', async (type) => {
    const { dead } = await pipe.counts();
    const events = wrongTypesOf(type);
    const agent = new Agent({ maxSockets: 20 });
    const answers = await Promise.all(events.map(({ body }) => post(pipe.receiver.url, body, { agent })));
    agent.destroy();
    expect(answers.filter(({ status }) => status !== 200)).toEqual([]);
    const counts = await pipe.untilIdle();

    const ledger = await pipe.sql(
      `SELECT id, outcome, error, body, body_reference, body_reference ->> 'eventId' AS whole FROM ${LEDGER}`,
    );
    const rows = new Map(ledger.map((row) => [row['whole'] ?? idempotencyKey(bytesOf(row['body'])), row]));
    const found = events.map(({ place, body }) => ({ place, body, row: rows.get(idempotencyKey(body)) }));
    expect(found.filter(({ body, row }) => !isExactly(row?.['body'], body) && !isEnvelopeOf(row ?? {}, body))).toEqual(
      [],
    );
    const notApplied = found.filter(({ row }) => row?.['outcome'] !== 'applied');
    expect(notApplied.filter(({ place }) => !FATAL.test(place))).toEqual([]);
    const deadIds = new Set(notApplied.filter(({ row }) => row?.['outcome'] === 'dead').map(({ row }) => row?.['id']));
    expect(counts).toEqual({ events: 0, unsettled: 0, dead: dead + deadIds.size });
  });
});

it('leaves receiver and worker running and live', async () => {
  for (const app of [pipe.receiver, worker]) {
    expect(app.isRunning()).toBe(true);
    expect(await send(app.url, { method: 'GET', path: '/health/live' })).toMatchObject({ status: 200 });
  }
  expect(pipe.receiver.output()).not.toContain('"level":50');
});

it('has logged no secret, no signature, nothing that was said and no phone number', () => {
  const logged = pipe.receiver.output() + worker.output();
  const private_ = [
    SECRET,
    OLD_SECRET,
    'v0=',
    'shop open',
    'opening hours',
    'poisonous words',
    '12025550123',
    'user_42',
  ];
  expect(logged).toContain('💀 Dead letter');
  expect(private_.filter((text) => logged.includes(text))).toEqual([]);
});
