import { Client } from 'pg';
import { afterAll, beforeAll, expect, onTestFinished, test, vi } from 'vitest';
import { StoreError } from '../../src/errors.ts';
import { conversationRebuildsOn, openConversationRebuilds } from '../../src/rebuild/conversation-rebuilds.ts';
import { anEvent, AT, type Told } from '../support/an-event.ts';
import { inEveryInterleaving, openSteppedStore, type SteppedStore } from '../support/interleave.ts';
import { EMPTY_TABLES, readTables, type Tables } from '../support/read-tables.ts';
import { withStore } from '../support/with-store.ts';

const context = withStore();

/** Where another one may come in between: before a transaction asks, before it locks, and before it commits. */
const STEPS = /says_nothing|k\.is_transcribed FOR|c\.clocks::text|c\.erased_at IS NULL AS is_new/;
/** With REBUILD=whole also between the two attempts: whoever comes there finds nothing that the first one has done. */
const IS_WHOLE = process.env['REBUILD'] === 'whole';
const isStep = (statement: string) => STEPS.test(statement) || (IS_WHOLE && statement.includes('LOCK TABLE'));

let applying: SteppedStore;
let forgetting: SteppedStore;
let rebuilding: SteppedStore;
beforeAll(() => {
  applying = openSteppedStore(context.url);
  forgetting = openSteppedStore(context.url, (store) =>
    store.forgetConversations(['c'], { transcript: true, audio: true }),
  );
  rebuilding = openSteppedStore(context.url, (_store, _events, transactions) =>
    conversationRebuildsOn(transactions, { lockMs: 30_000, aloneMs: 30_000 }).rebuild('c'),
  );
});
afterAll(() => Promise.all([applying.close(), forgetting.close(), rebuilding.close()]));

const message = (minutes: number): Told => ({
  type: 'conversation.message',
  at: AT + minutes * 60_000,
  data: { conversation_id: 'c', message: `live ${minutes}`, role: 'user' },
});
const transcript: Told = {
  type: 'post_call_transcription',
  at: AT + 600_000,
  data: {
    conversation_id: 'c',
    status: 'done',
    agent_id: 'a',
    transcript: [{ role: 'agent', message: 'all', time_in_call_secs: 1 }],
    metadata: {},
  },
};
const BEFORE = [message(5), message(6)];

/** The row says more than its events: it began earlier, and is further than any live event says. */
const AHEAD = `UPDATE conversations SET created_at = created_at - interval '1 day', title = 'wrong',
  clocks = array_fill('ffffffff-ffff-ffff-ffff-ffffffffffff'::uuid, ARRAY[22])`;
const WRONG = `UPDATE conversation_messages SET content = 'wrong'`;

async function tablesOf(events: readonly Told[]): Promise<Tables> {
  await context.sql(EMPTY_TABLES);
  for (const event of events) await context.store.apply([anEvent(event)]);
  return readTables(context);
}

async function begin(): Promise<void> {
  await context.sql(EMPTY_TABLES);
  await context.store.apply(BEFORE.map((event) => anEvent(event)));
}

/** With REBUILD=whole all of them, else the last. */
const CASES: readonly [name: string, event: Told, damage: string][] = [
  ['a message, where values are wrong', message(7), WRONG],
  ['the transcript, where the row is ahead of its events', transcript, AHEAD],
  ['the earliest message, where the row is ahead of its events', message(1), AHEAD],
];

test.each(IS_WHOLE ? CASES : CASES.slice(-1))(
  'whenever an event comes, the rows are those of all events: %s',
  async (_, event, damage) => {
    const expected = await tablesOf([...BEFORE, event]);
    const orders = await inEveryInterleaving({
      stores: [applying, rebuilding],
      groups: [[anEvent(event)], []],
      isStep,
      sql: (statement) => context.sql(statement),
      begin: async () => {
        await begin();
        await context.sql(damage);
      },
      check: async (order) => expect({ order, tables: await readTables(context) }).toEqual({ order, tables: expected }),
    });

    expect(orders).toBeGreaterThan(5);
  },
);

test('whenever somebody forgets the conversation, it stays forgotten', async () => {
  const orders = await inEveryInterleaving({
    stores: [forgetting, rebuilding],
    groups: [[], []],
    isStep,
    sql: (statement) => context.sql(statement),
    begin,
    async check(order) {
      const rows = await context.sql(`
        SELECT erased_at IS NOT NULL AS erased, title, metadata, (SELECT count(*)::int FROM conversation_messages) AS messages,
          (SELECT count(*)::int FROM webhook_bodies) AS bodies FROM conversations`);
      const forgotten = { erased: true, title: null, metadata: {}, messages: 0, bodies: 0 };
      expect({ order, rows }).toEqual({ order, rows: [forgotten] });
    },
  });
  expect(orders).toBeGreaterThan(2);
});

/** Postgres ends whoever looks for a ring: here the other one does so sooner than by default, and yet later than the rebuild gives way. */
test('where it waits for somebody who waits for it, the rebuild gives way', async () => {
  await begin();
  await context.sql(AHEAD);
  const rebuilds = openConversationRebuilds({ databaseUrl: context.url });
  onTestFinished(() => rebuilds.close());
  const meet = async () => {
    const other = new Client({ connectionString: context.directUrl });
    await other.connect();
    try {
      await other.query(
        `SET deadlock_timeout = '750ms'; BEGIN; UPDATE user_profiles SET first_seen_at = first_seen_at WHERE false`,
      );
      const run = { isOver: false };
      const refused = rebuilds
        .rebuild('c')
        .catch((error: unknown) => error)
        .finally(() => (run.isOver = true));
      await vi.waitUntil(async () => run.isOver || (await context.sql(WAITING)).length > 0, { ...WITHIN, interval: 5 });
      // It waits for half a second. On a machine that stalls that is over before the other one comes: then they have not met.
      if (run.isOver) {
        const ended = await refused;
        return ended instanceof StoreError && ended.code === '55P03' ? undefined : [ended];
      }
      await other.query(`UPDATE webhook_events SET type = type; COMMIT`);
      return [await refused];
    } finally {
      await other.end();
    }
  };
  const [refused] = await vi.waitUntil(meet, WITHIN);
  expect(refused).toMatchObject({ code: '55P03' });
  expect(await rebuilds.rebuild('c')).toEqual({ outcome: 'rebuilt', events: 2 });
});

const WITHIN = { timeout: 20_000 };

/** Who waits for it in this database: the tables of the others have the same numbers. */
const WAITING = `SELECT FROM pg_locks WHERE relation = 'user_profiles'::regclass AND mode = 'ShareRowExclusiveLock' AND NOT granted
  AND database = (SELECT oid FROM pg_database WHERE datname = current_database())`;
