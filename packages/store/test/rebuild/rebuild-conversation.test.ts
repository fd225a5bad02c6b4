import { createHash } from 'node:crypto';
import { normalise } from '@landline/webhook';
import { deliveryOf } from '@landline/webhook/delivery';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { callers } from '../../../../test/expected-rows/callers.ts';
import { identity } from '../../../../test/expected-rows/identity.ts';
import { languages } from '../../../../test/expected-rows/languages.ts';
import { outcomes } from '../../../../test/expected-rows/outcomes.ts';
import { recordings } from '../../../../test/expected-rows/recordings.ts';
import { ties } from '../../../../test/expected-rows/ties.ts';
import { tools } from '../../../../test/expected-rows/tools.ts';
import type { Delivered } from '../../../../test/expected-rows/scenario.ts';
import { openTransactions, type Run, type Transactions } from '../../src/connection/transactions.ts';
import { conversationRebuildsOn, type ConversationRebuilds } from '../../src/rebuild/conversation-rebuilds.ts';
import { refusalOf } from '../../src/rebuild/rebuild-conversation.ts';
import { anEvent, applicable, AT } from '../support/an-event.ts';
import { EMPTY_TABLES, readTables, selectTables, tablesIn, type Tables } from '../support/read-tables.ts';
import { withStore } from '../support/with-store.ts';

const context = withStore();
let rebuilds: ConversationRebuilds;
beforeAll(() => {
  rebuilds = conversationRebuildsOn(openTransactions({ databaseUrl: context.url }), {
    aloneMs: 30_000,
    lockMs: 30_000,
  });
});
beforeEach(() => context.sql(EMPTY_TABLES));
afterAll(() => rebuilds.close());

const SCENARIOS = [callers, identity, languages, outcomes, recordings, ties, tools].flat();

/** Applies what a scenario delivers, each event by itself. */
async function apply(deliveries: readonly Delivered[]): Promise<void> {
  for (const [i, { body, signed = 0 }] of deliveries.entries()) {
    const bytes = Buffer.from(typeof body === 'string' ? body : JSON.stringify(body));
    const facts = { receivedAt: AT + signed * 1000 + i, signedAt: AT / 1000 + signed, secretId: 'test' };
    const event = normalise(deliveryOf(bytes, facts));
    // oxlint-disable-next-line no-await-in-loop -- one after the other
    if (event.outcome !== 'dead') await context.store.apply([event]);
  }
}

const FF = 'ffffffff-ffff-ffff-ffff-ffffffffffff';

/** What somebody has done to the rows by hand. No merge makes them right again. */
const DAMAGE = `
  UPDATE conversations SET agent_id = 'wrong', title = 'wrong', status = 'initiated', metadata = '{"a": "wrong"}', dialects = '{"b": "wrong"}',
    analysis = '{}', ended_at = now(), created_at = created_at - interval '1 day', updated_at = now(), transcript_clock = '${FF}',
    clocks = array_fill('${FF}'::uuid, ARRAY[22]), metadata_clocks = '{"a": "${FF}"}';
  UPDATE conversation_messages SET content = 'wrong', clock = '${FF}';
  INSERT INTO conversation_messages (conversation_id, source, event_key, content, created_at, clock) SELECT id, 'transcript', '99', 'wrong', now(), '${FF}' FROM conversations;
  DELETE FROM agent_tool_calls;
  DELETE FROM user_commands`;

/** Values alone are wrong: every clock is right. */
const WRONG_VALUES = `
  UPDATE conversations SET title = 'wrong', metadata = '{}', external_number = NULL;
  DELETE FROM conversation_messages`;

/** Rebuilds every conversation that the ledger names. */
async function rebuildAll(): Promise<void> {
  const ids = await context.sql(
    `SELECT DISTINCT conversation_id AS id FROM webhook_events WHERE outcome = 'applied' AND conversation_id IS NOT NULL`,
  );
  for (const { id } of ids) {
    // oxlint-disable-next-line no-await-in-loop -- one after the other
    expect(await rebuilds.rebuild(String(id))).toMatchObject({ outcome: 'rebuilt' });
  }
}

/** REBUILD=whole: every damage to every scenario; else one damage to every tenth scenario. */
const IS_WHOLE = process.env['REBUILD'] === 'whole';
const DAMAGES = [WRONG_VALUES, DAMAGE, 'DELETE FROM conversations'];
const CHOSEN = SCENARIOS.filter((_, i) => IS_WHOLE || i % 10 === 0).map((scenario, i) => ({ ...scenario, i }));

