import { setTimeout } from 'node:timers/promises';
import { createReader } from '@landline/store';
import { afterAll, beforeAll, describe, expect, inject, onTestFinished, test } from 'vitest';
import { createDatabase, type TestDatabase } from '../../../test/support/database.ts';
import { openConnection } from '../../../test/support/raw-connection.ts';
import { runSql } from '../../../test/support/run-sql.ts';
import { INITIATION_PATH } from '../src/initiation-route.ts';
import {
  askAt,
  DEFAULTS,
  LONG_LIMIT_MS,
  NOTHING,
  startInitiation,
  TOKEN,
  variablesIn,
} from './support/an-initiation.ts';

let database: TestDatabase;
beforeAll(async () => {
  database = await createDatabase(inject('databaseUrl'));
  await runSql(
    database.url,
    `INSERT INTO user_profiles (user_id, language, dialect, personality, phone_number, attributes, first_seen_at, last_seen_at)
     VALUES ('+12025550123', 'en', 'us', '"patient"', '+12025550123', '{"first_name": "Sam", "vip": true, "points": 12}', now(), now()),
       ('+201005550101', 'ar', NULL, '{"tone": "warm"}', '+201005550101',
        '{"caller_known": "no", "system__time": "x", "secret__pin": "4711", "tags": ["a"], "nothing": null}', now(), now())`,
  );
  await runSql(
    database.url,
    `INSERT INTO conversations (id, external_number, status, started_at, created_at, updated_at, call_sid, summary)
     VALUES ('earlier', '+12025550123', 'done', '2026-01-05T09:00:00.5Z', now(), now(), 'CA_1', 'Asked for the hours.'),
       ('later', '+12025550123', 'done', '2026-02-05T09:00:00Z', now(), now(), 'CA_2', NULL)`,
  );
});
afterAll(() => database.drop());

const sam = {
  ...DEFAULTS,
  caller_known: true,
  caller_language: 'en',
  caller_dialect: 'us',
  caller_personality: 'patient',
  caller_calls: 2,
  caller_last_summary: 'Asked for the hours.',
  caller_last_call_at: '2026-02-05T09:00:00.000Z',
  first_name: 'Sam',
  vip: true,
  points: 12,
};

const call = { agent_id: 'agent_1', called_number: '+12025550100', call_sid: 'CA_3' };
const deep = `${'['.repeat(100_000)}${']'.repeat(100_000)}`;

