import { randomUUID } from 'node:crypto';
import { Client } from 'pg';
import { describe, expect, onTestFinished, test, vi } from 'vitest';
import { LEDGER } from '../../../test/support/ledger.ts';
import { runSql } from '../../../test/support/run-sql.ts';
import { classifyError } from '../src/connection/classify-error.ts';
import { migrate, prepareTables } from '../src/schema/migrate.ts';
import { moveBodies } from '../src/schema/move-bodies.ts';
import { createStore } from '../src/store.ts';
import { anEvent } from './support/an-event.ts';
import { loginRole } from './support/empty-database.ts';
import {
  BODY_MIGRATIONS,
  bodyOfNumber,
  fillOldLedger,
  oldDatabase,
  recordedBefore,
  scriptOf,
} from './support/old-ledger.ts';

const WITHIN = { timeout: 20_000, interval: 5 };
const [BY_DAY, WITHOUT] = BODY_MIGRATIONS;

function openStore(databaseUrl: string) {
  const store = createStore({ databaseUrl });
  onTestFinished(() => store.close());
  return store;
}

const count = async (url: string, from: string) =>
  Number((await runSql(url, `SELECT count(*) AS n FROM ${from}`))[0]?.['n']);

/** How many events of `fillOldLedger` have their exact body, with its size, in the partition of their day. */
const whole = (url: string, events: number, bytes = 300) =>
  count(
    url,
    `generate_series(1, ${events}) AS i JOIN ${LEDGER} ON ledger.id = md5(i::text)::uuid
     JOIN webhook_bodies b ON b.event_id = ledger.id AND b.received_at = ledger.received_at
     WHERE b.body = ${bodyOfNumber('i', bytes)} AND ledger.body_bytes = octet_length(b.body)
       AND b.tableoid::regclass::text = 'webhook_bodies_' || to_char(b.received_at AT TIME ZONE 'UTC', 'YYYYMMDD')`,
  );

const columnsOf = async (url: string) =>
  (await runSql(url, `SELECT column_name FROM information_schema.columns WHERE table_name = 'webhook_events'`)).map(
    (row) => row['column_name'],
  );

/** What the move leaves behind: nothing. */
const leftovers = (url: string) =>
  runSql(
    url,
    `SELECT proname AS name FROM pg_proc WHERE proname LIKE 'landline\\_move%'
     UNION ALL SELECT tgname FROM pg_trigger WHERE tgname LIKE 'webhook\\_events\\_move%'
     UNION ALL SELECT relname FROM pg_class WHERE relname = 'webhook_bodies_move'`,
  );

async function expectMoved(url: string, events: number, bytes?: number): Promise<void> {
  expect(await whole(url, events, bytes)).toBe(events);
  expect(await columnsOf(url)).not.toContain('body');
  expect(await leftovers(url)).toEqual([]);
}

