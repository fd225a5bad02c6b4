import { spawn } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { createStore, type Store } from '@landline/store';
import { idempotencyKey, normalise } from '@landline/webhook';
import { deliveryOf, type BodyReference } from '@landline/webhook/delivery';
import { afterAll, beforeAll, describe, expect, inject, onTestFinished, test } from 'vitest';
import { createDatabase, type TestDatabase } from '../../../test/support/database.ts';
import { runSql } from '../../../test/support/run-sql.ts';
import { makeTempFolder } from '../../../test/support/temp-folder.ts';
import { runCommand } from '../src/run-command.ts';

const SIGNED_AT = 1_767_225_600; // 2026-01-01T00:00:00Z
const NO_EVENT = '00000000-0000-4000-8000-000000000000';

let database: TestDatabase;
let store: Store;
beforeAll(async () => {
  database = await createDatabase(inject('databaseUrl'));
  store = createStore({ databaseUrl: database.url });
});
afterAll(async () => {
  await store.close();
  await database.drop();
});

/** Runs `landline show`. `takes`: how many writes of bytes the reader takes before it is gone. */
async function show(args: string[], { takes = Infinity, isTerminal = false } = {}) {
  const lines: string[] = [];
  const errors: string[] = [];
  const written: Uint8Array[] = [];
  const code = await runCommand(['show', ...args], {
    root: await makeTempFolder(),
    env: { READER_DATABASE_URL: database.url },
    print: (line) => lines.push(line),
    printError: (line) => errors.push(line),
    write: (bytes) => Promise.resolve(written.length < takes && written.push(bytes) > 0),
    isTerminal,
    width: 120,
  });
  return { code, output: lines.join('\n'), errors: errors.join('\n'), bytes: Buffer.concat(written), written };
}

/** Puts a body into the ledger as the worker does; returns its id. */
async function record(bytes: Buffer, reference?: BodyReference): Promise<string> {
  const facts = { receivedAt: SIGNED_AT * 1000 + 1500, signedAt: SIGNED_AT, secretId: 'ab12', reference };
  const event = normalise(deliveryOf(bytes, facts));
  if (event.outcome === 'dead') await store.recordDead([{ ...event, attempts: 2 }]);
  else await store.apply([event]);
  return event.entry.id;
}

/** Takes away the field without which audio is dead. */
const withoutConversation = (body: Buffer) =>
  Buffer.from(body.toString().replace('conversation_id', 'conversation___'));

const sha256 = (bytes: Buffer) => createHash('sha256').update(bytes).digest('hex');

/** Audio in its body, and what the mover makes of it. `name` distinguishes the events of these tests. */
function anAudio(name: string, audio: Buffer) {
  const bodyWith = (text: string) =>
    `{"type":"post_call_audio", "event_timestamp":${SIGNED_AT},"data":{"conversation_id":"${name}","full_audio":"${text}", "é":1}}`;
  const whole = Buffer.from(bodyWith(audio.toString('base64')));
  const envelope = Buffer.from(bodyWith(''));
  const at = envelope.indexOf('""') + 1;
  const recording = { at, bytes: audio.length, sha256: sha256(audio), contentType: 'audio/mpeg' };
  return { whole, envelope, recording, facts: { eventId: idempotencyKey(whole), bytes: whole.length } };
}

/** Returns a path as a recording has it in a folder that is new. */
async function recordingPath(name: string): Promise<string> {
  const folder = join(await makeTempFolder(), 'agent_1', '2026', '01', '01');
  await mkdir(folder, { recursive: true });
  return join(folder, name);
}

/** Records audio that is stored in a file; returns its id and what it was. */
async function recordAudio(name: string, audio: Buffer) {
  const { whole, envelope, recording, facts } = anAudio(name, audio);
  const path = await recordingPath(`${name.replaceAll(' ', '-')}.mp3`);
  await writeFile(path, audio);
  const url = `file:${path}`;
  const id = await record(envelope, { ...facts, recording: { ...recording, url, storedAt: SIGNED_AT * 1000 + 2000 } });
  return { id, whole, path, url, recording };
}