/** Bodies, with their answer and its sample of the metric. */
const BODIES: [what: string, body: unknown, answered: object, counted: string][] = [
  ['a caller who is known', { caller_id: '+12025550123', ...call }, sam, '{kind="known",because=""}'],
  ['the number with spaces', { caller_id: ' +1 (202) 555-0123 ' }, sam, '{kind="known",because=""}'],
  [
    'a SIP address of the number',
    { caller_id: 'sip:+12025550123@trunk.example.com;user=phone' },
    sam,
    '{kind="known",because=""}',
  ],
  [
    'a SIP address with a name and a tag',
    { caller_id: '"Sam" <sip:%2B12025550123@host>;tag=7' },
    sam,
    '{kind="known",because=""}',
  ],
  ['a tel: URI', { caller_id: 'tel:+1-202-555-0123' }, sam, '{kind="known",because=""}'],
  ['an unknown agent', { caller_id: '+12025550123', agent_id: 'agent_of_nobody' }, sam, '{kind="known",because=""}'],
  [
    'other fields of a wrong type',
    { caller_id: '+12025550123', agent_id: [], called_number: {}, call_sid: 5 },
    sam,
    '{kind="known",because=""}',
  ],
  ['unknown fields', { caller_id: '+12025550123', more: { of: ['them'] } }, sam, '{kind="known",because=""}'],
  ['a byte order mark', '\ufeff{"caller_id": "+12025550123"}', sam, '{kind="known",because=""}'],
  ['the number without its plus sign', { caller_id: '12025550123' }, NOTHING, '{kind="unknown",because="not_found"}'],
  ['a number as a number', { caller_id: 12025550123 }, NOTHING, '{kind="unknown",because="not_found"}'],
  ['a stranger', { caller_id: '+4915112345678', ...call }, NOTHING, '{kind="unknown",because="not_found"}'],
  ['a withheld number, as a word', { caller_id: 'anonymous' }, NOTHING, '{kind="unknown",because="withheld"}'],
  ['a withheld number, in capitals', { caller_id: 'RESTRICTED' }, NOTHING, '{kind="unknown",because="withheld"}'],
  [
    'a withheld number, as it is dialled out',
    { caller_id: '+266696687' },
    NOTHING,
    '{kind="unknown",because="withheld"}',
  ],
  [
    'a withheld number in a SIP address',
    { caller_id: 'sip:anonymous@anonymous.invalid' },
    NOTHING,
    '{kind="unknown",because="withheld"}',
  ],
  ['an extension', { caller_id: 'sip:1001@pbx.example.com' }, NOTHING, '{kind="unknown",because="no_number"}'],
  ['a name in a SIP address', { caller_id: 'sip:alice@example.com' }, NOTHING, '{kind="unknown",because="no_number"}'],
  ['no caller', call, NOTHING, '{kind="unknown",because="no_number"}'],
  ['an empty object', {}, NOTHING, '{kind="unknown",because="no_number"}'],
  ['an empty caller', { caller_id: '' }, NOTHING, '{kind="unknown",because="no_number"}'],
  ['a caller of blanks', { caller_id: ' \t' }, NOTHING, '{kind="unknown",because="no_number"}'],
  ['null for the caller', { caller_id: null }, NOTHING, '{kind="unknown",because="no_number"}'],
  ['a list for the caller', { caller_id: ['+12025550123'] }, NOTHING, '{kind="unknown",because="no_number"}'],
  [
    'an object for the caller',
    { caller_id: { number: '+12025550123' } },
    NOTHING,
    '{kind="unknown",because="no_number"}',
  ],
  ['true for the caller', { caller_id: true }, NOTHING, '{kind="unknown",because="no_number"}'],
  ['a caller with U+0000', { caller_id: '\u0000' }, NOTHING, '{kind="unknown",because="no_number"}'],
  [
    'SQL for the caller',
    { caller_id: `'; DROP TABLE user_profiles; --` },
    NOTHING,
    '{kind="unknown",because="no_number"}',
  ],
  [
    'a caller of a thousand characters',
    { caller_id: '+1'.repeat(500) },
    NOTHING,
    '{kind="unknown",because="no_number"}',
  ],
  ['a number of 200 digits', { caller_id: `+${'1'.repeat(200)}` }, NOTHING, '{kind="unknown",because="not_found"}'],
  [
    'the name of a prototype',
    '{"__proto__": {"caller_id": "+12025550123"}}',
    NOTHING,
    '{kind="unknown",because="no_number"}',
  ],
  ['no body', undefined, NOTHING, '{kind="defaults",because="body_invalid"}'],
  ['no JSON', 'caller_id=%2B12025550123', NOTHING, '{kind="defaults",because="body_invalid"}'],
  ['half of a body', '{"caller_id": "+1202', NOTHING, '{kind="defaults",because="body_invalid"}'],
  ['an array', [{ caller_id: '+12025550123' }], NOTHING, '{kind="defaults",because="body_invalid"}'],
  ['a text', JSON.stringify('+12025550123'), NOTHING, '{kind="defaults",because="body_invalid"}'],
  ['null', 'null', NOTHING, '{kind="defaults",because="body_invalid"}'],
  [
    'bytes that are no text',
    Buffer.from([0xff, 0xfe, 0x00, 0x80]),
    NOTHING,
    '{kind="defaults",because="body_invalid"}',
  ],
  [
    'a body of a deep nest',
    deep.slice(0, 30_000) + deep.slice(-30_000),
    NOTHING,
    '{kind="defaults",because="body_invalid"}',
  ],
  ['a body of exactly 64 KiB', padded(65_536), sam, '{kind="known",because=""}'],
  ['a body of one byte more', padded(65_537), NOTHING, '{kind="defaults",because="body_too_large"}'],
  ['a body of 5 MB', padded(5_000_000), NOTHING, '{kind="defaults",because="body_too_large"}'],
];

function padded(bytes: number): string {
  const body = JSON.stringify({ caller_id: '+12025550123', more: '' });
  return body.replace('"more":""', `"more":"${'x'.repeat(bytes - body.length)}"`);
}

