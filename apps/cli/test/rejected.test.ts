import { createHash, randomUUID } from 'node:crypto';
import { Readable, Writable } from 'node:stream';
import { createStore, type RejectedRow, type Store } from '@landline/store';
import { idempotencyKey, sign } from '@landline/webhook';
import { afterAll, afterEach, beforeAll, describe, expect, inject, test, vi } from 'vitest';
import { z } from 'zod';
import { createDatabase, type TestDatabase } from '../../../test/support/database.ts';
import { SECRET } from '../../../test/support/post.ts';
import { runSql } from '../../../test/support/run-sql.ts';
import { makeTempFolder } from '../../../test/support/temp-folder.ts';
import { ask } from '../src/ask.ts';
import { runCommand } from '../src/run-command.ts';

const AT = 1_767_225_600; // 2026-01-01T00:00:00Z
const BODY = '{"type":"conversation.message"}';

let database: TestDatabase;
let store: Store;
beforeAll(async () => {
  database = await createDatabase(inject('databaseUrl'));
  store = createStore({ databaseUrl: database.url });
});
afterEach(async () => {
  await runSql(database.directUrl, 'DELETE FROM rejected_requests');
  await runSql(database.directUrl, 'DELETE FROM operations');
});
afterAll(async () => {
  await store.close();
  await database.drop();
});

/** Runs `landline rejected`. `answer`: that of a person at a terminal; by default nobody sits there. */
async function rejected(args: string[], { answer }: { answer?: boolean } = {}) {
  const lines: string[] = [];
  const errors: string[] = [];
  const written: Uint8Array[] = [];
  const asked: string[] = [];
  const code = await runCommand(['rejected', ...args], {
    root: await makeTempFolder(),
    env: { DATABASE_URL: database.url, REDIS_URL: inject('redisUrl'), ELEVENLABS_WEBHOOK_SECRET: SECRET },
    print: (line) => lines.push(line),
    printError: (line) => errors.push(line),
    write: (bytes) => Promise.resolve(written.push(bytes) > 0),
    ...(answer !== undefined && { ask: (question: string) => Promise.resolve(asked.push(question) > 0 && answer) }),
    width: 200,
  });
  return { code, output: lines.join('\n'), errors: errors.join('\n'), bytes: Buffer.concat(written), asked };
}

let made = 0;
/** Writes a row; each came a second after the one before. Its signature is good with today's secret, unless `changes` say otherwise. */
async function aRow(changes: Partial<RejectedRow> = {}): Promise<RejectedRow> {
  const body = Buffer.from(`${BODY}${' '.repeat(made)}`);
  const row: RejectedRow = {
    id: randomUUID(),
    receivedAt: AT * 1000 + 1000 * made++,
    code: 'signature_mismatch',
    cause: 'another_secret',
    advice: 'Signed with another secret. Compare it.',
    header: sign(body, SECRET, AT),
    headers: { 'user-agent': 'Eleven\u009bLabs' },
    body,
    bodyBytes: body.length,
    sender: '127.0.0.1',
    readmittedAt: null,
    ...changes,
  };
  await store.keepRejected(row);
  return row;
}

/** One that can be readmitted, and some that cannot. */
async function someRows() {
  const good = await aRow();
  await aRow({ header: 't=1,v0=2', cause: 'no_v0' });
  await aRow({ bodyBytes: 1_000_000, cause: 'body_cut' });
  const there = await aRow({ readmittedAt: 1 });
  await runSql(
    database.directUrl,
    `INSERT INTO webhook_events (id, event_at, received_at, origin, outcome, body_bytes)
     VALUES ('${idempotencyKey(there.body ?? '')}', now(), now(), 'readmitted', 'applied', 1) ON CONFLICT DO NOTHING`,
  );
  return good;
}

/** Plays the worker: ends the next readmission, with one that is readmitted and one that is not. */
async function endNext() {
  const claimed = await vi.waitUntil(() => store.operations.claim('readmit', 60_000), {
    timeout: 20_000,
    interval: 20,
  });
  const progress = { total: 2, done: 1, failed: 1, message: null, checkpoint: null };
  await store.operations.finish(claimed, progress, 'done');
  return claimed;
}

describe('list', () => {
  test('shows the newest first, as a table and as one JSON document', async () => {
    const [a, b] = [await aRow(), await aRow({ cause: 'stale' })];
    const table = await rejected(['list']);
    expect(table.code).toBe(0);
    expect(table.output).toMatch(new RegExp(`${b.id}.*stale[^]*${a.id}.*another_secret[^]*\\(2 rows\\)`));
    const { output } = await rejected(['list', '--json']);
    expect(JSON.parse(output)).toMatchObject([
      {
        id: b.id,
        received_at: new Date(b.receivedAt).toISOString(),
        code: 'signature_mismatch',
        cause: 'stale',
        advice: b.advice,
        header: b.header,
        headers: b.headers,
        body_bytes: b.bodyBytes,
        kept_bytes: b.bodyBytes,
        sender: '127.0.0.1',
        readmitted_at: null,
      },
      { id: a.id },
    ]);
    // No control character of a stranger reaches a terminal.
    expect(output).not.toContain('\u009b');
  });

  test.each<[string[], (rows: string[]) => (string | undefined)[]]>([
    [['--cause', 'stale'], ([, b]) => [b]],
    [['--limit', '1'], ([, , c]) => [c]],
    [['--since', '2026-01-01T00:00:00Z', '--until', '2026-01-02'], ([a, b, c]) => [c, b, a]],
    [['--since', '1m'], () => []],
  ])('with %j', async (args, expected) => {
    made = 0;
    const ids = [(await aRow()).id, (await aRow({ cause: 'stale' })).id, (await aRow()).id];
    const { output } = await rejected(['list', '--json', ...args]);
    const listed: { id: string }[] = JSON.parse(output);
    expect(listed.map(({ id }) => id)).toEqual(expected(ids));
  });
});

