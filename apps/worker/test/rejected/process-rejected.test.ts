import { randomUUID } from 'node:crypto';
import type { RejectedRequest } from '@landline/queue';
import { createStore, type RejectedTable, type Store } from '@landline/store';
import { sign } from '@landline/webhook';
import { afterAll, beforeAll, expect, inject, it } from 'vitest';
import { createDatabase, type TestDatabase } from '../../../../test/support/database.ts';
import { SECRET } from '../../../../test/support/post.ts';
import { runSql } from '../../../../test/support/run-sql.ts';
import { createMetrics } from '../../src/metrics.ts';
import { createPace } from '../../src/rejected/pace.ts';
import { processRejected, type RejectedContext } from '../../src/rejected/process-rejected.ts';

const AT = 1_767_225_600;
const BODY = '{"type":"conversation.message"}';
/** A table that takes each row at once. */
const NOWHERE = { keepRejected: () => Promise.resolve() };
const alive = new AbortController().signal;

let database: TestDatabase;
let store: Store;
beforeAll(async () => {
  database = await createDatabase(inject('databaseUrl'));
  store = createStore({ databaseUrl: database.url, lockTimeoutMs: 200 });
});
afterAll(async () => {
  await store.close();
  await database.drop();
});

const aRequest = (changes: Partial<RejectedRequest> = {}): RejectedRequest => ({
  v: 1,
  id: randomUUID(),
  receivedAt: AT * 1000 + 250,
  code: 'signature_mismatch',
  header: sign(Buffer.from(BODY), 'another secret', AT),
  headers: { 'user-agent': 'ElevenLabs' },
  encoding: 'utf8',
  body: BODY,
  bodyBytes: BODY.length,
  sender: '127.0.0.1',
  ...changes,
});

function aContext(table: Pick<RejectedTable, 'keepRejected'> = store, secrets = [SECRET]): RejectedContext {
  return {
    diagnosing: { secrets, toleranceSeconds: 3600 },
    store: table,
    metrics: createMetrics(),
    pace: createPace(),
  };
}

const rowOf = async (id: string) => {
  const columns = `id, received_at, code, cause, advice, header, headers, convert_from(body, 'UTF8') AS body, body_bytes::int, sender, readmitted_at`;
  return (await runSql(database.directUrl, `SELECT ${columns} FROM rejected_requests WHERE id = '${id}'`))[0];
};

it('writes a row with the cause and an advice, once', async () => {
  const request = aRequest();
  const context = aContext();
  await processRejected(request, alive, context);
  await processRejected({ ...request, code: 'another' }, alive, context);
  expect(await rowOf(request.id)).toEqual({
    id: request.id,
    received_at: new Date('2026-01-01T00:00:00.250Z'),
    code: 'signature_mismatch',
    cause: 'another_secret',
    advice: expect.stringMatching(/^Signed with another secret.*compare the webhook's secret/s),
    header: request.header,
    headers: { 'user-agent': 'ElevenLabs' },
    body: BODY,
    body_bytes: BODY.length,
    sender: '127.0.0.1',
    readmitted_at: null,
  });
  const counted = await context.metrics.diagnosed.get();
  expect(counted.values.filter(({ value }) => value > 0)).toMatchObject([
    { labels: { cause: 'another_secret' }, value: 2 },
  ]);
});

it.each<[string, Partial<RejectedRequest>, string[]]>([
  ['another_live_secret', { header: sign(Buffer.from(BODY), SECRET, AT) }, [SECRET]],
  ['stale', { header: sign(Buffer.from(BODY), SECRET, AT - 4000), code: 'signature_expired' }, [SECRET]],
  ['no_signature', { header: null, code: 'signature_missing' }, [SECRET]],
  ['repeated_signature', { header: ['t=1', 't=2'], code: 'signature_malformed' }, [SECRET]],
  ['body_cut', { bodyBytes: 1_000_000 }, [SECRET]],
  ['body_unread', { body: null, bodyBytes: 1_000_000 }, [SECRET]],
  ['unknown', {}, []],
])('finds %s', async (cause, changes, secrets) => {
  const request = aRequest(changes);
  await processRejected(request, alive, aContext(store, secrets));
  expect(await rowOf(request.id)).toMatchObject({
    cause,
    header: Array.isArray(request.header) ? request.header.join('\n') : request.header,
    body: request.body,
  });
});

it('keeps bytes that are no text, and what a header may hold', async () => {
  const request = aRequest({ encoding: 'base64', body: '/wD+', headers: { 'x-odd': 'a\u0000b\ud800' } });
  await processRejected(request, alive, aContext());
  const [row] = await runSql(
    database.directUrl,
    `SELECT encode(body, 'hex') AS body, headers FROM rejected_requests WHERE id = '${request.id}'`,
  );
  expect(row).toEqual({ body: 'ff00fe', headers: { 'x-odd': 'a\ufffdb\ufffd' } });
});

it('goes back to the queue while its table is locked, or away, and spends no attempt', async () => {
  const locked = processRejectedWhile(`LOCK TABLE rejected_requests IN ACCESS EXCLUSIVE MODE`);
  await expect(locked).rejects.toMatchObject({ name: 'HandBackError', delayMs: 10_000 });
  await runSql(database.directUrl, 'ALTER TABLE rejected_requests RENAME TO away');
  const away = processRejected(aRequest(), alive, aContext());
  await expect(away).rejects.toMatchObject({ name: 'HandBackError' });
  await runSql(database.directUrl, 'ALTER TABLE away RENAME TO rejected_requests');
  await processRejected(aRequest(), alive, aContext());
});

/** Processes a request while another session has run a statement in a transaction that is open. */
async function processRejectedWhile(statement: string): Promise<void> {
  const { Client } = await import('pg');
  const client = new Client({ connectionString: database.directUrl });
  await client.connect();
  try {
    await client.query('BEGIN');
    await client.query(statement);
    await processRejected(aRequest(), alive, aContext());
  } finally {
    await client.end();
  }
}

it('lets others go on while it diagnoses a large body', async () => {
  const body = JSON.stringify(Array.from({ length: 20_000 }, (_, i) => ({ id: i })));
  let turns = 0;
  let isDone = false;
  const count = () => {
    turns++;
    if (!isDone) setImmediate(count);
  };
  setImmediate(count);
  const secrets = Array.from({ length: 8 }, (_, i) => `${SECRET}${i}`);
  await processRejected(aRequest({ body, bodyBytes: body.length }), alive, aContext(NOWHERE, secrets));
  isDone = true;
  // Without a pause there would be one at most.
  expect(turns).toBeGreaterThan(2);
});
