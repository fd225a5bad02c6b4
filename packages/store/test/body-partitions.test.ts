import { beforeEach, describe, expect, onTestFinished, test } from 'vitest';
import { startPgBouncer } from '../../../test/support/pgbouncer.ts';
import { LEDGER } from '../../../test/support/ledger.ts';
import { runSql } from '../../../test/support/run-sql.ts';
import type { ApplicableEvent } from '../src/apply.ts';
import { migrate } from '../src/schema/migrate.ts';
import { makeRoles } from '../src/schema/roles.ts';
import { createStore } from '../src/store.ts';
import { anEvent } from './support/an-event.ts';
import { emptyDatabase } from './support/empty-database.ts';
import { withStore } from './support/with-store.ts';

const context = withStore();
const DAY_MS = 86_400_000;
/** A midnight (UTC) around which no database has partitions. */
const MIDNIGHT = Date.UTC(2031, 6, 1);

/** An event that was received at a time in unix ms. */
function received(at: number, id = `c${at}`): ApplicableEvent {
  const event = anEvent({ type: 'conversation.message', data: { conversation_id: id, message: id } });
  event.entry.delivery.receivedAt = at;
  return event;
}

const dead = (event: ApplicableEvent) => ({ ...event, fault: { code: 'test', message: 'test' }, attempts: 1 });

const partitions = async () =>
  (
    await context.sql(
      `SELECT inhrelid::regclass::text AS name FROM pg_inherits WHERE inhparent = 'webhook_bodies'::regclass ORDER BY 1`,
    )
  ).map(({ name }) => String(name));

const bodies = () =>
  context.sql(`SELECT event_id::text AS id, received_at, convert_from(body, 'UTF8') AS body FROM webhook_bodies`);

function openStore(databaseUrl: string) {
  const store = createStore({ databaseUrl });
  onTestFinished(() => store.close());
  return store;
}

beforeEach(async () => {
  await context.sql('DELETE FROM webhook_events; DELETE FROM conversations; DELETE FROM conversation_messages');
  const made = (await partitions()).filter((name) => name.startsWith('webhook_bodies_2031'));
  if (made.length > 0) await context.sql(`DROP TABLE ${made.join(', ')}`);
});

describe('a missing partition', () => {
  test('is made at once, for the day in UTC, and the events are applied', async () => {
    const [before, after] = [received(MIDNIGHT - 1), received(MIDNIGHT)];
    const outcomes = await context.store.apply([before, after, received(MIDNIGHT + 3 * DAY_MS)]);
    expect([...outcomes.values()]).toEqual(['applied', 'applied', 'applied']);
    expect((await partitions()).filter((name) => name.includes('2031'))).toEqual([
      'webhook_bodies_20310630',
      'webhook_bodies_20310701',
      'webhook_bodies_20310704',
    ]);
    expect(await context.sql('SELECT event_id::text AS id FROM webhook_bodies_20310630')).toEqual([
      { id: before.entry.id },
    ]);
    expect(await context.sql('SELECT event_id::text AS id FROM webhook_bodies_20310701')).toEqual([
      { id: after.entry.id },
    ]);
    expect(await context.sql('SELECT count(*)::int AS n FROM conversation_messages')).toEqual([{ n: 3 }]);
  });

  test('is made for dead events as well', async () => {
    const event = received(MIDNIGHT);
    expect(await context.store.recordDead([dead(event)])).toEqual(new Set([event.entry.id]));
    expect(await context.store.readDead([event.entry.id])).toMatchObject([
      { delivery: { body: event.entry.delivery.body, receivedAt: MIDNIGHT } },
    ]);
  });

  test('is made once where many need it at once', async () => {
    const events = Array.from({ length: 12 }, (_, i) => received(MIDNIGHT + i, `call ${i}`));
    const stores = [context.store, openStore(context.url)];
    const outcomes = await Promise.all(events.map(async (event, i) => stores[i % 2]?.apply([event])));
    expect(outcomes.flatMap((each) => [...(each?.values() ?? [])])).toEqual(Array(12).fill('applied'));
    expect((await partitions()).filter((name) => name.includes('2031'))).toEqual(['webhook_bodies_20310701']);
  });

  test('of the day that the ledger has counts where the event is delivered again on another day', async () => {
    const event = received(MIDNIGHT, 'again');
    await context.store.recordDead([dead(event)]);
    await context.sql('DROP TABLE webhook_bodies_20310701');
    const again = received(MIDNIGHT + 5 * DAY_MS, 'again');
    expect(again.entry.id).toBe(event.entry.id);
    expect((await context.store.apply([again])).get(event.entry.id)).toBe('applied');
    expect((await partitions()).filter((name) => name.includes('2031'))).toEqual(['webhook_bodies_20310701']);
  });

  test('is not taken for a row that a CHECK refuses', async () => {
    await context.sql(`ALTER TABLE conversations ADD CONSTRAINT refused CHECK (id <> 'refused')`);
    onTestFinished(() => context.sql('ALTER TABLE conversations DROP CONSTRAINT refused').then(() => undefined));
    const before = await partitions();
    await expect(context.store.apply([received(Date.now(), 'refused')])).rejects.toMatchObject({
      code: '23514',
      faultClass: 'data',
    });
    expect(await partitions()).toEqual(before);
  });
});