describe('the bodies of an older ledger', () => {
  test('are in the partitions of their days, byte by byte, and the ledger has no bodies', async () => {
    const url = await oldDatabase();
    await fillOldLedger(url, 2_500);
    expect((await migrate(url)).applied).toEqual(expect.arrayContaining([BY_DAY, WITHOUT]));
    await expectMoved(url, 2_500);
    expect(await count(url, 'webhook_bodies')).toBe(2_500);
    expect(await migrate(url)).toEqual({ applied: [] });
  });

  test('while they are moved, workers of the version before pass over orders to delete: these are read when it has ended', async () => {
    const url = await oldDatabase();
    await fillOldLedger(url, 50);
    expect(await prepareTables(url)).toMatchObject({ left: 'ours' });
    await runSql(
      url,
      `INSERT INTO conversations (id, status, started_at, created_at, updated_at, clocks, metadata, metadata_clocks)
       VALUES ('c', 'done', now(), now(), now(), '{}',
         '{"deletion_settings": {"deletion_time_unix_secs": 1767225600, "delete_transcript_and_pii": true}}',
         '{"deletion_settings": "00000000000000000000000000000001"}')`,
    );
    await migrate(url);
    expect(await runSql(url, 'SELECT id, delete_transcript_at, delete_audio_at FROM conversations')).toEqual([
      { id: 'c', delete_transcript_at: new Date('2026-01-01T00:00:00Z'), delete_audio_at: null },
    ]);
    expect(await migrate(url)).toEqual({ applied: [] });
  });

  test('of all kinds are moved: empty, no UTF-8, compressed, and larger than a batch', async () => {
    const url = await oldDatabase();
    const bodies = {
      empty: `''`,
      bytes: `'\\xff00fe'`,
      compressed: `convert_to(repeat('abc', 5000), 'UTF8')`,
      large: `(SELECT string_agg(sha512(i::text::bytea), NULL) FROM generate_series(1, 200000) i)`,
    };
    for (const [name, sql] of Object.entries(bodies))
      // oxlint-disable-next-line no-await-in-loop -- one after the other
      await runSql(
        url,
        `INSERT INTO webhook_events (id, type, event_at, received_at, origin, outcome, body)
         VALUES (gen_random_uuid(), '${name}', now(), now(), 'webhook', 'applied', ${sql})`,
      );
    const digests = 'SELECT type, md5(body) AS digest, octet_length(body) AS bytes';
    const before = await runSql(url, `${digests} FROM webhook_events ORDER BY type`);
    await migrate(url);
    expect(await runSql(url, `${digests} FROM ${LEDGER} ORDER BY type`)).toEqual(before);
    expect(await runSql(url, 'SELECT body_bytes AS bytes FROM webhook_events ORDER BY type')).toEqual(
      before.map(({ bytes }) => ({ bytes })),
    );
  });

  test('that are too old are taken out, and not moved', async () => {
    const url = await oldDatabase();
    await fillOldLedger(url, 2_500);
    // The events are two minutes apart.
    const bodiesSince = Date.now() - 1_000.5 * 120_000;
    await migrate(url, { bodiesSince });
    expect(await columnsOf(url)).not.toContain('body');
    expect(await whole(url, 1_000)).toBe(1_000);
    expect(await count(url, 'webhook_bodies')).toBe(1_000);
    expect(await count(url, 'webhook_events WHERE body_bytes >= 300')).toBe(2_500);
  });

  test('go with retention where they are too old, before anybody has moved them', async () => {
    const url = await oldDatabase();
    await fillOldLedger(url, 2_500);
    await prepareTables(url);
    const { retention } = openStore(url);
    const before = Date.now() - 1_000.5 * 120_000;
    const pages: number[] = [];
    let after = { receivedAt: 0, id: '00000000-0000-0000-0000-000000000000' };
    for (;;) {
      // oxlint-disable-next-line no-await-in-loop -- page after page
      const page = await retention.clearLedgerBodies(before, { after, limit: 700 });
      if (page === undefined) break;
      pages.push(page.cleared);
      after = page.last;
    }
    expect(pages).toEqual([700, 700, 100]);
    expect(await count(url, 'webhook_events WHERE body IS NOT NULL')).toBe(1_000);
    await migrate(url);
    expect(await whole(url, 1_000)).toBe(1_000);
    expect(await count(url, 'webhook_bodies')).toBe(1_000);
    expect(await retention.clearLedgerBodies(before, { after, limit: 700 })).toBeUndefined();
  });

  test('are moved by other means of migrating as well, whole or not at all', async () => {
    const url = await oldDatabase();
    await fillOldLedger(url, 500);
    await runSql(url, scriptOf(BY_DAY));
    await runSql(url, `BEGIN; ${scriptOf(WITHOUT)}; ROLLBACK`);
    expect(await count(url, 'webhook_events WHERE body IS NOT NULL')).toBe(500);
    await runSql(url, scriptOf(WITHOUT));
    await expectMoved(url, 500);
  });

  test('go on being moved where a move was killed, at any point', async () => {
    const url = await oldDatabase();
    await fillOldLedger(url, 4_000);
    expect(await prepareTables(url)).toMatchObject({ left: 'ours' });
    let kills = 0;
    // oxlint-disable no-await-in-loop -- a kill after another
    for (;;) {
      const run = { isOver: false };
      const moving = migrate(url)
        .then(
          () => 'done',
          () => 'killed',
        )
        .finally(() => (run.isOver = true));
      if (kills < 5) await vi.waitUntil(async () => run.isOver || (await killMove(url)), WITHIN);
      if ((await moving) === 'done') break;
      kills += 1;
    }
    // oxlint-enable no-await-in-loop
    expect(kills).toBeGreaterThan(0);
    await expectMoved(url, 4_000);
    expect(await count(url, 'webhook_bodies')).toBe(4_000);
  });

  test('are found again where the table was rewritten in the middle of the move', async () => {
    const url = await oldDatabase();
    await fillOldLedger(url, 3_000);
    await prepareTables(url);
    await runSql(url, 'SELECT landline_move_bodies(500, 1000000)');
    await runSql(url, 'DELETE FROM webhook_events WHERE id = md5(7::text)::uuid');
    await runSql(url, 'VACUUM FULL webhook_events');
    // The rows are on other pages now, also on those that were read.
    await runSql(url, 'UPDATE webhook_bodies_move SET next_page = end_page');
    await migrate(url);
    expect(await whole(url, 3_000)).toBe(2_999);
    expect(await leftovers(url)).toEqual([]);
  });
});

