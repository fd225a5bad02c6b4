import { randomUUID } from 'node:crypto';
import { Client } from 'pg';
import { describe, expect, onTestFinished, test } from 'vitest';
import { runSql } from '../../../../test/support/run-sql.ts';
import { openRetention } from '../../src/retention/retention-store.ts';
import { migrate } from '../../src/schema/migrate.ts';
import { makeRoles } from '../../src/schema/roles.ts';
import { createStore } from '../../src/store.ts';
import { emptyDatabase } from '../support/empty-database.ts';
import { withStore } from '../support/with-store.ts';

const context = withStore();
const DENIED = { code: '42501' };

/** Drops the bodies of a day. */
const drop = (day: string, parent = '') => `SELECT landline_drop_body_partition('${day}'${parent}) AS dropped`;

/** A migrated database with the three roles, and a partition for a day that is over. */
async function withRoles(schema?: string) {
  const admin = await emptyDatabase(schema);
  const prefix = `p${randomUUID().replaceAll('-', '')}`;
  const urls = await makeRoles({ adminUrl: admin, passwords: { owner: 'a', worker: 'b', reader: 'c' }, prefix });
  onTestFinished(async () => {
    for (const role of ['owner', 'worker', 'reader']) {
      // oxlint-disable no-await-in-loop -- three
      await runSql(admin, `DROP OWNED BY ${prefix}_${role} CASCADE`);
      await runSql(admin, `DROP ROLE ${prefix}_${role}`);
      // oxlint-enable no-await-in-loop
    }
  });
  await migrate(urls.owner);
  const path = schema === undefined ? '' : `SET search_path = "${schema}"; `;
  await runSql(urls.worker, `${path}SELECT landline_make_body_partitions('2026-03-01', '2026-03-02')`);
  const store = createStore({ databaseUrl: urls.worker });
  onTestFinished(() => store.close());
  return { ...urls, path, store };
}

/** Calls all that retention does as the worker, and a plan as the reader. */
async function expectRights({ reader, store }: Awaited<ReturnType<typeof withRoles>>): Promise<void> {
  const { retention } = store;
  const at = Date.UTC(2026, 2, 5);
  const page = { after: { at: 0, id: '' }, limit: 10 };
  const first = { after: { receivedAt: 0, id: '00000000-0000-0000-0000-000000000000' }, limit: 10 };
  expect([
    await retention.clearLedgerBodies(at, first),
    await retention.removeStoredBodies(at, 10),
    await retention.deleteEvents(at, 10),
    await retention.deleteRejected(at, 10),
    await retention.deleteRecordings(at, 10),
    await retention.dueTranscripts(at, 10),
    await retention.audioOrders(at, page),
    await retention.lateAudioOrders(at, 0, 10),
    await retention.oldConversations(at, page),
    await retention.staleLetters([{ id: randomUUID(), laidAt: at }], at),
    await retention.deleteOperations(at),
    await retention.lastRun(),
    await retention.runAge(),
    await retention.requestRun({}, 60_000),
    await retention.requestRun({}, 60_000),
  ]).toEqual([undefined, 0, 0, 0, 0, [], [], [], [], [], undefined, undefined, undefined, true, false]);
  const plan = openRetention({ databaseUrl: reader });
  onTestFinished(() => plan.close());
  const cutoffs = { now: at, bodies: at, events: at, conversations: at, recordings: at, rejected: at };
  expect(await plan.survey(cutoffs)).toMatchObject({ bodies: { due: 2 }, events: { due: 0 }, files: { due: 0 } });
  expect(Math.abs((await plan.now()) - Date.now())).toBeLessThan(60_000);
}

describe.each([undefined, 'Calls'])('in the schema %s', (schema) => {
  test('the worker, who owns nothing, may do all of it, and the reader may only plan', async () => {
    const roles = await withRoles(schema);
    const { worker, reader, path, store } = roles;
    await expectRights(roles);
    expect((await store.retention.bodyDays()).slice(0, 2)).toEqual(['2026-03-01', '2026-03-02']);
    expect(await store.retention.dropBodies('2026-03-01')).toBe(true);
    expect(await store.retention.dropBodies('2026-03-01')).toBe(false);
    expect((await store.retention.bodyDays())[0]).toBe('2026-03-02');
    await expect(runSql(reader, `BEGIN READ WRITE; ${path}${drop('2026-03-02')}`)).rejects.toMatchObject(DENIED);
    await expect(runSql(worker, `${path}DROP TABLE webhook_bodies_20260302`)).rejects.toMatchObject(DENIED);
  });
});

describe('the function', () => {
  test('drops no day to which events may still be written', async () => {
    const { retention } = context.store;
    const today = new Date().toISOString().slice(0, 10);
    await expect(retention.dropBodies(today)).rejects.toMatchObject({ code: '22023' });
    expect(await retention.bodyDays()).toContain(today);
  });

  test('drops nothing of another table, whatever the caller’s search path names', async () => {
    const { owner, worker } = await withRoles();
    const me = new URL(worker).username;
    await runSql(
      owner,
      `CREATE SCHEMA trap AUTHORIZATION CURRENT_USER; GRANT ALL ON SCHEMA trap TO ${me};
      CREATE TABLE trap.webhook_bodies_20260302 (id int); CREATE TABLE public.webhook_bodies_20260303 (id int)`,
    );
    await runSql(worker, `SET search_path = trap, public; ${drop('2026-03-02')}`);
    expect(await runSql(worker, drop('2026-03-03'))).toEqual([{ dropped: false }]);
    await runSql(worker, `CREATE TABLE trap.webhook_bodies (received_at timestamptz) PARTITION BY RANGE (received_at)`);
    await expect(runSql(worker, drop('2026-03-02', `, 'trap.webhook_bodies'`))).rejects.toMatchObject(DENIED);
    const left = `SELECT schemaname || '.' || tablename AS name FROM pg_tables WHERE tablename LIKE 'webhook_bodies_202603%' ORDER BY 1`;
    expect((await runSql(owner, left)).map(({ name }) => name)).toEqual([
      'public.webhook_bodies_20260301',
      'public.webhook_bodies_20260303',
      'trap.webhook_bodies_20260302',
    ]);
  });

  test('gives up within a moment while others use the table, so that no event waits behind it', async () => {
    const { retention } = context.store;
    await context.sql(`SELECT landline_make_body_partitions('2026-03-01', '2026-03-01')`);
    const other = new Client({ connectionString: context.directUrl });
    await other.connect();
    onTestFinished(() => other.end());
    await other.query('BEGIN; SELECT count(*) FROM webhook_bodies');
    await expect(retention.dropBodies('2026-03-01')).rejects.toMatchObject({
      code: '55P03',
      faultClass: 'conflict',
    });
    await other.query('COMMIT');
    expect(await retention.dropBodies('2026-03-01')).toBe(true);
  });
});