test('partitions are made from yesterday to a week ahead, and none is made twice', async () => {
  const all = (await partitions()).filter((name) => !name.includes('202601'));
  const [row] = await context.sql(`SELECT to_char(now() AT TIME ZONE 'UTC' - interval '1 day', 'YYYYMMDD') AS first,
    to_char(now() AT TIME ZONE 'UTC' + interval '7 days', 'YYYYMMDD') AS last`);
  expect(all.length).toBeGreaterThanOrEqual(9);
  await context.sql(`DROP TABLE ${all.join(', ')}`);
  const made = await context.store.makeBodyPartitions();
  expect(made).toBe(9);
  const names = (await partitions()).filter((name) => !name.includes('202601'));
  expect([names[0], names.at(-1)]).toEqual([
    `webhook_bodies_${String(row?.['first'])}`,
    `webhook_bodies_${String(row?.['last'])}`,
  ]);
  expect(await context.store.makeBodyPartitions()).toBe(0);
});

test('a partition has the key and the rows of its parent only', async () => {
  await context.store.apply([received(MIDNIGHT)]);
  const [row] = await context.sql(`SELECT pg_get_expr(relpartbound, oid) AS bound,
    (SELECT count(*)::int FROM pg_index WHERE indrelid = c.oid AND indisprimary AND indisvalid) AS keys,
    (SELECT count(*)::int FROM pg_inherits WHERE inhparent = 'webhook_bodies_pkey'::regclass AND inhrelid = 'webhook_bodies_20310701_pkey'::regclass) AS attached
    FROM pg_class c WHERE relname = 'webhook_bodies_20310701'`);
  expect(row).toEqual({
    bound: expect.stringMatching(/^FOR VALUES FROM \('2031-07-01 .*'\) TO \('2031-07-02 .*'\)$/),
    keys: 1,
    attached: 1,
  });
});

/** A migrated database with the three roles. */
async function withRoles(schema?: string) {
  const admin = await emptyDatabase(schema);
  const prefix = `p${crypto.randomUUID().replaceAll('-', '')}`;
  const urls = await makeRoles({ adminUrl: admin, passwords: { owner: 'a', worker: 'b', reader: 'c' }, prefix });
  onTestFinished(async () => {
    for (const role of ['owner', 'worker', 'reader']) {
      // oxlint-disable no-await-in-loop -- three
      await runSql(admin, `DROP OWNED BY ${prefix}_${role} CASCADE`);
      await runSql(admin, `DROP ROLE ${prefix}_${role}`);
      // oxlint-enable no-await-in-loop
    }
  });
  return { admin, ...urls, prefix };
}

const MAKE = `SELECT landline_make_body_partitions('2031-07-01', '2031-07-02')`;
const DENIED = { code: '42501' };