test.each(CHOSEN)('has the rows of before, whatever somebody did to them: $name', async ({ deliveries, i }) => {
  await apply(deliveries);
  const before = await readTables(context);
  for (const damage of DAMAGES.filter((_, place) => IS_WHOLE || place === i % DAMAGES.length)) {
    // oxlint-disable no-await-in-loop -- one after the other
    await context.sql(damage);
    await rebuildAll();
    expect(await readTables(context)).toEqual(before);
    // oxlint-enable no-await-in-loop
  }
});

const message = (id: string, words: string) =>
  anEvent({ type: 'conversation.message', data: { conversation_id: id, role: 'user', message: words } });

/** Reads what a rebuild may write: not the ledger, which is large here. */
async function readRows(): Promise<Tables> {
  return tablesIn(await context.sql(selectTables({ webhook_events: 'false', webhook_bodies: 'false' })));
}

test('folds a call of a thousand events and more, a part after the other', async () => {
  const events = Array.from({ length: 1_050 }, (_, i) => message('long', `word ${i}`));
  await context.store.apply(events);
  const before = await readRows();
  await context.sql(DAMAGE);
  for (let times = 0; times < 2; times++) {
    // oxlint-disable no-await-in-loop -- a second time changes nothing
    expect(await rebuilds.rebuild('long')).toEqual({ outcome: 'rebuilt', events: 1_050 });
    expect(await readRows()).toEqual(before);
    // oxlint-enable no-await-in-loop
  }
  // Of each part one: who is asked for the first part finds its body gone.
  const [first, last] = [events[0]?.entry.id, events.at(-1)?.entry.id];
  const beside = rebuildsWith((sql) =>
    /SELECT .*body/s.test(sql) && !sql.includes('octet_length')
      ? context.sql(`DELETE FROM webhook_bodies WHERE event_id IN ('${first}', '${last}')`)
      : Promise.resolve(),
  );
  expect(await beside.rebuild('long')).toEqual({ outcome: 'bodies_gone', events: 1_050, withoutBody: 2 });
  await beside.close();
});

/** Tries it; returns the answer, if no row has changed. */
async function tryAt(id: string, by = rebuilds): Promise<unknown> {
  await context.sql(`UPDATE conversations SET title = 'stays'`);
  const before = await readRows();
  const answer = await by.rebuild(id);
  expect(await readRows()).toEqual(before);
  return answer;
}

/** Opens rebuilds that may be alone for a moment only. `before` is called before each statement, inside the transaction. */
function rebuildsWith(before: (sql: string, run: Run) => Promise<unknown>): ConversationRebuilds {
  const transactions = openTransactions({ databaseUrl: context.url, poolSize: 1 });
  const watched: Transactions = {
    close: () => transactions.close(),
    run: (work) =>
      transactions.run((run, runAtCommit) =>
        work(async (statement) => {
          await before(statement.sql, run);
          return run(statement);
        }, runAtCommit),
      ),
  };
  return conversationRebuildsOn(watched, { aloneMs: 200 });
}

