import { beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { z } from 'zod';
import { startPgBouncer } from '../../../test/support/pgbouncer.ts';
import { runSql } from '../../../test/support/run-sql.ts';
import { startTcpProxy } from '../../../test/support/tcp-proxy.ts';
import { callerStatement } from '../src/read/caller-statement.ts';
import { describeCaller } from '../src/read/caller.ts';
import { migrate } from '../src/schema/migrate.ts';
import { createReader, type ReaderOptions } from '../src/read/reader.ts';
import { createStore } from '../src/store.ts';
import { anEvent, AT, type Told } from './support/an-event.ts';
import { emptyDatabase, loginRole } from './support/empty-database.ts';
import { withStore } from './support/with-store.ts';

const context = withStore();

function openReader(options: Partial<ReaderOptions> = {}) {
  const reader = createReader({ databaseUrl: context.url, isReader: true, limitMs: 5_000, ...options });
  onTestFinished(() => reader.close());
  return reader;
}

const NUMBER = '+201005550101';

const tell = async (...events: Told[]) => void (await context.store.apply(events.map(anEvent)));
const knownOf = async (number: string) => describeCaller(await openReader().findCaller(number), {});

describe('what events have told', () => {
  beforeAll(() =>
    tell(
      {
        type: 'conversation.started',
        data: {
          conversation_id: 'one',
          user_id: 'layla',
          caller_number: NUMBER,
          language: 'ar-EG',
          personality: { tone: 'warm' },
          user_profile: { first_name: 'Layla' },
        },
      },
      { type: 'conversation.ended', at: AT + 60_000, data: { conversation_id: 'one', summary: 'Booked a table.' } },
      {
        type: 'conversation.started',
        at: AT + 120_000,
        data: { conversation_id: 'two', caller_number: NUMBER, call_sid: 'CA_2' },
      },
      // From elsewhere, under their own id.
      { type: 'conversation.started', at: AT + 180_000, data: { conversation_id: 'three', user_id: 'layla' } },
      { type: 'conversation.started', at: AT + 240_000, data: { conversation_id: 'other', caller_number: '+4930' } },
    ),
  );

  test('the caller is the number and the user who was last seen with it, over all their calls', async () => {
    const caller = await knownOf(NUMBER);
    expect(caller).toMatchObject({
      language: 'ar',
      dialect: 'eg',
      personality: { tone: 'warm' },
      calls: 3,
      lastSummary: 'Booked a table.',
      lastCallAt: new Date(AT + 180_000),
    });
    expect(Object.fromEntries(caller?.attributes ?? [])).toEqual({ first_name: 'Layla' });
    expect(await knownOf('+49')).toBeUndefined();
  });

  test('of several users with one number that counts which was seen last', async () => {
    const number = '+12025550111';
    const started = (user_id: string, language: string, at: number): Told => ({
      type: 'conversation.started',
      at,
      data: { conversation_id: `of ${user_id}`, user_id, caller_number: number, language },
    });
    await tell(started('a', 'de', AT), started('b', 'fr', AT + 2_000), started('c', 'it', AT + 1_000));
    expect(await knownOf(number)).toMatchObject({ language: 'fr', calls: 3 });
  });

  test('what is said without naming anybody is known by the number that another event names', async () => {
    const data = { conversation_id: 'anonymous events' };
    await tell(
      {
        type: 'agent.action',
        at: AT + 2_000,
        data: {
          ...data,
          action: 'remember',
          language: 'ar-EG',
          personality: ['warm', 'patient'],
          user_profile: { tier: 'gold' },
        },
      },
      {
        type: 'conversation.message',
        at: AT + 3_000,
        data: { ...data, message: 'x', user_profile: { city: 'Cairo', tier: 'silver' } },
      },
      { type: 'conversation.started', at: AT, data: { ...data, caller_number: '+12025550112' } },
    );
    const caller = await knownOf('+12025550112');
    expect(caller).toMatchObject({ language: 'ar', dialect: 'eg', personality: ['warm', 'patient'] });
    expect(Object.fromEntries(caller?.attributes ?? [])).toEqual({ tier: 'silver', city: 'Cairo' });
  });
});

test('columns that somebody has filled by hand with anything cost no answer', async () => {
  await context.sql(
    `INSERT INTO user_profiles (user_id, language, personality, attributes, attributes_clocks, dialects, first_seen_at, last_seen_at)
     VALUES ('+1777', 'ar', '[1, null]', '"text"', '[]', '7', now(), 'infinity')`,
  );
  await context.sql(
    `INSERT INTO conversations (id, external_number, status, started_at, created_at, updated_at, metadata, metadata_clocks, dialects)
     VALUES ('odd', '+1777', 'odd', '-infinity', now(), now(), '[]', '"x"', 'null'),
       ('odder', '+1777', 'odd', '2026-01-05T09:00:00Z', now(), now(), '{"personality": null, "user_profile.": 1, "user_profile": [2]}', '{}', '[]')`,
  );
  expect(await knownOf('+1777')).toEqual({
    language: 'ar',
    dialect: null,
    personality: [1, null],
    attributes: new Map(),
    calls: 2,
    lastSummary: null,
    lastCallAt: new Date('2026-01-05T09:00:00Z'),
  });
});

test.for([true, false])(
  'a reader (%s) may be given any number, ?schema= and a pooler, and keeps nothing of a session',
  async (isReader) => {
    const url = await emptyDatabase('Our-calls');
    await migrate(url);
    const store = createStore({ databaseUrl: url });
    onTestFinished(() => store.close());
    await store.apply([
      anEvent({ type: 'conversation.started', data: { conversation_id: 'c', caller_number: NUMBER } }),
    ]);
    const databaseUrl = await startPgBouncer(url, { default_pool_size: 1 });
    const reader = openReader({ databaseUrl, isReader });
    expect(describeCaller(await reader.findCaller(NUMBER), {})).toMatchObject({ calls: 1 });
    await Promise.all([reader.probe(), reader.ping(), reader.findCaller(`'; DROP TABLE conversations; --`)]);
    const other = createReader({ databaseUrl: databaseUrl.replace('?schema=Our-calls', ''), isReader, limitMs: 5_000 });
    onTestFinished(() => other.close());
    await expect(other.findCaller(NUMBER)).rejects.toMatchObject({ name: 'StoreError', code: '42P01' });
  },
);

test('by DATABASE_URL it reads in transactions that cannot write', async () => {
  const { url, role } = await loginRole(context.url);
  // A look-up that writes, where it may.
  await context.sql(`CREATE SCHEMA trap; GRANT ALL ON SCHEMA trap TO ${role}; GRANT SELECT ON ALL TABLES IN SCHEMA public TO ${role};
    CREATE TABLE trap.notes (note text); GRANT ALL ON trap.notes TO ${role};
    CREATE FUNCTION trap.write() RETURNS boolean LANGUAGE sql AS 'INSERT INTO trap.notes VALUES (''x'') RETURNING true';
    CREATE VIEW trap.user_profiles AS SELECT * FROM public.user_profiles WHERE trap.write();
    CREATE VIEW trap.conversations AS SELECT * FROM public.conversations;
    GRANT SELECT ON trap.user_profiles, trap.conversations TO ${role}`);
  onTestFinished(async () => void (await context.sql('DROP SCHEMA trap CASCADE')));
  await tell({ type: 'conversation.started', data: { conversation_id: 'trapped', caller_number: '+1888' } });
  const databaseUrl = `${url}?schema=trap`;
  await expect(openReader({ databaseUrl, isReader: false }).findCaller('+1888')).rejects.toMatchObject({
    code: '25006',
  });
  // What the trap does to a role that may write, in no such transaction.
  await openReader({ databaseUrl, isReader: true }).findCaller('+1888');
  expect(await context.sql('SELECT * FROM trap.notes')).not.toEqual([]);
});

test('a look-up that takes too long is given up', async () => {
  await context.sql('BEGIN; LOCK TABLE conversations IN ACCESS EXCLUSIVE MODE');
  onTestFinished(async () => void (await context.sql('ROLLBACK')));
  for (const isReader of [true, false]) {
    // oxlint-disable-next-line no-await-in-loop -- one after the other
    await expect(openReader({ isReader, limitMs: 100 }).findCaller(NUMBER)).rejects.toMatchObject({
      name: 'StoreError',
    });
  }
  await expect(openReader({ limitMs: 100 }).probe()).rejects.toMatchObject({ name: 'StoreError' });
});

test('connections that hang while they idle are cut, and the next look-up has one of its own', async () => {
  const proxy = await startTcpProxy(context.url);
  onTestFinished(() => proxy.close());
  const reader = openReader({ databaseUrl: proxy.url, limitMs: 3_000 });
  await Promise.all(Array.from({ length: 4 }, () => reader.findCaller(NUMBER)));
  proxy.freeze();
  const cutOld = reader.mark();
  await reader.probe();
  await cutOld();
  const again = await Promise.all(Array.from({ length: 4 }, () => reader.findCaller(NUMBER)));
  expect(again).toHaveLength(4);
});

test('look-ups that wait for a connection are given up at once, and leave none behind', async () => {
  const reader = openReader({ poolSize: 1 });
  await reader.ping();
  await context.sql('BEGIN; LOCK TABLE conversations IN ACCESS EXCLUSIVE MODE');
  onTestFinished(async () => void (await context.sql('ROLLBACK')));
  const first = reader.findCaller(NUMBER);
  const waiting = [reader.findCaller('+1'), reader.findCaller('+2')];
  const cutOld = reader.mark();
  const given = { name: 'StoreError', code: 'late', faultClass: 'timeout' };
  for (const lookUp of waiting) {
    // oxlint-disable-next-line no-await-in-loop -- one after the other
    await expect(lookUp).rejects.toMatchObject(given);
  }
  void cutOld();
  await expect(first).rejects.toMatchObject({ name: 'StoreError', faultClass: 'connection' });
  await context.sql('ROLLBACK');
  await reader.ping();
});

describe('with many rows', () => {
  const MANY = 200_000;
  beforeAll(async () => {
    await context.sql(
      `INSERT INTO user_profiles (user_id, phone_number, language, first_seen_at, last_seen_at)
       SELECT CASE WHEN i % 2 = 0 THEN '+9' || i ELSE 'user ' || i END, '+9' || i / 2 * 2, 'en', now(), now() FROM generate_series(1, ${MANY}) i`,
    );
    await context.sql(
      `INSERT INTO conversations (id, external_number, user_id, status, started_at, created_at, updated_at, summary)
       SELECT 'many ' || i, CASE WHEN i % 20 = 0 THEN '+9pbx' ELSE '+9' || i / 4 END, 'user ' || i / 4, 'done',
         now() - i * interval '1 minute', now(), now(), 'summary' FROM generate_series(1, ${MANY}) i`,
    );
    await context.sql('ANALYZE user_profiles; ANALYZE conversations');
  });

  interface Plan {
    'Node Type': string;
    'Relation Name'?: string | undefined;
    'Actual Rows': number;
    'Actual Loops': number;
    Plans?: Plan[] | undefined;
  }
  const plan: z.ZodType<Plan> = z.object({
    'Node Type': z.string(),
    'Relation Name': z.string().optional(),
    'Actual Rows': z.number(),
    'Actual Loops': z.number(),
    Plans: z.lazy(() => z.array(plan)).optional(),
  });
  const explained = z.array(z.object({ 'QUERY PLAN': z.array(z.object({ Plan: plan })) }));

  const flatten = (node: Plan): Plan[] => [node, ...(node.Plans ?? []).flatMap(flatten)];

  test.for(['+91000', '+9pbx', '+4930', ''])(
    'the rows of %j come from indexes alone, and are bounded',
    async (number) => {
      const statement = callerStatement(undefined).replaceAll('$1', `'${number}'`);
      const [row] = explained.parse(await context.sql(`EXPLAIN (ANALYZE, FORMAT JSON) ${statement}`));
      const nodes = row?.['QUERY PLAN'].flatMap(({ Plan }) => flatten(Plan)) ?? [];
      const scans = nodes.filter((node) => node['Relation Name'] !== undefined);
      expect(new Set(scans.map((node) => node['Relation Name']))).toEqual(new Set(['user_profiles', 'conversations']));
      expect(scans.filter((node) => node['Node Type'] === 'Seq Scan')).toEqual([]);
      for (const scan of scans) expect(scan['Actual Rows'] * scan['Actual Loops']).toBeLessThanOrEqual(2_010);
    },
  );

  test('a number with ten thousand calls counts a thousand', async () => {
    expect(await knownOf('+9pbx')).toMatchObject({ calls: 1_000, lastSummary: 'summary' });
  });
});

test('a migrated database has the indexes that Prisma’s schema names', async () => {
  const rows = await runSql(context.url, `SELECT indexname FROM pg_indexes WHERE schemaname = 'public'`);
  expect(rows.map((row) => row['indexname'])).toEqual(
    expect.arrayContaining([
      'user_profiles_phone_number_idx',
      'conversations_external_number_started_at_idx',
      'conversations_user_id_started_at_idx',
    ]),
  );
});