/** Ends the session that moves a batch at this moment; false where none does. */
async function killMove(url: string): Promise<boolean> {
  const killed = await runSql(
    url,
    `SELECT pg_terminate_backend(pid) FROM pg_stat_activity
     WHERE datname = current_database() AND state = 'active' AND query LIKE 'SELECT landline_move_bodies%'`,
  );
  return killed.length > 0;
}

async function isMoving(url: string): Promise<boolean> {
  const [row] = await runSql(url, `SELECT to_regclass('webhook_bodies_move') IS NOT NULL AS is_there`);
  return row?.['is_there'] === true;
}

const event = (id: string) => anEvent({ type: 'conversation.message', data: { conversation_id: id, message: id } });

describe('while bodies are moved', () => {
  test('workers of this version and of the one before apply, and each body is there once in the end', async () => {
    const url = await oldDatabase();
    await fillOldLedger(url, 3_000);
    expect(await prepareTables(url)).toMatchObject({ applied: expect.arrayContaining([BY_DAY]), left: 'ours' });
    const store = openStore(url);
    // Holds up the last step until some are there: the move may else be over before the first one.
    const reader = new Client({ connectionString: url });
    await reader.connect();
    onTestFinished(() => reader.end());
    await reader.query('BEGIN; SELECT count(*) FROM webhook_events');
    const moving = migrate(url);
    const dead = (await store.listDead({ limit: 100 })).map(({ id }) => id);
    expect(dead).toHaveLength(60);
    const old: string[] = [];
    for (let i = 0; i < 40 && (await isMoving(url)); i++) {
      // oxlint-disable no-await-in-loop -- beside the move
      const id = randomUUID();
      const refused = await runSql(url, recordedBefore({ id, body: `old ${i}` })).catch((error: unknown) => error);
      // The version before has no word for a ledger without bodies: it waits, see below.
      if (refused instanceof Error) break;
      old.push(id);
      await store.apply([event(`new ${i}`)]);
      if (old.length === 3) await reader.query('COMMIT');
      // oxlint-enable no-await-in-loop
    }
    // It may have ended before the third.
    await reader.query('COMMIT');
    expect(old.length).toBeGreaterThan(0);
    await moving;
    await expectMoved(url, 3_000);
    expect(
      await count(
        url,
        `webhook_events e JOIN webhook_bodies b ON b.event_id = e.id WHERE e.type = 'conversation.message'`,
      ),
    ).toBeGreaterThanOrEqual(old.length);
    const bodies = await runSql(
      url,
      `SELECT convert_from(body, 'UTF8') AS body FROM ${LEDGER} WHERE id = ANY($1::uuid[])`,
      [old],
    );
    expect(new Set(bodies.map(({ body }) => body))).toEqual(new Set(old.map((_, i) => `old ${i}`)));
    expect(await count(url, 'webhook_events')).toBe(await count(url, 'webhook_bodies'));
  });

  test('an event of the version before has its body moved at once, on any day, but for canaries', async () => {
    const url = await oldDatabase();
    await fillOldLedger(url, 10);
    await prepareTables(url);
    const [first, late, canary] = [randomUUID(), randomUUID(), randomUUID()];
    await runSql(url, recordedBefore({ id: first, body: 'now' }));
    await runSql(url, recordedBefore({ id: late, body: 'late', receivedAt: Date.UTC(2025, 1, 3, 23, 59, 59, 999) }));
    await runSql(url, recordedBefore({ id: canary, body: 'canary', type: 'landline.canary' }));
    // A second delivery is a duplicate, and leaves no second body.
    expect(await runSql(url, recordedBefore({ id: first, body: 'now' }))).toEqual([{ id: first }]);
    const found = await runSql(
      url,
      `SELECT event_id AS id, convert_from(body, 'UTF8') AS body FROM webhook_bodies ORDER BY received_at DESC`,
    );
    expect(found).toEqual([
      { id: first, body: 'now' },
      { id: late, body: 'late' },
    ]);
    expect(await count(url, `webhook_events WHERE body IS NULL AND body_bytes > 0`)).toBe(3);
    expect(await count(url, 'webhook_bodies_20250203')).toBe(1);
  });

  test.each(['this version', 'the version before'])('a dead event that %s applies keeps its body', async (version) => {
    const url = await oldDatabase();
    await fillOldLedger(url, 50);
    await prepareTables(url);
    const store = openStore(url);
    const [listed] = await store.listDead({ limit: 9 });
    const id = listed?.id ?? '';
    const [record] = await store.readDead([id]);
    expect(record?.delivery?.body).toHaveLength(300);
    const again = event('again');
    again.entry.id = id;
    // It answers duplicates alone.
    const applyBefore = async () => (await runSql(url, recordedBefore({ id, body: 'again' }))).length;
    const applyNow = async () => ((await store.apply([again])).get(id) === 'applied' ? 0 : 1);
    expect(await (version === 'this version' ? applyNow() : applyBefore())).toBe(0);
    expect(await runSql(url, `SELECT outcome FROM webhook_events WHERE id = '${id}'`)).toEqual([
      { outcome: 'applied' },
    ]);
    await migrate(url);
    await expectMoved(url, 50);
    expect(await count(url, 'webhook_bodies')).toBe(50);
  });

  test('a session that uses the ledger delays the last step, and no writer waits behind it for long', async () => {
    const url = await oldDatabase();
    await fillOldLedger(url, 20);
    await prepareTables(url);
    const reader = new Client({ connectionString: url });
    await reader.connect();
    onTestFinished(() => reader.end());
    await reader.query('BEGIN; SELECT count(*) FROM webhook_events');
    const migrating = migrate(url);
    await vi.waitUntil(
      async () => (await count(url, `pg_locks WHERE NOT granted AND mode = 'AccessExclusiveLock'`)) > 0,
      WITHIN,
    );
    expect([...(await openStore(url).apply([event('beside')])).values()]).toEqual(['applied']);
    expect(await columnsOf(url)).toContain('body');
    await reader.query('COMMIT');
    expect((await migrating).applied).toContain(WITHOUT);
    await expectMoved(url, 20);
  });
});

