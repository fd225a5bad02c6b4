import { Client } from 'pg';
import { beforeAll, describe, expect, onTestFinished, test, vi } from 'vitest';
import { classifyError } from '../src/connection/classify-error.ts';
import type { Store } from '../src/store.ts';
import { anEvent, type Told } from './support/an-event.ts';
import { openQueryStore } from './support/query-store.ts';
import { withStore } from './support/with-store.ts';

const context = withStore();

/** What `work` fails with, as code and class; every error must keep its cause. */
async function failure(work: Promise<unknown>): Promise<[code: string, faultClass: string]> {
  const error = await work.then(
    () => new Error('it succeeded'),
    (cause: unknown) => cause,
  );
  expect(error).toMatchObject({ name: 'StoreError', cause: expect.any(Error) });
  const { code, faultClass } = classifyError(error);
  return [code, faultClass];
}

/** Does something with a store of its own. */
async function withOwnStore<T>(url: string, work: (store: Store) => Promise<T>): Promise<T> {
  const store = openQueryStore({ databaseUrl: url });
  try {
    return await work(store);
  } finally {
    await store.close();
  }
}

const action = (conversation_id: string): Told => ({ type: 'agent.action', data: { conversation_id, user_id: 'u' } });

describe('an error of Postgres, provoked', () => {
  beforeAll(async () => {
    await context.sql('CREATE DOMAIN positive AS int CHECK (VALUE > 0)');
    await context.sql('CREATE DOMAIN present AS int NOT NULL');
    await context.sql(
      'CREATE FUNCTION forever(n int) RETURNS int LANGUAGE plpgsql AS $$ BEGIN RETURN forever(n); END $$',
    );
  });

  test.each([
    ['22P02', 'data', `SELECT 'one'::int`],
    ['22P02', 'data', `SELECT '"\\ud800"'::jsonb`],
    ['22P05', 'data', `SELECT '"\\u0000"'::jsonb`],
    ['22021', 'data', `SELECT convert_from('\\x00'::bytea, 'UTF8')`],
    ['22003', 'data', `SELECT 1e10::int`],
    ['22008', 'data', `SELECT '2026-02-30'::timestamptz`],
    ['22012', 'data', `SELECT 1 / 0`],
    ['23502', 'data', `SELECT NULL::present`],
    ['23514', 'data', `SELECT 0::positive`],
    ['54000', 'data', `SELECT repeat('long', 1000000000)`],
    ['54001', 'data', `SELECT forever(1)`],
    ['42P01', 'configuration', `SELECT * FROM no_such_table`],
    ['42703', 'configuration', `SELECT no_such_column`],
    ['25006', 'resources', `INSERT INTO user_commands (action_id) VALUES ('a')`],
    ['42601', 'unknown', `SELEKT`],
  ])('%s is of the class %s: %s', async (code, faultClass, statement) => {
    expect(await failure(context.store.query(statement))).toEqual([code, faultClass]);
  });

  test('57P01 is of the class connection: an administrator ends it', async () => {
    const asleep = failure(context.store.query(`SELECT pg_sleep(60)::text AS terminate_me`));
    const terminated = `SELECT pg_terminate_backend(pid) FROM pg_stat_activity
      WHERE query LIKE '%terminate_me%' AND pid <> pg_backend_pid() AND state = 'active'`;
    await expect.poll(() => context.sql(terminated), { timeout: 20_000 }).toHaveLength(1);
    expect(await asleep).toEqual(['57P01', 'connection']);
    await context.store.ping();
  });

  test('40P01 is of the class conflict: a deadlock', async () => {
    const url = new URL(context.directUrl);
    url.searchParams.set('options', '-c deadlock_timeout=5s');
    await context.store.apply([anEvent(action('ring'))]);
    const rival = new Client({ connectionString: context.directUrl });
    await rival.connect();
    onTestFinished(() => rival.end());
    await withOwnStore(url.href, async (store) => {
      await rival.query(`SET deadlock_timeout = '60s'; BEGIN; UPDATE user_profiles SET dialect = 'x'`);
      const second = anEvent({ ...action('ring'), at: Date.UTC(2027, 0) });
      const applied = failure(store.apply([second]));
      // The store holds the conversation and waits for the profile; five seconds later it looks for a ring, once.
      await expect
        .poll(
          () =>
            context.sql(
              `SELECT 1 FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()`,
            ),
          { timeout: 20_000 },
        )
        .toHaveLength(1);
      const ring = rival.query(`UPDATE conversations SET summary = 'x'`);
      expect(await applied).toEqual(['40P01', 'conflict']);
      await ring;
      await rival.query('COMMIT');
      expect([...(await store.apply([second])).values()]).toEqual(['applied']);
    });
  });
});

describe('an error of a kind that a test cannot provoke, raised by Postgres', () => {
  test.each([
    ['40001', 'conflict'],
    ['40003', 'conflict'],
    ['08006', 'connection'],
    ['57P02', 'connection'],
    ['57P03', 'connection'],
    ['57P05', 'connection'],
    ['25P03', 'connection'],
    ['53100', 'resources'],
    ['53200', 'resources'],
    ['58000', 'resources'],
    ['58030', 'resources'],
    ['25P04', 'timeout'],
    ['XX000', 'corruption'],
    ['XX001', 'corruption'],
    ['P0001', 'unknown'],
  ])('%s is of the class %s', async (code, faultClass) => {
    const raise = `DO 'BEGIN RAISE EXCEPTION USING ERRCODE = ''${code}''; END'`;
    expect(await failure(context.store.query(raise))).toEqual([code, faultClass]);
  });

  test('is told by its SQLSTATE, whatever its message quotes', async () => {
    const raise = `DO 'BEGIN RAISE EXCEPTION ''Connection terminated, said the caller: Query read timeout'' USING ERRCODE = ''22000''; END'`;
    expect(await failure(context.store.query(raise))).toEqual(['22000', 'data']);
  });
});