describe('the exact bytes', () => {
  test.each([1, 2, 3, 4, 65_536, 5 * 1024 * 1024 + 1])('come from envelope and audio of %i bytes', async (size) => {
    const { id, whole } = await recordAudio(`size-${size}`, randomBytes(size));
    const result = await show([id, '--body']);
    expect(result).toMatchObject({ code: 0, output: '', errors: '' });
    expect(result.bytes.equals(whole)).toBe(true);
  });

  test('of a large body are written part by part', async () => {
    const { id } = await recordAudio('parts', randomBytes(1024 * 1024));
    const { written } = await show([id, '--body']);
    expect(written.length).toBeGreaterThan(10);
    expect(Math.max(...written.map(({ length }) => length))).toBeLessThan(200_000);
  });

  test.each([
    ['text', Buffer.from('{"type":"x.y",  "é":"👋"}')],
    ['bytes that are no text', Buffer.from([0x7b, 0xff, 0xfe, 0x00, 0xc3, 0x28])],
    ['nothing', Buffer.alloc(0)],
    ['a live event with neither id nor time', liveEvent('Yes')],
  ])('come from the ledger: %s', async (_, bytes) => {
    const id = await record(bytes);
    const result = await show([id.toUpperCase(), '--body']);
    expect(result).toMatchObject({ code: 0, output: '', errors: '' });
    expect(result.bytes).toEqual(bytes);
  });

  test('come from the object that holds the whole body, where there is one', async () => {
    const body = randomBytes(300_000);
    const path = await recordingPath('conv_1.0123.json');
    await writeFile(path, body);
    const fault = { code: 'audio_not_base64', message: 'The audio is not base64.' };
    const id = await record(Buffer.from('{}'), {
      eventId: idempotencyKey(body),
      bytes: body.length,
      bodyUrl: `file:${path}`,
      fault,
    });
    const result = await show([id, '--body']);
    expect([result.code, result.errors, result.bytes.equals(body)]).toEqual([0, '', true]);
  });

  test('of dead audio come from envelope and audio as well', async () => {
    const audio = randomBytes(1000);
    const { whole, envelope, recording } = anAudio('dead', audio);
    const path = await recordingPath('dead.mp3');
    await writeFile(path, audio);
    const id = await record(withoutConversation(envelope), {
      eventId: idempotencyKey(withoutConversation(whole)),
      bytes: whole.length,
      recording: { ...recording, url: `file:${path}`, storedAt: null },
    });
    expect((await show([id])).output).toMatch(/^error +conversation_id_missing/m);
    expect((await show([id])).output).toContain(`file:${path}`);
    expect((await show([id, '--body'])).bytes.equals(withoutConversation(whole))).toBe(true);
  });

  test('come from where the audio is now', async () => {
    const audio = randomBytes(1000);
    const { id, whole, path } = await recordAudio('moved', audio);
    const moved = await recordingPath('moved.mp3');
    await writeFile(moved, audio);
    await rm(path);
    await runSql(database.url, `UPDATE conversation_recordings SET url = 'file:${moved}' WHERE event_id = '${id}'`);
    const result = await show([id, '--body']);
    expect([result.code, result.bytes.equals(whole)]).toEqual([0, true]);
    expect((await show([id])).output).toContain(`file:${moved}`);
  });

  test('of an event whose audio was not kept come from another that brought the same audio', async () => {
    const audio = randomBytes(1000);
    const { url, recording } = await recordAudio('shared', audio);
    const { whole, envelope, facts } = anAudio('shared', audio);
    const again = Buffer.from(whole.toString().replace('"é":1', '"é":2'));
    const id = await record(Buffer.from(envelope.toString().replace('"é":1', '"é":2')), {
      eventId: idempotencyKey(again),
      bytes: facts.bytes,
      recording: { ...recording, url: null, storedAt: null },
    });
    expect((await show([id, '--body'])).bytes.equals(again)).toBe(true);
    expect((await show([id])).output).toContain(url);
  });
});

