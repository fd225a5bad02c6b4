import { beforeEach, expect, test, vi } from 'vitest';
import { permutations } from '../../../../test/support/permutations.ts';
import type { ListedCall } from '../../src/reconcile/reconcile.ts';
import { anEvent, AT, type Told } from '../support/an-event.ts';
import { EMPTY_TABLES, readTables } from '../support/read-tables.ts';
import { withStore } from '../support/with-store.ts';

const context = withStore();
beforeEach(() => context.sql(EMPTY_TABLES));

const CALL: ListedCall = {
  id: 'c',
  agentId: 'listed agent',
  status: 'done',
  startedAt: AT - 5_000,
  durationSeconds: 90.5,
  direction: 'inbound',
  title: 'listed title',
  summary: 'listed summary',
  callSuccessful: 'success',
  endReason: 'listed end',
};
const RUNNING: ListedCall = {
  ...CALL,
  status: 'in-progress',
  durationSeconds: 0,
  title: null,
  summary: null,
  callSuccessful: null,
  endReason: null,
};

/** Says nothing of its own, and is the earliest. */
const message: Told = {
  type: 'conversation.message',
  at: AT + 1_000,
  data: { conversation_id: 'c', message: 'hello', role: 'user' },
};
const started: Told = {
  type: 'conversation.started',
  at: AT + 2_000,
  data: { conversation_id: 'c', agent_id: 'live agent' },
};
const transcript: Told = {
  type: 'post_call_transcription',
  at: AT + 100_000,
  data: {
    conversation_id: 'c',
    status: 'failed',
    agent_id: 'final agent',
    transcript: [{ role: 'agent', message: 'all', time_in_call_secs: 1 }],
    metadata: { start_time_unix_secs: AT / 1000, call_duration_secs: 60 },
    analysis: { call_summary_title: 'final title' },
  },
};

/** A step of an order: an event, or what a list says. */
type Step = Told | ListedCall;

async function takeSteps(steps: readonly Step[]): Promise<void> {
  for (const step of steps) {
    // oxlint-disable-next-line no-await-in-loop -- one after the other
    await ('type' in step ? context.store.apply([anEvent(step)]) : context.store.reconcile.noteListed([step]));
  }
}

const ROW = `SELECT agent_id, status, channel, direction, started_at, ended_at, duration_seconds, end_reason, title, summary, call_successful, created_at, updated_at
  FROM conversations`;

test('a call that never sent an event has the row of the list, and the later list stands', async () => {
  const before = {
    agent_id: 'listed agent',
    status: 'in_progress',
    channel: null,
    direction: 'inbound',
    started_at: new Date(AT - 5_000),
    ended_at: null,
    duration_seconds: null,
    end_reason: null,
    title: null,
    summary: null,
    call_successful: null,
    created_at: new Date(AT - 5_000),
    updated_at: new Date(AT - 5_000),
  };
  await context.store.reconcile.noteListed([RUNNING, { ...RUNNING, id: 'another' }]);
  expect(await context.sql(`${ROW} WHERE id = 'c'`)).toEqual([before]);
  await context.store.reconcile.noteListed([{ ...CALL, summary: 'half \ud83d and \0' }]);
  const after = {
    ...before,
    status: 'done',
    ended_at: new Date(AT + 85_500),
    duration_seconds: 90.5,
    end_reason: 'listed end',
    title: 'listed title',
    summary: 'half \ufffd and \ufffd',
    call_successful: 'success',
    updated_at: new Date(AT + 85_500),
  };
  expect(await context.sql(`${ROW} WHERE id = 'c'`)).toEqual([after]);
  // What has not changed is not written again.
  const version = `SELECT xmin::text, ctid::text FROM conversations WHERE id = 'c'`;
  const written = await context.sql(version);
  await context.store.reconcile.noteListed([RUNNING, { ...CALL, summary: null }]);
  expect(await context.sql(version)).toEqual(written);
});

/** What the list alone says, beside these events. */
const ONLY_LISTED = {
  direction: 'inbound',
  summary: 'listed summary',
  end_reason: 'listed end',
  call_successful: 'success',
  // Until the comparison has judged it.
  completeness: 'open',
};
const IN_A_LIVE_CALL = {
  ...ONLY_LISTED,
  title: 'listed title',
  ended_at: '2026-01-05T09:01:25.5+00:00',
  duration_seconds: 90.5,
};

test.each([
  { name: 'a message', events: [message], only: { ...IN_A_LIVE_CALL, agent_id: 'listed agent' } },
  { name: 'live events', events: [message, started], only: IN_A_LIVE_CALL },
  { name: 'live events and the account', events: [message, started, transcript], only: ONLY_LISTED },
])(
  'whenever the list comes beside $name, events outrank it, and it adds what they do not say',
  async ({ events, only }) => {
    await takeSteps(events);
    const { conversations, ...rest } = await readTables(context);
    const expected = { ...rest, conversations: conversations.map((row) => ({ ...row, ...only })) };
    expect(rest.webhook_events).toHaveLength(events.length);
    for (const steps of permutations<Step>([...events, CALL])) {
      // oxlint-disable no-await-in-loop -- one after the other
      await context.sql(EMPTY_TABLES);
      await takeSteps([RUNNING, ...steps]);
      expect({ steps, tables: await readTables(context) }).toEqual({ steps, tables: expected });
      // oxlint-enable no-await-in-loop
    }
  },
);