describe('show', () => {
  test('shows one with its advice and headers', async () => {
    const row = await aRow({ bodyBytes: 5000 });
    const { code, output } = await rejected(['show', row.id]);
    expect(code).toBe(0);
    for (const text of [row.id, 'another_secret', row.advice, 'user-agent', '5000 bytes, the first']) {
      expect(output).toContain(text);
    }
    expect(output).not.toContain('\u009b');
    expect(JSON.parse((await rejected(['show', row.id, '--json'])).output)).toMatchObject({
      id: row.id,
      body_bytes: 5000,
    });
  });

  test('--body writes the exact bytes, and says where they are not all', async () => {
    const whole = await aRow({ body: Buffer.from([0xff, 0, 10]), bodyBytes: 3 });
    expect(await rejected(['show', whole.id, '--body'])).toMatchObject({ code: 0, bytes: whole.body, output: '' });
    const cut = await aRow({ bodyBytes: 1_000_000 });
    expect(await rejected(['show', cut.id, '--body'])).toMatchObject({
      code: 1,
      bytes: cut.body,
      errors: expect.stringContaining('of 1000000 bytes'),
    });
    const unread = await aRow({ body: null });
    expect(await rejected(['show', unread.id, '--body'])).toMatchObject({ code: 1, bytes: Buffer.alloc(0) });
  });

  test('of an id that does not exist exits with 1', async () => {
    expect(await rejected(['show', randomUUID()])).toMatchObject({ code: 1 });
  });
});

test.each([
  [[], 'rejected takes one of'],
  [['nonsense'], 'rejected takes one of'],
  [['list', '--cause', 'nonsense'], 'another_secret'],
  [['list', '--limit', '0'], '--limit takes'],
  [['list', '--since', 'nonsense'], '--since takes'],
  [['list', '--nonsense'], '--nonsense'],
  [['show'], 'takes one id'],
  [['show', 'nonsense'], 'is no id'],
  [['show', randomUUID(), '--body', '--json'], 'not both'],
  [['readmit'], '--yes does it without asking'],
])('rejected %j is a wrong call', async (args, text) => {
  const { code, errors } = await rejected(args);
  expect(code).toBe(2);
  expect(errors).toContain(text);
});

describe('readmit', () => {
  test('--plan counts by cause, and changes nothing', async () => {
    const good = await someRows();
    const { code, output } = await rejected(['readmit', '--plan', '--json']);
    expect(code).toBe(0);
    expect(JSON.parse(output)).toEqual({
      total: 4,
      readmittable: 1,
      by_cause: {
        another_secret: { total: 2, readmitted: 1 },
        no_v0: { total: 1, readmitted: 0 },
        body_cut: { total: 1, readmitted: 0 },
      },
      unfit: { signature_malformed: 1, body_cut: 1, already_readmitted: 1 },
      first: new Date(good.receivedAt).toISOString(),
      last: expect.any(String),
    });
    expect((await rejected(['readmit', '--plan'])).output).toContain('1 of 4 refused requests can be readmitted');
    expect(await store.operations.list(1)).toEqual([]);
  });

  test('--yes leaves it to a worker, with an end and the ids of the secrets, and shows what became of it', async () => {
    await someRows();
    const before = Date.now();
    const ending = endNext();
    const { code, output } = await rejected(['readmit', '--yes', '--json', '--cause', 'another_secret']);
    expect(code).toBe(0);
    expect(JSON.parse(output)).toMatchObject({ kind: 'readmit', status: 'done', total: 2, done: 1, failed: 1 });
    const { filter } = await ending;
    expect(filter).toEqual({ cause: 'another_secret', until: expect.any(String), secrets: expect.any(String) });
    expect(filter).toMatchObject({ secrets: createHash('sha256').update(SECRET).digest('hex').slice(0, 8) });
    const { until } = z.object({ until: z.string() }).parse(filter);
    expect(Date.parse(until)).toBeGreaterThanOrEqual(before);
  });

  test('asks first where a person is there', async () => {
    await aRow();
    expect(await rejected(['readmit'], { answer: false })).toMatchObject({
      code: 0,
      asked: ['Readmit 1 request?'],
      output: expect.stringContaining('Nothing was changed.'),
    });
    expect(await store.operations.list(1)).toEqual([]);
    const ending = endNext();
    const { code, asked, output } = await rejected(['readmit'], { answer: true });
    expect({ code, asked }).toEqual({ code: 0, asked: ['Readmit 1 request?'] });
    expect(output).toContain('1 of 1 refused requests can be readmitted');
    expect(output).toContain('done: 2 of 2, 1 failed');
    await ending;
  });

  test('where nothing can be readmitted, nobody is asked', async () => {
    await aRow({ header: null });
    expect(await rejected(['readmit'], { answer: true })).toMatchObject({ code: 0, asked: [] });
    expect(await store.operations.list(1)).toEqual([]);
  });
});

test.each([
  ['y\n', true],
  ['YES\n', true],
  ['no\n', false],
  ['\n', false],
  ['', false],
])('a person who answers %j', async (typed, expected) => {
  let shown = '';
  const output = new Writable({
    write(chunk: Buffer, _encoding, done) {
      shown += chunk.toString();
      done();
    },
  });
  expect(await ask('Sure?', { input: Readable.from(typed === '' ? [] : [typed]), output })).toBe(expected);
  expect(shown).toBe('Sure? [y/N] ');
});