/** A live event whose key is made of its signature's time. */
function liveEvent(message: string): Buffer {
  return Buffer.from(
    JSON.stringify({ type: 'conversation.message', data: { conversation_id: 'live', role: 'user', message } }),
  );
}

describe('bytes that are not those of the event', () => {
  test.each(['another length', 'the same length'])('are told: the audio has %s', async (what) => {
    const { id, path } = await recordAudio(`damaged by ${what}`, Buffer.alloc(999, 1));
    await writeFile(path, Buffer.alloc(what === 'the same length' ? 999 : 998, 2));
    expect(await show([id, '--body'])).toMatchObject({
      code: 1,
      output: '',
      errors: expect.stringContaining(`does not begin with ${id.replaceAll('-', '')}`),
    });
  });

  test('are told of a body in the ledger', async () => {
    const id = await record(liveEvent('No'));
    await runSql(database.url, `UPDATE webhook_bodies SET body = '{}' WHERE event_id = '${id}'`);
    expect(await show([id, '--body'])).toMatchObject({ code: 1, errors: expect.stringContaining('not those') });
  });
});

describe('without the bytes', () => {
  const gone = { code: 1, output: '', bytes: Buffer.alloc(0) };

  test('it says that the audio was not kept', async () => {
    const { envelope, recording, facts } = anAudio('not-kept', randomBytes(10));
    const id = await record(envelope, { ...facts, recording: { ...recording, url: null, storedAt: null } });
    const errors = expect.stringContaining('The audio was not kept: RECORDINGS_URL was not set');
    expect(await show([id, '--body'])).toMatchObject({ ...gone, errors });
    expect((await show([id])).output).toContain('not kept, because RECORDINGS_URL was not set, 10 bytes of audio/mpeg');
  });

  test('it says that the audio was deleted, and when', async () => {
    const { id } = await recordAudio('deleted', randomBytes(10));
    await runSql(
      database.url,
      `UPDATE conversation_recordings SET deleted_at = '2026-02-01T00:00:00Z' WHERE event_id = '${id}'`,
    );
    const errors = expect.stringContaining('deleted at 2026-02-01T00:00:00.000Z');
    expect(await show([id, '--body'])).toMatchObject({ ...gone, errors });
    expect((await show([id])).output).toContain('deleted at 2026-02-01T00:00:00.000Z');
  });

  test('it names the file that is not there, and writes nothing', async () => {
    const { id, path } = await recordAudio('missing', randomBytes(10));
    await rm(path);
    expect(await show([id, '--body'])).toMatchObject({ ...gone, errors: expect.stringContaining(path) });
  });

  test('it says that the body is gone from the ledger, and shows all else', async () => {
    const id = await record(liveEvent('gone'));
    const bytes = liveEvent('gone').length;
    await runSql(database.url, `DELETE FROM webhook_bodies WHERE event_id = '${id}'`);
    const errors = expect.stringContaining(
      `The body of ${id} is gone: the ledger keeps no bodies of 2026-01-01 any more.`,
    );
    expect(await show([id, '--body'])).toMatchObject({ ...gone, errors });
    const shown = await show([id]);
    expect([shown.code, shown.output]).toEqual([
      0,
      expect.stringContaining(`${bytes} bytes, which the ledger does not keep any more`),
    ]);
    expect(JSON.parse((await show([id, '--json'])).output)).toMatchObject({ body_bytes: bytes, body_kept: false });
  });

  test('it says that the envelope of audio is gone', async () => {
    const { id } = await recordAudio('envelope gone', randomBytes(10));
    await runSql(database.url, `DELETE FROM webhook_bodies WHERE event_id = '${id}'`);
    expect(await show([id, '--body'])).toMatchObject({
      ...gone,
      errors: expect.stringContaining(`The body of ${id} is gone`),
    });
  });

  test('it says that the body of a dead event was not kept', async () => {
    const fault = { code: 'body_too_large', message: 'It is too large.' };
    const id = await record(Buffer.from(''), { eventId: idempotencyKey('lost'), bytes: 20_000_000, fault });
    const errors = expect.stringContaining('The body of 20000000 bytes was not kept');
    expect(await show([id, '--body'])).toMatchObject({ ...gone, errors });
  });
});