test('events of one transaction have the times of before beside the list as well', async () => {
  await context.store.apply([anEvent(message), anEvent(started)]);
  const [alone] = await context.sql('SELECT created_at, updated_at, status, started_at FROM conversations');
  await context.sql(EMPTY_TABLES);
  await takeSteps([CALL]);
  await context.store.apply([anEvent(message), anEvent(started)]);
  expect(await context.sql('SELECT created_at, updated_at, status, started_at FROM conversations')).toEqual([alone]);
});

test('a forgotten call says nothing again, and the others of its list do', async () => {
  await takeSteps([message]);
  await context.store.forgetConversations(['c'], { transcript: true, audio: true });
  const forgotten = await readTables(context);
  await context.store.reconcile.noteListed([{ ...CALL, id: 'd' }, CALL]);
  const { conversations, ...rest } = await readTables(context);
  expect({ ...rest, conversations: conversations.filter(({ id }) => id === 'c') }).toEqual(forgotten);
  expect(conversations.map(({ id, title, completeness }) => [id, title, completeness])).toEqual([
    ['c', null, 'erased'],
    ['d', 'listed title', 'open'],
  ]);
});

/** An erasure of a person that was asked for at a time, in unix milliseconds. */
async function erasure(at: number): Promise<string> {
  const [row] = await context.sql(`INSERT INTO erasures (id, kind, subject_hash, requested_at)
    VALUES (gen_random_uuid(), 'number', 'x', to_timestamp(${at / 1000})) RETURNING id::text`);
  return String(row?.['id']);
}

/** Who waits for a lock in this database. */
const WAITING = `SELECT l.pid FROM pg_locks AS l JOIN pg_stat_activity AS a USING (pid) WHERE NOT l.granted AND a.datname = current_database()`;

const WORDS = `SELECT id, title, summary, end_reason FROM conversations ORDER BY id`;
const words = (id: string) => ({ id, title: 'listed title', summary: 'listed summary', end_reason: 'listed end' });
const none = (id: string) => ({ id, title: null, summary: null, end_reason: null });

test(
  'what the list says in words of a call stands only while nobody was erased since it began',
  { timeout: 60_000 },
  async () => {
    const { reconcile, erasing } = context.store;
    const [before, after] = [
      { ...CALL, id: 'before' },
      { ...CALL, id: 'since', startedAt: AT + 5_000 },
    ];
    await reconcile.noteListed([before, after]);
    const id = await erasure(AT);
    // Somebody lists calls, and does not see the erasure yet.
    await context.sql(
      `BEGIN; SELECT pg_advisory_xact_lock_shared(hashtextextended('landline words of lists ' || current_schema(), 0))`,
    );
    const clearing = erasing.clearListed(id, '');
    await vi.waitFor(async () => expect(await context.sql(WAITING)).not.toEqual([]), 20_000);
    await context.sql(`INSERT INTO conversations (id, status, started_at, created_at, updated_at, clocks, completeness, title)
    SELECT 'meanwhile', status, started_at, created_at, updated_at, clocks, completeness, title FROM conversations WHERE id = 'before'; COMMIT`);
    expect(await clearing).toBe('since');
    expect(await erasing.clearListed(id, 'since')).toBeUndefined();
    expect(await context.sql(WORDS)).toEqual([none('before'), none('meanwhile'), words('since')]);
    expect((await erasing.get(id))?.counts).toEqual({ listed: 2 });

    // Nor does the next list bring them back, or those of a call whose start nobody knows, or that is still to come.
    const unknown = { ...CALL, id: 'unknown', startedAt: AT + 5_000, isStartKnown: false };
    await reconcile.noteListed([before, unknown, { ...CALL, id: 'to come', startedAt: Date.now() + 3_600_000 }]);
    const left = [none('before'), none('meanwhile'), words('since'), none('to come'), none('unknown')];
    expect(await context.sql(WORDS)).toEqual(left);
    // Its account says them again.
    await context.store.apply([anEvent({ ...transcript, data: { ...transcript.data, conversation_id: 'before' } })]);
    expect((await context.sql(WORDS))[0]).toMatchObject({ title: 'final title', summary: null });
    await erasing.clearListed(await erasure(AT + 10_000), '');
    expect((await context.sql(WORDS)).slice(0, 3)).toEqual([
      { ...none('before'), title: 'final title' },
      none('meanwhile'),
      none('since'),
    ]);
    await context.sql('DELETE FROM erasures');
  },
);