describe('is refused, and changes nothing', () => {
  test('where the conversation is erased', async () => {
    await context.store.apply([message('c', 'one')]);
    await context.store.forgetConversations(['c'], { transcript: true, audio: true });
    expect(await rebuilds.plan('c')).toEqual({ events: 1, withoutBody: 1, bytes: 0, isErased: true });
    expect(await tryAt('c')).toEqual({ outcome: 'erased' });
  });

  test('where a body is gone', async () => {
    const gone = message('c', 'one');
    await context.store.apply([gone, message('c', 'two')]);
    await context.sql(`DELETE FROM webhook_bodies WHERE event_id = '${gone.entry.id}'`);
    const bytes =
      '{"type":"conversation.message","timestamp":"2026-01-05T09:00:00.000Z","data":{"conversation_id":"c","role":"user","message":"two"}}'
        .length;
    expect(await rebuilds.plan('c')).toEqual({ events: 2, withoutBody: 1, bytes, isErased: false });
    expect(await tryAt('c')).toEqual({ outcome: 'bodies_gone', events: 2, withoutBody: 1 });
  });

  test('where the ledger knows no applied event of it', async () => {
    await context.store.apply([message('other', 'one')]);
    expect(await tryAt('c')).toEqual({ outcome: 'no_events' });
  });

  test('where this version does not apply what the ledger has as applied', async () => {
    await context.store.apply([message('c', 'one'), anEvent({ type: 'of.tomorrow', data: { conversation_id: 'c' } })]);
    await context.sql(`UPDATE webhook_events SET outcome = 'applied' WHERE type = 'of.tomorrow'`);
    expect(await tryAt('c')).toEqual({ outcome: 'not_applied', events: 1 });
    await context.sql(`DELETE FROM webhook_events WHERE type <> 'of.tomorrow'`);
    expect(await tryAt('c')).toEqual({ outcome: 'not_applied', events: 1 });
  });

  test('where it has more than ten thousand events', async () => {
    await context.sql(`
      INSERT INTO webhook_events (id, conversation_id, type, event_at, received_at, origin, outcome, body_bytes)
      SELECT gen_random_uuid(), 'c', 'conversation.message', now(), now(), 'webhook', 'applied', 1 FROM generate_series(1, 10001)`);
    expect(await tryAt('c')).toEqual({ outcome: 'too_many' });
  });

  test('where the bodies of its events have more than sixteen MiB', async () => {
    await context.store.apply([message('c', 'one'), message('c', 'two')]);
    await context.sql(`UPDATE webhook_bodies SET body = convert_to(repeat(' ', 9000000), 'UTF8')`);
    const plan = await rebuilds.plan('c');
    expect([plan.bytes, refusalOf(plan)]).toEqual([18_000_000, { outcome: 'too_large' }]);
    expect(await tryAt('c')).toEqual({ outcome: 'too_large' });
  });

  test('where all events would wait for longer than they may', async () => {
    await context.store.apply([message('c', 'one')]);
    await context.sql(`UPDATE conversations SET created_at = created_at - interval '1 day'`);
    let isAlone = false;
    const slow = rebuildsWith(async (sql, run) => {
      isAlone ||= sql.startsWith('LOCK TABLE');
      if (isAlone && sql.includes('FOR UPDATE')) await run({ sql: 'SELECT pg_sleep(20)::text', parameters: [] });
    });
    expect(await tryAt('c', slow)).toEqual({ outcome: 'too_slow' });
    expect(isAlone).toBe(true);
    await slow.close();
  });
});

/** An event with audio at a second, which the receiver has kept at a URL or not at all. Returns the hash of the audio. */
async function applyAudio(second: number, url: string | null): Promise<string> {
  const at = AT / 1000 + second;
  const data = { conversation_id: 'c', full_audio: '' };
  const bytes = Buffer.from(JSON.stringify({ type: 'post_call_audio', event_timestamp: at, data }));
  const sha256 = createHash('sha256').update(String(second)).digest('hex');
  const kept = { url, storedAt: url === null ? null : AT };
  const recording = { at: bytes.indexOf('""') + 1, bytes: 7, sha256, contentType: 'audio/mpeg', ...kept };
  const reference = { eventId: `00000000-0000-4000-8000-${sha256.slice(0, 12)}`, bytes: 100, recording };
  const facts = { receivedAt: at * 1000, signedAt: at, secretId: 'test', reference };
  await context.store.apply([applicable(normalise(deliveryOf(bytes, facts)))]);
  return sha256;
}

describe('of recordings', () => {
  test('stays what the storage knows, and the rest is told by the events', async () => {
    const [moved, deleted, unkept] = [
      await applyAudio(1, 'file:/old/a/undated/c.mp3'),
      await applyAudio(2, 'file:/old/a/undated/d.mp3'),
      await applyAudio(3, null),
    ];
    await context.sql(`
      UPDATE conversation_recordings SET url = 'file:/new/a/undated/c.mp3' WHERE sha256 = '${moved}';
      UPDATE conversation_recordings SET deleted_at = '2026-02-01' WHERE sha256 = '${deleted}'`);
    const before = await readTables(context);
    // As wrong as this, a row would lose against its own event.
    await context.sql(
      `UPDATE conversation_recordings SET bytes = 1, content_type = 'wrong', created_at = created_at + interval '1 day', event_id = '${FF}'`,
    );
    expect(await rebuilds.rebuild('c')).toEqual({ outcome: 'rebuilt', events: 3 });
    const after = await readTables(context);
    expect(after).toEqual(before);
    expect(after.conversation_recordings).toHaveLength(3);
    expect(after.conversation_recordings.find(({ sha256 }) => sha256 === unkept)).toMatchObject({
      bytes: 7,
      url: null,
    });
  });
});