describe('the event itself', () => {
  test('is shown with its facts in UTC, and where its audio is', async () => {
    const { id, url, whole, recording } = await recordAudio('described', Buffer.alloc(1200, 7));
    const { code, output, errors, bytes } = await show([id]);
    expect([code, errors, bytes.length]).toEqual([0, '', 0]);
    const envelopeLength = whole.length - 1600;
    expect(output.split('\n').map((line) => line.replace(/ {2,}/, ' | '))).toEqual([
      `id | ${id}`,
      'type | post_call_audio',
      'conversation | described',
      'outcome | applied',
      'event at | 2026-01-01T00:00:00.000Z',
      'received at | 2026-01-01T00:00:01.500Z',
      expect.stringMatching(/^applied at \| 20\d\d-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/),
      'origin | webhook',
      `body | ${whole.length} bytes, ${envelopeLength} of them in the ledger`,
      `audio | ${url}, 1200 bytes of audio/mpeg, SHA-256 ${recording.sha256}`,
    ]);
  });

  test('is one JSON document', async () => {
    const { id, url, whole, recording } = await recordAudio('json', Buffer.alloc(12, 7));
    const { code, output, errors } = await show([id, '--json']);
    expect([code, errors]).toEqual([0, '']);
    const row = { event_id: id, url, content_type: 'audio/mpeg', bytes: 12, sha256: recording.sha256 };
    expect(JSON.parse(output)).toEqual({
      id,
      type: 'post_call_audio',
      event_key: null,
      conversation_id: 'json',
      outcome: 'applied',
      error: null,
      event_at: '2026-01-01T00:00:00.000Z',
      received_at: '2026-01-01T00:00:01.500Z',
      applied_at: expect.stringMatching(/^20.*Z$/),
      origin: 'webhook',
      body_bytes: whole.length,
      body_kept: true,
      body_reference: expect.objectContaining({ eventId: id, bytes: whole.length }),
      recordings: [
        {
          ...row,
          created_at: '2026-01-01T00:00:00.000Z',
          stored_at: '2026-01-01T00:00:02.000Z',
          deleted_at: null,
        },
      ],
    });
  });

  test('shows why it is dead, without the control characters of its words', async () => {
    const body = Buffer.from('{"type":"\\u001b[31mred"');
    const id = await record(body);
    const { output } = await show([id]);
    expect(output).toMatch(/^error +body_not_json: The body is not JSON\. \(2 attempts\)$/m);
    expect(output).toMatch(new RegExp(`^body +${body.length} bytes$`, 'm'));
    expect(output).not.toContain('audio');
    const red = await record(Buffer.from('{"type":"\\u001b[31mred"}'));
    expect((await show([red])).output).toMatch(/^type +\\u001b\[31mred$/m);
  });

  test('is JSON of the same words without the characters that control a terminal', async () => {
    // CSI of C1, DEL, an override of the direction, an isolate, a mark, and a line separator.
    const words = '\u009b31mred\u007f \u202ereversed\u2066 \u200f\u061c\u2028 é 👋 ب';
    const type = Buffer.from(JSON.stringify({ type: words }));
    const { output } = await show([await record(type), '--json']);
    expect(JSON.parse(output)).toMatchObject({ type: words });
    expect(output).toContain('"\\u009b31mred\\u007f \\u202ereversed\\u2066 \\u200f\\u061c\\u2028 é 👋 ب"');
  });

  test('of audio that stands in the body says so', async () => {
    const { whole } = anAudio('inline', Buffer.alloc(9, 1));
    expect((await show([await record(whole)])).output).toMatch(/^audio +in the body, 9 bytes of audio\/mpeg/m);
  });
});

test.each([
  [[], 2, 'show takes one event id.'],
  [[NO_EVENT, NO_EVENT], 2, 'show takes one event id.'],
  [['conv_1'], 2, '"conv_1" is no event id'],
  [[`${NO_EVENT}'`], 2, 'is no event id'],
  [[NO_EVENT, '--nonsense'], 2, '--nonsense'],
  [[NO_EVENT, '--body', '--json'], 2, '--body or --json'],
  [[NO_EVENT], 1, `There is no event ${NO_EVENT} in the ledger.`],
  [[NO_EVENT, '--json'], 1, `There is no event ${NO_EVENT} in the ledger.`],
  [[NO_EVENT, '--body'], 1, `There is no event ${NO_EVENT} in the ledger.`],
])('show %j exits with %i and says %j beside its answer', async (args, code, text) => {
  expect(await show(args)).toMatchObject({ code, output: '', errors: expect.stringContaining(text) });
});

describe('a terminal', () => {
  const words = 'Write them to a file, or pipe them into a program: npm run --silent landline -- show';

  test('gets no bytes of a body, which could control it, but everything else', async () => {
    const id = await record(Buffer.from('{"type":"x.y"}'));
    const result = await show([id, '--body'], { isTerminal: true });
    expect(result).toMatchObject({ code: 2, output: '', bytes: Buffer.alloc(0) });
    expect(result.errors).toContain(`${words} ${id} --body > body.json`);
    expect(await show([id], { isTerminal: true })).toMatchObject({ code: 0, errors: '' });
    expect(await show([id, '--json'], { isTerminal: true })).toMatchObject({ code: 0, errors: '' });
  });

  // Of util-linux: it gives a command a terminal.
  test.runIf(process.platform === 'linux')('is noticed by the command itself', async () => {
    const main = fileURLToPath(new URL('../dist/main.js', import.meta.url));
    const command = `'${process.execPath}' '${main}' show ${NO_EVENT} --body`;
    const child = spawn('script', ['-qec', command, '/dev/null'], {
      env: { PATH: process.env['PATH'], READER_DATABASE_URL: database.url },
      stdio: ['ignore', 'pipe', 'ignore'],
    });
    onTestFinished(() => void child.kill('SIGKILL'));
    let output = '';
    child.stdout.on('data', (part: Buffer) => (output += part.toString()));
    expect(await once(child, 'close')).toEqual([2, null]);
    expect(output).toContain(words);
  });
});

describe('a reader that goes away', () => {
  test('ends the command, which says nothing', async () => {
    const { id } = await recordAudio('half', randomBytes(1024 * 1024));
    const { code, errors, written } = await show([id, '--body'], { takes: 2 });
    expect([code, errors, written.length]).toEqual([0, '', 2]);
  });

  test('as `head` does ends the process quietly', async () => {
    const { id } = await recordAudio('head', randomBytes(1024 * 1024));
    const main = fileURLToPath(new URL('../dist/main.js', import.meta.url));
    const child = spawn(process.execPath, [main, 'show', id, '--body'], {
      env: { PATH: process.env['PATH'], READER_DATABASE_URL: database.url },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    onTestFinished(() => void child.kill('SIGKILL'));
    let errors = '';
    child.stderr.on('data', (part: Buffer) => (errors += part.toString()));
    child.stdout.once('data', () => child.stdout.destroy());
    expect(await once(child, 'close')).toEqual([0, null]);
    expect(errors).toBe('');
  });
});