describe.each([undefined, 'Calls'])('in the schema %s', (schema) => {
  test('the worker, who owns nothing, makes partitions by the function, and the reader does not', async () => {
    const { owner, worker, reader, prefix } = await withRoles(schema);
    await migrate(owner);
    const event = received(MIDNIGHT);
    const store = openStore(worker);
    expect([...(await store.apply([event])).values()]).toEqual(['applied']);
    expect(await store.makeBodyPartitions()).toBe(0);
    const path = schema === undefined ? '' : `SET search_path = "${schema}"; `;
    const owners = await runSql(
      owner,
      `SELECT DISTINCT tableowner FROM pg_tables WHERE tablename LIKE 'webhook_bodies%' AND schemaname = '${schema ?? 'public'}'`,
    );
    expect(owners).toEqual([{ tableowner: `${prefix}_owner` }]);
    await expect(runSql(worker, `${path}CREATE TABLE mine (id int)`)).rejects.toMatchObject(DENIED);
    await expect(runSql(worker, `${path}DROP TABLE webhook_bodies_20310701`)).rejects.toMatchObject(DENIED);
    await expect(runSql(reader, `BEGIN READ WRITE; ${path}${MAKE}`)).rejects.toMatchObject(DENIED);
  });
});

describe('the function', () => {
  test('is nobody else’s: a role without the right is told which GRANT, and its events wait', async () => {
    const { admin, owner, worker, prefix } = await withRoles();
    await migrate(owner);
    await runSql(admin, `REVOKE EXECUTE ON FUNCTION landline_make_body_partitions FROM ${prefix}_worker`);
    const store = openStore(worker);
    const refused: unknown = await store.apply([received(MIDNIGHT)]).catch((error: unknown) => error);
    expect(refused).toMatchObject({
      code: '42501',
      faultClass: 'configuration',
      advice: expect.stringContaining(
        `GRANT EXECUTE ON FUNCTION "public".landline_make_body_partitions TO "${prefix}_worker";`,
      ),
    });
    // Whoever breaks a CHECK is at fault all the same.
    await runSql(admin, `ALTER TABLE conversations ADD CONSTRAINT refused CHECK (id <> 'refused')`);
    await expect(store.apply([received(Date.now(), 'refused')])).rejects.toMatchObject({ faultClass: 'data' });
    await runSql(admin, `GRANT EXECUTE ON FUNCTION landline_make_body_partitions TO ${prefix}_worker`);
    expect([...(await store.apply([received(MIDNIGHT)])).values()]).toEqual(['applied']);
  });

  test('follows its tables to the owner whom a later version makes', async () => {
    const { admin, worker, prefix } = await withRoles();
    await runSql(admin, `DROP OWNED BY ${prefix}_owner CASCADE`);
    // As the administrator migrated before there were roles.
    await migrate(admin);
    await makeRoles({ adminUrl: admin, passwords: { owner: 'a', worker: 'b', reader: 'c' }, prefix });
    expect([...(await openStore(worker).apply([received(MIDNIGHT)])).values()]).toEqual(['applied']);
    const owners = await runSql(
      admin,
      `SELECT DISTINCT rolname FROM pg_class c JOIN pg_roles r ON r.oid = c.relowner WHERE relname LIKE 'webhook_bodies%'
       UNION SELECT rolname FROM pg_proc p JOIN pg_roles r ON r.oid = p.proowner WHERE proname LIKE 'landline%'`,
    );
    expect(owners).toEqual([{ rolname: `${prefix}_owner` }]);
  });

  test('makes partitions of no other table, whatever the caller’s search path names', async () => {
    const { admin, owner, worker, prefix } = await withRoles();
    await migrate(owner);
    await runSql(admin, `CREATE SCHEMA trap AUTHORIZATION ${prefix}_worker`);
    const trap = `SET search_path = trap, public; CREATE TABLE webhook_bodies (received_at timestamptz) PARTITION BY RANGE (received_at);`;
    await runSql(worker, `${trap} ${MAKE}`);
    expect(
      await runSql(worker, `SELECT 1 FROM pg_tables WHERE schemaname = 'trap' AND tablename LIKE '%2031%'`),
    ).toEqual([]);
    await expect(
      runSql(worker, `SELECT landline_make_body_partitions('2031-07-01', '2031-07-01', 'trap.webhook_bodies')`),
    ).rejects.toMatchObject(DENIED);
    await expect(
      runSql(worker, `SELECT landline_make_body_partitions('2031-01-01', '2041-01-01')`),
    ).rejects.toMatchObject({ code: '54000' });
  });

  test('goes along with a schema that is renamed', async () => {
    const url = await emptyDatabase();
    await migrate(url);
    await runSql(url, 'ALTER SCHEMA public RENAME TO moved; CREATE SCHEMA public');
    const store = openStore(`${url}?schema=moved`);
    expect([...(await store.apply([received(MIDNIGHT)])).values()]).toEqual(['applied']);
    expect(await runSql(url, 'SELECT count(*)::int AS n FROM moved.webhook_bodies_20310701')).toEqual([{ n: 1 }]);
  });

  test('works behind PgBouncer with one connection in all', async () => {
    const url = await emptyDatabase('calls');
    await migrate(url);
    const store = openStore(await startPgBouncer(url, { default_pool_size: 1 }));
    const events = Array.from({ length: 5 }, (_, i) => received(MIDNIGHT + i * DAY_MS));
    const outcomes = await Promise.all(events.map((event) => store.apply([event])));
    expect(outcomes.map((each) => [...each.values()])).toEqual(events.map(() => ['applied']));
  });
});