describe('a serialization failure at COMMIT', () => {
  test('has no Prisma code, and is a conflict', async () => {
    await context.sql(`CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS
      $$ BEGIN RAISE EXCEPTION 'could not serialize access' USING ERRCODE = '40001'; END $$`);
    await context.sql(`CREATE CONSTRAINT TRIGGER at_commit AFTER INSERT ON user_commands
      DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION refuse()`);
    const event = anEvent(action('serialized'));
    const refused = context.store.apply([event]);
    await expect(refused).rejects.toMatchObject({ cause: { name: 'DriverAdapterError' } });
    expect(await failure(refused)).toEqual(['40001', 'conflict']);
    expect(await context.sql(`SELECT 1 FROM webhook_events WHERE id = '${event.entry.id}'`)).toEqual([]);

    await context.sql('DROP TRIGGER at_commit ON user_commands');
    expect([...(await context.store.apply([event])).values()]).toEqual(['applied']);
  });

  test('comes from a database that is serializable by default, where two applies meet; again, both are applied', async () => {
    const url = new URL(context.directUrl);
    url.searchParams.set('options', '-c default_transaction_isolation=serializable');
    await withOwnStore(url.href, async (store) => {
      const events: ReturnType<typeof anEvent>[] = [];
      const failed: unknown[] = [];
      // On a busy machine the twenty of a round may follow each other.
      const meet = async () => {
        const round = Array.from({ length: 20 }, (_, i) =>
          anEvent({ ...action('meeting'), at: 1000 + events.length + i }),
        );
        events.push(...round);
        const results = await Promise.allSettled(round.map((event) => store.apply([event])));
        failed.push(...results.flatMap((result) => (result.status === 'rejected' ? [result.reason] : [])));
        return failed.length > 0;
      };
      await vi.waitUntil(meet, { timeout: 20_000, interval: 1 });
      for (const reason of failed) expect(reason).toMatchObject({ faultClass: 'conflict' });
      // oxlint-disable-next-line no-await-in-loop -- one by one, so that they meet no more
      for (const event of events) await store.apply([event]);
      expect(await context.sql(`SELECT 1 FROM user_commands WHERE conversation_id = 'meeting'`)).toHaveLength(
        events.length,
      );
    });
  });
});

describe('an error caught inside a transaction', () => {
  test('would commit nothing in silence; ours rejects, and nothing is committed', async () => {
    await context.sql(`ALTER TABLE user_commands ADD CONSTRAINT no_mars CHECK (conversation_id <> 'mars')`);
    const group = [anEvent(action('mars')), anEvent(action('earth'))];
    expect(await failure(context.store.apply(group))).toEqual(['23514', 'data']);
    expect(await context.sql(`SELECT 1 FROM webhook_events WHERE conversation_id IN ('mars', 'earth')`)).toEqual([]);
    expect(await context.sql(`SELECT 1 FROM conversations WHERE id IN ('mars', 'earth')`)).toEqual([]);
  });
});

/** What an apply fails with under another URL. */
function elsewhere(change: (url: URL) => void): Promise<[code: string, faultClass: string]> {
  const url = new URL(context.directUrl);
  change(url);
  return withOwnStore(url.href, (store) => failure(store.apply([anEvent(action('refused'))])));
}

/** Makes a role of this database's own; answers how to put it into a URL. */
async function role(name: string, options = ''): Promise<(url: URL) => void> {
  const full = `${name}_${new URL(context.directUrl).pathname.slice(1)}`;
  await context.sql(`CREATE ROLE ${full} LOGIN PASSWORD 'secret' ${options}`);
  return (url) => {
    url.username = full;
    url.password = 'secret';
  };
}

describe('a database that refuses us', () => {
  test('28P01 is of the class configuration: a wrong password', async () => {
    expect(await elsewhere((url) => (url.password = 'wrong'))).toEqual(['28P01', 'configuration']);
  });

  test('3D000 is of the class configuration: no such database', async () => {
    expect(await elsewhere((url) => (url.pathname = 'nowhere'))).toEqual(['3D000', 'configuration']);
  });

  test('42501 is of the class configuration: a role without the right', async () => {
    expect(await elsewhere(await role('stranger'))).toEqual(['42501', 'configuration']);
  });

  test('53300 is of the class resources: too many connections', async () => {
    expect(await elsewhere(await role('crowd', 'CONNECTION LIMIT 0'))).toEqual(['53300', 'resources']);
  });

  test('25006 is of the class resources: it only reads, as a replica does and a managed one whose disk is full', async () => {
    const readOnly = elsewhere((url) => url.searchParams.set('options', '-c default_transaction_read_only=on'));
    expect(await readOnly).toEqual(['25006', 'resources']);
  });

  test('42P01 is of the class configuration: a migration is late', async () => {
    expect(await elsewhere((url) => (url.pathname = 'template1'))).toEqual(['42P01', 'configuration']);
  });
});