test('a worker of the version before is told that the tables are of another version: it waits, and no event is at fault', async () => {
  const url = await oldDatabase();
  await migrate(url);
  const refused: unknown = await runSql(url, recordedBefore({ id: randomUUID(), body: 'x' })).catch((e: unknown) => e);
  expect(classifyError(driverError(refused))).toMatchObject({ code: '42703', faultClass: 'configuration' });
});

/** An error of pg as Prisma's adapter wraps it. */
function driverError(error: unknown): unknown {
  const code: unknown = error instanceof Error ? Reflect.get(error, 'code') : undefined;
  return Object.assign(new Error('wrapped'), { cause: { originalCode: code } });
}

test('a move that is told to stop ends after the batch in hand, and the next one goes on', async () => {
  const url = await oldDatabase();
  await fillOldLedger(url, 3_000);
  await prepareTables(url);
  const leaving = new AbortController();
  const moving = moveBodies(url, { signal: leaving.signal });
  await vi.waitUntil(async () => (await count(url, 'webhook_bodies')) > 0, WITHIN);
  leaving.abort();
  await moving;
  expect(await migrate(url, { signal: leaving.signal })).toEqual({ applied: [] });
  await migrate(url);
  await expectMoved(url, 3_000);
});

test('a role that owns no table may work with a ledger that is not moved yet, and is told that it may not move it', async () => {
  const url = await oldDatabase();
  await fillOldLedger(url, 10);
  await prepareTables(url);
  const own = await loginRole(url);
  await runSql(url, `GRANT SELECT ON ALL TABLES IN SCHEMA public TO ${own.role}`);
  expect(await prepareTables(own.url)).toEqual({ applied: [], left: "the owner's" });
  await expect(migrate(own.url)).rejects.toThrow(/landline migrate/);
});

test('two that migrate at once move each body once, in a schema of their own', async () => {
  const url = await oldDatabase('calls');
  const inSchema = `${url}&options=-c%20search_path%3Dcalls`;
  await fillOldLedger(inSchema, 2_000);
  const results = await Promise.all([migrate(url), migrate(url)]);
  expect(results.flatMap(({ applied }) => applied).filter((name) => name === WITHOUT)).toHaveLength(1);
  await expectMoved(inSchema, 2_000);
  expect(await count(url, `pg_class WHERE relname LIKE 'webhook%' AND relnamespace <> 'calls'::regnamespace`)).toBe(0);
});