test.for(BODIES)('%s: 200 with every variable', async ([, body, answered, counted]) => {
  const app = await startInitiation(database.url);
  const answer = await app.ask(body);
  expect(answer).toMatchObject({ status: 200 });
  expect(answer.body).toEqual({ type: 'conversation_initiation_client_data', dynamic_variables: answered });
  expect(answer.headers.get('content-type')).toBe('application/json; charset=utf-8');
  expect(await app.sample(`landline_initiation_answers_total${counted}`)).toBe(1);
});

test.for([
  ['no content type', ''],
  ['another content type', 'text/plain; charset=latin1'],
  ['a content type that is none', 'x'],
  ['that of a form', 'multipart/form-data'],
])('%s: the bytes count', async ([, type = '']) => {
  const app = await startInitiation(database.url);
  expect(variablesIn(await app.ask({ caller_id: '+12025550123' }, { 'content-type': type }))).toEqual(sam);
});

test('reserved and nested attributes are left out, and an unknown dialect is empty also where the defaults have one', async () => {
  const defaults = { caller_dialect: 'us', caller_language: 'en', vip: false };
  const app = await startInitiation(database.url, { defaults });
  expect(await app.variables('+201005550101')).toEqual({
    caller_known: true,
    caller_language: 'ar',
    caller_dialect: '',
    caller_personality: 'tone: warm',
    caller_calls: 0,
    caller_last_summary: '',
    caller_last_call_at: '',
    vip: false,
  });
  expect(await app.variables('+4915112345678')).toMatchObject({ caller_language: 'en', caller_dialect: 'us' });
});

test('the call that is ringing does not count among the earlier ones, by its conversation or its call', async () => {
  const app = await startInitiation(database.url);
  const first = { caller_calls: 1, caller_last_call_at: '2026-01-05T09:00:00.500Z' };
  expect(await app.variables('+12025550123', { conversation_id: 'later' })).toMatchObject(first);
  expect(await app.variables('+12025550123', { call_sid: 'CA_2' })).toMatchObject(first);
  expect(await app.variables('+12025550123', { call_sid: 'CA_2', conversation_id: 'earlier' })).toMatchObject({
    caller_known: true,
    caller_calls: 0,
    caller_last_summary: '',
    caller_last_call_at: '',
  });
});

const refused = (code: string) => ({ status: 401, body: { code, message: expect.stringMatching(/\w/) } });

describe('the token', () => {
  const body = { caller_id: '+12025550123' };

  test.for<[what: string, headers: Record<string, string>, answer: object]>([
    ['as a bearer', { authorization: `Bearer ${TOKEN}` }, { status: 200 }],
    ['as a bearer in any case', { authorization: `bEARER ${TOKEN}` }, { status: 200 }],
    ['in a header of its own', { 'x-landline-token': TOKEN }, { status: 200 }],
    [
      'beside the login of a proxy',
      { authorization: 'Basic c2FtOnNhbQ==', 'x-landline-token': TOKEN },
      { status: 200 },
    ],
    ['missing', {}, refused('token_missing')],
    ['empty', { 'x-landline-token': '' }, refused('token_missing')],
    ['without its scheme', { authorization: TOKEN }, refused('token_missing')],
    ['of another scheme', { authorization: `Basic ${TOKEN}` }, refused('token_missing')],
    ['another', { authorization: 'Bearer another token' }, refused('token_mismatch')],
    ['cut short', { 'x-landline-token': TOKEN.slice(0, -1) }, refused('token_mismatch')],
    ['in another case', { 'x-landline-token': TOKEN.toUpperCase() }, refused('token_mismatch')],
    ['longer', { authorization: `Bearer ${TOKEN}x` }, refused('token_mismatch')],
  ])('%s', async ([, headers, answer]) => {
    const app = await startInitiation(database.url);
    expect(await askAt(app.url, body, headers)).toMatchObject(answer);
  });

  test('none is set: every request is refused, and the log and the answer say what to do', async () => {
    const app = await startInitiation(database.url, { token: '' });
    const answer = await askAt(app.url, body, { authorization: 'Bearer ' });
    expect(answer).toMatchObject({
      status: 401,
      body: { code: 'token_not_set', message: expect.stringContaining('INITIATION_TOKEN') },
    });
    expect(await app.sample('landline_initiation_refused_total{code="token_not_set"}')).toBe(1);
  });

  test('is wrong: the connection closes before the body has come', async () => {
    const app = await startInitiation(database.url);
    const connection = await openConnection(app.url);
    onTestFinished(connection.cut);
    connection.write(
      `POST ${INITIATION_PATH} HTTP/1.1\r\nhost: x\r\nx-landline-token: wrong\r\ncontent-length: 100\r\n\r\n`,
    );
    await connection.ended;
    expect(connection.received()).toMatch(/^HTTP\/1\.1 401 [^]*connection: close[^]*token_mismatch/i);
  });
});