describe('the body of an event', () => {
  beforeEach(() => context.sql('DELETE FROM webhook_bodies').then(() => undefined));

  test('is there once, under the first time of receipt, however often the event comes', async () => {
    const event = received(Date.now(), 'once');
    await context.store.apply([event]);
    await context.store.apply([received(Date.now() + DAY_MS, 'once'), event]);
    expect(await bodies()).toEqual([
      { id: event.entry.id, received_at: new Date(event.entry.delivery.receivedAt), body: event.entry.delivery.body },
    ]);
    expect(await context.sql(`SELECT body_bytes FROM webhook_events`)).toEqual([
      { body_bytes: event.entry.delivery.body.length },
    ]);
  });

  test('stays where a dead event is applied, also from another delivery', async () => {
    const event = received(Date.now(), 'revived');
    await context.store.recordDead([dead(event)]);
    const before = await bodies();
    await context.store.recordDead([dead(received(Date.now() + DAY_MS, 'revived'))]);
    await context.store.apply([received(Date.now() + DAY_MS, 'revived')]);
    expect(await bodies()).toEqual(before);
  });

  test('that is gone is not written again by a duplicate, but by an event that is not applied yet', async () => {
    const [applied, waiting] = [received(Date.now(), 'applied'), received(Date.now(), 'waiting')];
    await context.store.apply([applied]);
    await context.store.recordDead([dead(waiting)]);
    await context.sql('DELETE FROM webhook_bodies');
    expect((await context.store.readDead([waiting.entry.id]))[0]?.delivery).toBeUndefined();
    await context.store.apply([applied]);
    expect(await bodies()).toEqual([]);
    await context.store.recordDead([dead(waiting)]);
    expect(await bodies()).toMatchObject([{ id: waiting.entry.id }]);
    expect((await context.store.readDead([waiting.entry.id]))[0]?.delivery?.body).toBe(waiting.entry.delivery.body);
  });

  test('that is gone stays gone where a later delivery has another part of it, which fits no reference', async () => {
    const [first, other] = [received(Date.now(), 'part'), received(Date.now(), 'part')];
    other.entry.delivery.body = `${other.entry.delivery.body} `;
    await context.store.recordDead([dead(first)]);
    await context.sql('DELETE FROM webhook_bodies');
    expect(await context.store.recordDead([dead(other)])).toEqual(new Set([first.entry.id]));
    expect(await bodies()).toEqual([]);
  });

  test('that is there without its row in the ledger is taken over', async () => {
    const event = received(Date.now(), 'left behind');
    await context.store.apply([event]);
    await context.sql('DELETE FROM webhook_events');
    expect([...(await context.store.apply([event])).values()]).toEqual(['applied']);
    expect(await context.sql(`SELECT count(*)::int AS n FROM ${LEDGER} WHERE body IS NOT NULL`)).toEqual([{ n: 1 }]);
  });
});
