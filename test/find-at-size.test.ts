import { openLedger, searchText, type EventFilter } from '@landline/store';
import { afterAll, beforeAll, expect, inject, test } from 'vitest';
import { createDatabase, type TestDatabase } from './support/database.ts';
import { runSql } from './support/run-sql.ts';

/** FIND=whole: as many events as the promise names. */
const IS_WHOLE = process.env['FIND'] === 'whole';
const EVENTS = IS_WHOLE ? 1_000_000 : 20_000;
const TRANSCRIPTS = IS_WHOLE ? 100_000 : 2_000;
const CONVERSATIONS = EVENTS / 20;

/** A machine that does other work as well may be slower. */
const LIMIT_MS = IS_WHOLE ? { list: 100, firstFound: 2_000 } : { list: 2_000, firstFound: 20_000 };

/** The words of a transcript: 19 KB, as a call of five minutes has. */
const WORDS = 19_000;

let database: TestDatabase;
let ledger: ReturnType<typeof openLedger>;
const sql = (statement: string) => runSql(database.directUrl, statement);

beforeAll(async () => {
  database = await createDatabase(inject('databaseUrl'));
  await sql(`SELECT landline_make_body_partitions(current_date - 8, current_date + 1)`);
  await sql(`INSERT INTO conversations (id, agent_id, user_id, external_number, status, started_at, created_at, updated_at)
    SELECT 'conv_' || i, 'agent_' || i % 5, 'user_' || i / 10, '+1202555' || i / 10, 'done', now(), now(), now()
    FROM generate_series(0, ${CONVERSATIONS}) i`);
  // Live events of a week, and the transcripts of one day behind them.
  await sql(`INSERT INTO webhook_events (id, type, conversation_id, event_at, received_at, applied_at, origin, outcome, body_bytes)
    SELECT gen_random_uuid(), 'conversation.message', 'conv_' || (random() * ${CONVERSATIONS})::int, now(),
      now() - interval '1 day' - i * interval '1 day' * 7 / ${EVENTS}, now(), 'webhook', 'applied', 200
    FROM generate_series(1, ${EVENTS}) i`);
  // A thirtieth of a body is not the same in all, so that none is compressed to nothing.
  await sql(`WITH told AS (
      SELECT gen_random_uuid() AS id, i, (now() - i * interval '1 day' / ${TRANSCRIPTS})::timestamptz(3) AS at
      FROM generate_series(1, ${TRANSCRIPTS}) i),
    bodies AS (
      INSERT INTO webhook_bodies (received_at, event_id, body)
      SELECT at, id, convert_to('{"type":"post_call_transcription","text":"' || repeat(md5(i::text) || ' hello there, \\u0645\\u0631 ', ${Math.round(WORDS / 60)})
        || CASE WHEN i % ${TRANSCRIPTS / 4} = 7 THEN 'NEEDLE' ELSE '' END || '"}', 'UTF8')
      FROM told)
    INSERT INTO webhook_events (id, type, conversation_id, event_at, received_at, applied_at, origin, outcome, body_bytes)
    SELECT id, 'post_call_transcription', 'conv_' || i % ${CONVERSATIONS}, at, at, now(), 'webhook', 'applied', ${WORDS} FROM told`);
  await sql('VACUUM ANALYZE');
  ledger = openLedger({ databaseUrl: database.url });
}, 900_000);
afterAll(async () => {
  await ledger.close();
  await database.drop();
});

async function msOf(work: () => Promise<unknown>): Promise<number> {
  const startedAt = performance.now();
  await work();
  return performance.now() - startedAt;
}

const FILTERS: readonly EventFilter[] = [
  {},
  { conversation: 'conv_77' },
  { user: 'user_7' },
  { number: '+12025557' },
  { agent: 'agent_3' },
  { type: 'post_call_transcription' },
  { type: 'nothing' },
  { outcome: 'dead' },
  { origin: 'replay' },
  { error: 'nothing' },
  { since: Date.now() - 3 * 86_400_000, until: Date.now() - 2 * 86_400_000 },
];

test.each(FILTERS)(`%j is answered within ${LIMIT_MS.list} ms over ${EVENTS} events`, async (filter) => {
  const list = () => ledger.list(filter, { limit: 50 });
  // The first question opens a connection and reads pages from the disk.
  await list();
  const ms = Math.min(await msOf(list), await msOf(list), await msOf(list));
  process.stdout.write(`events ${JSON.stringify(filter)}: ${ms.toFixed(1)} ms\n`);
  expect(ms).toBeLessThan(LIMIT_MS.list);
});

test(`a text is looked for in ${TRANSCRIPTS} transcripts: the first answer is there within ${LIMIT_MS.firstFound} ms`, async () => {
  const startedAt = performance.now();
  let firstAt: number | undefined;
  let looked = 0;
  const found: number[] = [];
  for await (const step of searchText(ledger, { filter: { text: 'needle', type: 'post_call_transcription' } })) {
    looked += step.looked;
    found.push(...step.found.map(({ receivedAt }) => receivedAt));
    if (found.length > 0) firstAt ??= performance.now() - startedAt;
  }
  const ms = performance.now() - startedAt;
  process.stdout.write(
    `--text over ${looked} transcripts: first answer in ${Math.round(firstAt ?? NaN)} ms, all in ${Math.round(ms)} ms\n`,
  );
  expect(firstAt).toBeLessThan(LIMIT_MS.firstFound);
  expect(looked).toBe(TRANSCRIPTS);
  expect(found).toHaveLength(4);
  expect(found).toEqual(found.toSorted((a, b) => b - a));
}, 300_000);