test.for(['GET', 'HEAD', 'PUT', 'DELETE', 'OPTIONS', 'PATCH', 'PROPFIND'])('%s is 405', async (method) => {
  const app = await startInitiation(database.url);
  const answer = await fetch(app.url + INITIATION_PATH, { method });
  expect([answer.status, answer.headers.get('allow')]).toEqual([405, 'POST']);
});

test.for(['/', '/api/elevenlabs/webhook', '/api/elevenlabs/conversation-initiation/more', '/%zz'])(
  '%s is 404',
  async (path) => {
    const app = await startInitiation(database.url);
    expect((await fetch(app.url + path, { method: 'POST' })).status).toBe(404);
  },
);

test('a body that does not come in time: 200 with the defaults, before the rest comes', async () => {
  const app = await startInitiation(database.url, { limitMs: 250 });
  const connection = await openConnection(app.url);
  onTestFinished(connection.cut);
  connection.write(
    `POST ${INITIATION_PATH} HTTP/1.1\r\nhost: x\r\nx-landline-token: ${TOKEN}\r\ncontent-length: 100\r\n\r\n{"caller`,
  );
  await connection.ended;
  expect(connection.received()).toMatch(/^HTTP\/1\.1 200 [^]*"caller_known":false/);
  expect(await app.sample('landline_initiation_answers_total{kind="defaults",because="body_slow"}')).toBe(1);
});

test('a body in chunks without end: 200 with the defaults as soon as it is too large', async () => {
  const app = await startInitiation(database.url);
  const connection = await openConnection(app.url);
  onTestFinished(connection.cut);
  connection.write(
    `POST ${INITIATION_PATH} HTTP/1.1\r\nhost: x\r\nx-landline-token: ${TOKEN}\r\ntransfer-encoding: chunked\r\n\r\n`,
  );
  connection.write(`11000\r\n${'x'.repeat(0x11000)}\r\n`);
  await expect.poll(connection.received, { timeout: 20_000 }).toMatch(/^HTTP\/1\.1 200 /);
  expect(await app.sample('landline_initiation_answers_total{kind="defaults",because="body_too_large"}')).toBe(1);
});

test('a sender that hangs up gets no answer, and nothing breaks', async () => {
  const app = await startInitiation(database.url);
  const connection = await openConnection(app.url);
  connection.write(
    `POST ${INITIATION_PATH} HTTP/1.1\r\nhost: x\r\nx-landline-token: ${TOKEN}\r\ncontent-length: 100\r\n\r\n{`,
  );
  connection.cut();
  expect(await app.variables('+12025550123')).toEqual(sam);
});

test('the log holds nothing of a caller, for every request and in every fault', async () => {
  const app = await startInitiation(database.url);
  for (const [, body] of BODIES) {
    // oxlint-disable-next-line no-await-in-loop -- one after the other
    await app.ask(body);
  }
  await runSql(database.url, 'ALTER TABLE user_profiles RENAME TO not_now');
  onTestFinished(async () => void (await runSql(database.url, 'ALTER TABLE not_now RENAME TO user_profiles')));
  await setTimeout(250); // longer than a result is kept
  expect(await app.variables('+12025550123')).toEqual(NOTHING);
  expect(app.log()).toContain('The database does not answer');
  expect(app.log()).not.toMatch(/2025550|Sam|patient|1005550|hours|sip:|4711/i);
});

test('a request under way when the process stops is answered', async () => {
  const reader = createReader({ databaseUrl: database.url, isReader: true, limitMs: LONG_LIMIT_MS });
  let asked = false;
  const slow = {
    ...reader,
    findCaller: async (number: string) => {
      asked = true;
      await setTimeout(100);
      return reader.findCaller(number);
    },
  };
  const app = await startInitiation(database.url, { reader: slow });
  const answer = app.ask({ caller_id: '+12025550123' });
  await expect.poll(() => asked, { timeout: 20_000 }).toBe(true);
  const drained = app.drain();
  expect(variablesIn(await answer)).toEqual(sam);
  expect((await answer).headers.get('connection')).toBe('close');
  await drained;
});
