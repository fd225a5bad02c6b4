import { normalise } from '@landline/webhook';
import { deliveryOf } from '@landline/webhook/delivery';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { openTransactions, type Transactions } from '../../src/connection/transactions.ts';
import type { Statement } from '../../src/connection/statement.ts';
import { hashSubject } from '../../src/forget/subject-hash.ts';
import { erasedSinceOn } from '../../src/reconcile/erased-since.ts';
import { openLookups } from '../../src/lookup/lookups.ts';
import { openReconcileReader } from '../../src/reconcile/reconcile-store.ts';
import {
  COUNT_UNFINISHED,
  knownStatement,
  neverComparedStatement,
  unfinishedStatement,
} from '../../src/reconcile/known-statements.ts';
import type { Completeness, KnownCall, ReconcileRun } from '../../src/reconcile/reconcile.ts';
import { fetchedSinceStatement } from '../../src/reconcile/run-statements.ts';
import { anEvent, applicable, AT } from '../support/an-event.ts';
import { EMPTY_TABLES, readTables } from '../support/read-tables.ts';
import { withStore } from '../support/with-store.ts';

const context = withStore();
let transactions: Transactions;
let reader: ReturnType<typeof openReconcileReader>;
let lookups: ReturnType<typeof openLookups>;
beforeAll(() => {
  transactions = openTransactions({ databaseUrl: context.url, poolSize: 1 });
  reader = openReconcileReader({ databaseUrl: context.url });
  lookups = openLookups({ databaseUrl: context.url });
});
afterAll(() => Promise.all([transactions.close(), reader.close(), lookups.close()]));
beforeEach(async () => {
  await context.sql(
    `${EMPTY_TABLES}; DELETE FROM operations; DELETE FROM reconciliations; DELETE FROM erasures; DELETE FROM rejected_requests`,
  );
});

const message = (conversation_id: string) =>
  anEvent({ type: 'conversation.message', data: { conversation_id, message: 'hello', role: 'user' } });
const account = (conversation_id: string, more: object = {}, metadata: object = {}) =>
  anEvent({
    type: 'post_call_transcription',
    data: { conversation_id, status: 'done', transcript: [{ role: 'agent', message: 'all' }], metadata, ...more },
  });

const KNOWN: Omit<KnownCall, 'id'> = {
  completeness: null,
  hasAccount: false,
  mayLackTurns: false,
  isAccountDead: false,
  hasRecording: false,
  saysAudio: null,
  isAudioToGo: false,
  isErased: false,
  wasListed: false,
  startedAt: AT,
  endedAt: null,
};

const recording = (
  id: string,
  columns: string,
) => `INSERT INTO conversation_recordings (conversation_id, event_id, content_type, bytes, sha256, created_at, url, deleted_at)
  VALUES ('${id}', gen_random_uuid(), 'audio/mpeg', 1, 'a', now(), ${columns})`;
const dead = (
  id: string,
  type: string,
) => `INSERT INTO webhook_events (id, conversation_id, type, event_at, received_at, origin, outcome, body_bytes)
  VALUES (gen_random_uuid(), '${id}', '${type}', now(), now(), 'webhook', 'dead', 0)`;

test('knows of each call whether its account and its audio are here', async () => {
  const { reconcile } = context.store;
  const due = { deletion_settings: { deletion_time_unix_secs: AT / 1000, delete_audio: true } };
  await context.store.apply([
    message('live'),
    account('told', { has_audio: true }),
    account('silent', { has_audio: false }, { start_time_unix_secs: AT / 1000, call_duration_secs: 60 }),
    account('odd', { has_audio: 'perhaps', transcript: [] }, due),
    anEvent({ type: 'call_initiation_failure', data: { conversation_id: 'failed', failure_reason: 'busy' } }),
    message('otel'),
    message('dead'),
    message('compared'),
    message('erased'),
  ]);
  await context.sql(
    [
      dead('otel', 'post_call_transcription_otel'),
      dead('dead', 'post_call_transcription'),
      dead('told', 'post_call_transcription'),
      recording('told', `'file:/a', NULL`),
      recording('silent', 'NULL, NULL'),
      recording('odd', `NULL, now()`),
    ].join('; '),
  );
  await context.store.forgetConversations(['erased'], { transcript: true, audio: true });
  // Its events are gone by their age, and what was found of it stays.
  await reconcile.judge(
    new Map([
      ['compared', 'complete'],
      ['erased', 'missing'],
      ['nobody', 'missing'],
    ]),
  );

  const ids = ['live', 'told', 'silent', 'odd', 'failed', 'otel', 'dead', 'compared', 'erased', 'nobody'];
  const known = await reconcile.known(ids);
  expect([...known.values()].toSorted((a, b) => ids.indexOf(a.id) - ids.indexOf(b.id))).toEqual([
    { id: 'live', ...KNOWN },
    { id: 'told', ...KNOWN, hasAccount: true, hasRecording: true, saysAudio: true },
    { id: 'silent', ...KNOWN, hasAccount: true, saysAudio: false, endedAt: AT + 60_000 },
    { id: 'odd', ...KNOWN, hasAccount: true, mayLackTurns: true, hasRecording: true, isAudioToGo: true },
    { id: 'failed', ...KNOWN, hasAccount: true },
    { id: 'otel', ...KNOWN },
    { id: 'dead', ...KNOWN, isAccountDead: true },
    { id: 'compared', ...KNOWN, completeness: 'complete', hasAccount: true },
    { id: 'erased', ...KNOWN, completeness: 'erased', isErased: true },
  ]);
  expect(await reader.known(['live'])).toEqual(new Map([['live', { id: 'live', ...KNOWN }]]));
  expect(await reader.known([])).toEqual(new Map());
});

test('knows of which accounts the turns may have been left out', async () => {
  const { store } = context;
  const bare = (id: string, metadata: object = {}) => account(id, { transcript: [] }, metadata);
  const ordered = (id: string, at: number) =>
    bare(id, {
      deletion_settings: { deletion_time_unix_secs: Math.floor(at / 1000), delete_transcript_and_pii: true },
    });
  await store.apply([
    bare('left out'),
    message('left out'),
    account('redacted', { transcript: [{ role: 'agent', message: '' }] }),
    account('whole'),
    bare('both ways'),
    applicable(fetched('both ways', 'post_call_transcription')),
    applicable(fetched('has none', 'post_call_transcription', { transcript: [] })),
    bare('has none'),
    bare('compared'),
    ordered('due', AT),
    ordered('not due', Date.now() + 86_400_000),
    bare('failed'),
    anEvent({ type: 'call_initiation_failure', data: { conversation_id: 'failed', failure_reason: 'busy' } }),
    bare('dead'),
    bare('erased'),
    message('live'),
  ]);
  await context.sql(dead('dead', 'post_call_transcription'));
  await store.forgetConversations(['erased'], { transcript: true, audio: true });
  await store.reconcile.judge(new Map([['compared', 'complete']]));
  const ids = await context.sql('SELECT id FROM conversations');
  const known = [...(await store.reconcile.known(ids.map(({ id }) => String(id)))).values()];
  const named = (which: (call: KnownCall) => boolean) =>
    known
      .filter(which)
      .map(({ id }) => id)
      .toSorted();
  expect(named((call) => call.mayLackTurns)).toEqual(['dead', 'left out', 'not due', 'redacted']);
  // What the provider gave and cannot be applied would be dead again.
  expect(named((call) => call.isAccountDead)).toEqual(['dead']);
});

const calls = (completeness: string, ids: readonly string[], days: number) =>
  ids
    .map(
      (id) => `INSERT INTO conversations (id, status, clocks, started_at, created_at, updated_at, completeness)
    VALUES ('${id}', 'done', '{}', now() - interval '${days} days', now(), now(), ${completeness})`,
    )
    .join('; ');

test('lists what is not through, counts it, and names it, and leaves out what was forgotten', async () => {
  const { reconcile } = context.store;
  await context.sql(
    [
      calls(`'open'`, ['a', 'g'], 9),
      calls(`'waiting'`, ['f'], 1),
      calls(`'missing'`, ['b', 'i', 'x'], 9),
      calls(`'missing'`, ['h'], 2),
      calls(`'unfetchable'`, ['u', 'v', 'w'], 9),
      // The account of v came late, as that of w had, when that was found unfetchable once more.
      `UPDATE conversations SET transcript_clock = gen_random_uuid() WHERE id IN ('v', 'w')`,
      `UPDATE conversations SET changed_at = now() - interval '4 days' WHERE id = 'w'`,
      calls(`'complete'`, ['c1', 'c2'], 1),
      calls('NULL', ['e'], 1),
      calls('NULL', ['m', 'k', 'l'], 2),
      calls('NULL', ['d'], 9),
      calls('NULL', ['y'], 1),
      // As an older version leaves it.
      `UPDATE conversations SET erased_at = now() WHERE id IN ('x', 'y')`,
    ].join('; '),
  );
  const since = Date.now() - 3 * 86_400_000;
  const pages: string[][] = [];
  for (let after: string | undefined; pages.at(-1)?.length !== 0; after = pages.at(-1)?.at(-1)) {
    // oxlint-disable-next-line no-await-in-loop -- one page after the other
    pages.push((await reconcile.unfinished({ since, after, limit: 3 })).map(({ id }) => id));
  }
  expect(pages).toEqual([['a', 'b', 'f'], ['g', 'h', 'i'], ['v'], []]);
  // Those that were never compared, by their beginning: no one twice, also where some began at the same time.
  const never = await reconcile.neverCompared({ since, limit: 2 });
  const after = never.at(-1);
  expect(never.map(({ id }) => id)).toEqual(['k', 'l']);
  expect((await reader.neverCompared({ since, after, limit: 2 })).map(({ id }) => id)).toEqual(['m', 'e']);
  const counts = { open: 2, waiting: 1, missing: 3, unfetchable: 3 };
  expect([
    await reconcile.counts(),
    await reader.counts(),
    await lookups.reconcile.counts(),
    await lookups.reconcile.countsInBounds(),
  ]).toEqual([counts, counts, counts, counts]);

  await context.sql(`UPDATE conversations SET changed_at = '2026-01-01'`);
  await reconcile.judge(
    new Map([
      ['a', 'complete'],
      ['b', 'missing'],
      ['d', 'unfetchable'],
      ['x', 'missing'],
      ['y', 'complete'],
    ]),
  );
  const changed = `SELECT id, completeness FROM conversations WHERE changed_at > '2026-01-02' ORDER BY id`;
  expect(await context.sql(changed)).toEqual([
    { id: 'a', completeness: 'complete' },
    { id: 'd', completeness: 'unfetchable' },
  ]);
  expect(await reconcile.counts()).toEqual({ open: 1, waiting: 1, missing: 3, unfetchable: 4 });
  await expect(context.sql(`UPDATE conversations SET completeness = 'lost'`)).rejects.toThrow(
    /conversations_completeness_check/,
  );
});

test('why a call is missing or unfetchable stands beside it, until it is otherwise', async () => {
  const { reconcile } = context.store;
  await context.sql(
    [calls('NULL', ['gone', 'long'], 1), calls(`'missing'`, ['waits', 'late'], 1), calls(`'open'`, ['erased'], 1)].join(
      '; ',
    ),
  );
  const found = (ids: Record<string, [Completeness, string?]>) =>
    reconcile.judge(
      new Map(Object.entries(ids).map(([id, [completeness]]) => [id, completeness])),
      new Map(Object.entries(ids).flatMap(([id, [, reason]]) => (reason === undefined ? [] : [[id, reason]]))),
    );
  const changed = async () => {
    const rows = await context.sql(`SELECT id, completeness, completeness_reason AS reason FROM conversations
      WHERE changed_at > '2026-01-02' ORDER BY id`);
    await context.sql(`UPDATE conversations SET changed_at = '2026-01-01'`);
    return rows.map(({ id, completeness, reason }) => [id, completeness, reason]);
  };
  await changed();
  await found({
    gone: ['unfetchable', 'a 404'],
    long: ['unfetchable', `\0\ud800${'ش'.repeat(300)}`],
    waits: ['missing', 'it waits'],
    late: ['missing'],
    erased: ['missing', 'no answer'],
  });
  expect(await changed()).toEqual([
    ['erased', 'missing', 'no answer'],
    ['gone', 'unfetchable', 'a 404'],
    ['long', 'unfetchable', `\ufffd\ufffd${'ش'.repeat(198)}`],
    ['waits', 'missing', 'it waits'],
  ]);
  expect((await reader.unfetchable({ limit: 1 }))[0]).toEqual({ id: 'gone', reason: 'a 404' });
  // What stays unfetchable was not asked for again, so its reason stays; what stays missing is so for another reason, or for none.
  await found({ gone: ['unfetchable'], long: ['unfetchable', 'another'], waits: ['missing'], late: ['open', 'no'] });
  await context.store.forgetConversations(['erased'], { transcript: true, audio: true });
  expect(await changed()).toEqual([
    ['erased', 'erased', null],
    ['late', 'open', null],
    ['long', 'unfetchable', 'another'],
    ['waits', 'missing', null],
  ]);
  await found({ gone: ['complete'], erased: ['missing', 'no answer'] });
  expect(await changed()).toEqual([['gone', 'complete', null]]);
  // No event touches it.
  await context.store.apply([message('long')]);
  expect(await changed()).toEqual([['long', 'unfetchable', 'another']]);
});

test('a call of somebody who was erased leaves nothing but its mark', async () => {
  await context.store.apply([message('c')]);
  await context.store.reconcile.markErased(['c', 'new', 'new']);
  await context.store.apply([account('new')]);
  const { conversations, conversation_messages, webhook_bodies } = await readTables(context);
  expect(conversations.map(({ id, completeness, erased_at }) => [id, completeness, erased_at !== null])).toEqual([
    ['c', 'erased', true],
    ['new', 'erased', true],
  ]);
  expect([conversation_messages, webhook_bodies]).toEqual([[], []]);
});

const minutesAgo = (minutes: number) => Date.now() - minutes * 60_000;

test('tells whether somebody was erased since, by user id or by any form of the number', async () => {
  const { reconcile } = context.store;
  const erase = async (by: 'user' | 'number' | 'conversation', value: string, minutes: number) =>
    context.sql(`INSERT INTO erasures (id, kind, subject_hash, requested_at)
      VALUES (gen_random_uuid(), '${by}', '${await hashSubject({ by, value })}', now() - interval '${minutes} minutes')`);
  await Promise.all([erase('user', 'u1', 10), erase('number', '+4930123456', 20), erase('conversation', 'u2', 0)]);
  expect(await reconcile.wasErasedSince({ userId: 'u1', number: null }, minutesAgo(15))).toBe(true);
  expect(await reconcile.wasErasedSince({ userId: 'u1', number: null }, minutesAgo(5))).toBe(false);
  expect(await reconcile.wasErasedSince({ userId: 'u2', number: 'u1' }, minutesAgo(30))).toBe(false);
  expect(await reconcile.wasErasedSince({ userId: null, number: null }, minutesAgo(30))).toBe(false);
  expect(await reconcile.wasErasedSince({ userId: 'x', number: 'sip:+4930123456@host' }, minutesAgo(30))).toBe(true);
  // Of more than can be compared nobody can say.
  const bounded = erasedSinceOn(transactions, { mostErasures: 1 });
  expect(await bounded({ userId: 'u1', number: null }, minutesAgo(30))).toBe(true);
  expect(await bounded({ userId: null, number: '+4930123456' }, minutesAgo(30))).toBeUndefined();
  expect(await bounded({ userId: 'u3', number: null }, minutesAgo(15))).toBe(false);
  // A comparison is slow, so its answer is kept.
  await context.sql(`UPDATE erasures SET subject_hash = ''`);
  expect(await reconcile.wasErasedSince({ userId: 'x', number: '+49 (30) 123456' }, minutesAgo(30))).toBe(true);
  expect(await reconcile.wasErasedSince({ userId: 'u3', number: null }, minutesAgo(30))).toBe(false);
});

const RUN: ReconcileRun = {
  id: '00000000-0000-4000-8000-000000000001',
  windowFrom: AT,
  windowTo: AT + 1_000,
  startedAt: Date.now() - 60_000,
  finishedAt: null,
  error: null,
  listed: 7,
  complete: 1,
  waiting: 2,
  fetched: 3,
  fetchedRecordings: 4,
  unfetchable: 5,
};

test('keeps runs for 90 days, and knows the newest of the schedule that ended well', async () => {
  const { reconcile, retention, operations } = context.store;
  const [, second, third, old] = [1, 2, 3, 4].map((n) => ({
    ...RUN,
    id: RUN.id.slice(0, -1) + n,
    startedAt: RUN.startedAt + n,
  }));
  if (second === undefined || third === undefined || old === undefined) throw new Error('There are four.');
  expect([await reconcile.lastGoodRun(), await reconcile.runAge()]).toEqual([undefined, undefined]);
  await reconcile.writeRun({ ...old, startedAt: 0, finishedAt: 1 });
  await reconcile.writeRun(RUN);
  const done = { ...RUN, finishedAt: RUN.startedAt + 5, fetched: 9 };
  await reconcile.writeRun(done);
  await reconcile.writeRun({ ...third, finishedAt: third.startedAt, error: 'The key is refused.' });
  await operations.request({
    id: second.id,
    kind: 'reconcile',
    filter: { since: '2026-01-01T00:00:00Z' },
    requestedBy: 'somebody',
  });
  await reconcile.writeRun({ ...second, finishedAt: second.startedAt });
  expect(await reconcile.lastGoodRun()).toEqual(done);
  expect(await reconcile.lastWholeRun(72)).toBeUndefined();
  const whole = {
    ...done,
    id: `${RUN.id.slice(0, -1)}5`,
    windowFrom: AT - 71 * 3_600_000,
    windowTo: AT + 3_600_000,
    startedAt: 2,
  };
  await reconcile.writeRun(whole);
  expect([await reader.lastWholeRun(72), await reader.lastWholeRun(73), await reader.lastGoodRun()]).toEqual([
    whole,
    undefined,
    done,
  ]);
  await context.sql(`DELETE FROM reconciliations WHERE id = '${whole.id}'`);
  expect([await reconcile.run(done.id), await reader.run('00000000-0000-4000-8000-00000000000a')]).toEqual([
    done,
    undefined,
  ]);
  await context.sql(`UPDATE reconciliations SET window_from = window_from - interval '1 day' WHERE id = '${third.id}'`);
  await context.sql(
    `UPDATE reconciliations SET window_from = window_from - interval '2 days' WHERE id = '${second.id}'`,
  );
  expect(await reader.oldestWindow()).toBe(AT - 86_400_000);
  expect((await lookups.reconcile.runs(9)).map(({ id, error }) => [id.at(-1), error])).toEqual([
    ['3', 'The key is refused.'],
    ['2', null],
    ['1', null],
  ]);

  // The schedule asks once, and what found nothing is gone after a day, but for the newest.
  expect(await reconcile.requestRun({}, 1_000)).toBe(false);
  await context.sql('DELETE FROM operations');
  expect([await reconcile.requestRun({}, 1_000), await reconcile.requestRun({}, 1_000)]).toEqual([true, false]);
  expect(await reconcile.runAge()).toBeLessThan(60);
  await context.sql(`DELETE FROM operations; INSERT INTO operations (id, kind, requested_by, status, done, created_at, finished_at)
    SELECT ('00000000-0000-4000-8000-00000000000' || n)::uuid, 'reconcile', 'schedule', 'done', 100, now() - make_interval(hours => 60 - n), now() - make_interval(hours => 60 - n)
    FROM generate_series(1, 7) AS n`);
  await context.sql(`UPDATE reconciliations SET fetched = 0, fetched_recordings = 0 WHERE id::text NOT LIKE '%2'`);
  await retention.deleteOperations(0);
  expect((await operations.list(9)).map(({ id }) => id.at(-1))).toEqual(['7', '2']);
  await operations.request({ kind: 'reconcile', filter: { since: '2026-01-01T00:00:00Z' } });
  await context.sql(`UPDATE operations SET status = 'done', finished_at = now() WHERE status = 'planned'`);
  expect(await reconcile.runAge()).toBeGreaterThan(52 * 3_600);
});

test('keeps the newest look at the provider, and lists what was refused between two times', async () => {
  const { reconcile } = context.store;
  // Of eight at once one begins, and nothing is found until it ends.
  const begun = await Promise.all(Array.from({ length: 8 }, () => reconcile.beginProviderCheck(60_000)));
  expect(begun.filter(Boolean)).toHaveLength(1);
  expect([await reader.readProviderCheck(), await lookups.reconcile.check()]).toEqual([undefined, undefined]);
  await reconcile.saveProviderCheck({ findings: ['a'] });
  await reconcile.saveProviderCheck({ findings: ['b'] });
  const found = { savedAt: expect.any(Number), check: { findings: ['b'] } };
  expect([await reader.readProviderCheck(), await lookups.reconcile.check()]).toEqual([found, found]);
  await context.sql(`INSERT INTO rejected_requests (id, received_at, code, cause, advice, headers)
    SELECT gen_random_uuid(), to_timestamp(${AT} / 1000.0 + n), 'signature_mismatch', 'c' || n, 'a', '{}' FROM generate_series(1, 30) AS n`);
  const refused = await reader.refusedBetween(AT + 2_000, AT + 28_000);
  expect(refused).toHaveLength(20);
  expect(refused[0]).toEqual({ receivedAt: AT + 28_000, code: 'signature_mismatch', cause: 'c28', advice: 'a' });
  expect((await reconcile.refusedBetween(AT + 2_000, AT + 3_000)).map(({ cause }) => cause)).toEqual(['c3', 'c2']);
});

/** An event as the comparison fetches it. */
function fetched(
  id: string,
  type: string,
  { receivedAt = Date.now(), transcript = [{ role: 'agent', message: 'all' }] as readonly object[] } = {},
) {
  const origin = 'backfill' as const;
  const body = JSON.stringify({
    type,
    event_timestamp: AT / 1000,
    data: { conversation_id: id, transcript, full_audio: '' },
  });
  return normalise(deliveryOf(Buffer.from(body), { receivedAt, signedAt: AT / 1000, secretId: 'provider', origin }));
}

test('what was fetched keeps its origin wherever it is read again, and counts by when it was fetched and applied', async () => {
  const { store } = context;
  const since = Date.now() - 60_000;
  const first = applicable(fetched('c', 'post_call_transcription', { receivedAt: since - 3_600_000 }));
  await store.apply([first, applicable(fetched('d', 'post_call_transcription')), account('e')]);
  // What was fetched an hour before is that of an earlier run.
  expect(await store.reconcile.fetchedSince(since)).toEqual({ transcripts: 1, recordings: 0, complete: 0 });
  await store.apply([applicable(fetched('d', 'post_call_audio'))]);
  await store.reconcile.judge(new Map(['d', 'e'].map((id) => [id, 'complete'])));
  expect(await store.reconcile.fetchedSince(since)).toEqual({ transcripts: 1, recordings: 1, complete: 1 });
  const none = { transcripts: 0, recordings: 0, complete: 0 };
  expect(await store.reconcile.fetchedSince(Date.now() + 60_000)).toEqual(none);
  const origins = async () =>
    (await store.ledger.bodies([first.entry.id, account('e').entry.id])).map(({ delivery }) => delivery?.origin);
  expect(new Set(await origins())).toEqual(new Set(['backfill', undefined]));

  // One that was dead, and came again otherwise, is applied as the ledger has it.
  const before = await context.sql(`SELECT * FROM conversations WHERE id = 'c'`);
  await context.sql(`DELETE FROM conversations WHERE id = 'c'; DELETE FROM conversation_messages WHERE conversation_id = 'c';
    UPDATE webhook_events SET outcome = 'dead', error = '{"code": "a", "message": "b", "attempts": 1}' WHERE id = '${first.entry.id}'`);
  expect((await store.readDead([first.entry.id]))[0]?.delivery?.origin).toBe('backfill');
  const { delivery } = first.entry;
  await store.apply([applicable(normalise({ ...delivery, origin: 'replay' }))]);
  const unchanging = { changed_at: null };
  expect(
    (await context.sql(`SELECT * FROM conversations WHERE id = 'c'`)).map((row) => ({ ...row, ...unchanging })),
  ).toEqual(before.map((row) => ({ ...row, ...unchanging })));
});

/** When calls began: so many hours ago, each a minute before the one before it. */
const began = (hours: number, ...ids: string[]) =>
  ids.map(
    (id, i) =>
      `UPDATE conversations SET started_at = now() - interval '${hours} hours ${i} minutes' WHERE id = '${id}'`,
  );

test('tells of complete calls that Landline could have received whether the webhook brought them, the newest first', async () => {
  const { store } = context;
  const byBoth = ['both', 'both_late'];
  const before = ['before', 'before_also'];
  await store.apply([
    ...['by_webhook', 'young', 'old', 'erased', 'waiting', ...byBoth].map((id) => account(id)),
    ...['by_fetching', 'long', ...before, ...byBoth].map((id) => applicable(fetched(id, 'post_call_transcription'))),
    // Its account has left the ledger: nobody knows.
    message('unknown'),
  ]);
  await context.sql(
    [
      ...began(3, 'by_webhook', 'by_fetching', ...byBoth, 'erased', 'waiting', 'unknown'),
      ...began(5, 'long', ...before),
      ...began(1, 'young'),
      ...began(25, 'old'),
      `UPDATE conversations SET completeness = CASE id WHEN 'waiting' THEN 'waiting' ELSE 'complete' END`,
      `UPDATE conversations SET erased_at = now() WHERE id = 'erased'`,
      `UPDATE conversations SET ended_at = CASE WHEN id = 'long' THEN now() - interval '3 hours' WHEN id <> 'before' THEN started_at END`,
    ].join(';'),
  );
  const [from, to] = [Date.now() - 24 * 3_600_000, Date.now() - 2 * 3_600_000];
  // Nothing was compared yet. Then calls count that ended since the first comparison began.
  expect(await store.reconcile.firstRunAt()).toBeUndefined();
  expect(await reader.arrivals(from, to)).toEqual([]);
  const firstAt = Date.now() - 4 * 3_600_000;
  await store.reconcile.writeRun({ ...RUN, startedAt: firstAt + 900_000 });
  await store.reconcile.writeRun({
    ...RUN,
    id: `${RUN.id.slice(0, -1)}2`,
    startedAt: firstAt,
    error: 'The key was refused.',
  });
  expect(await store.reconcile.firstRunAt()).toBe(firstAt);
  expect(await reader.arrivals(from, to)).toEqual(['webhook', 'fetched', 'webhook', 'webhook', 'fetched']);
  expect(await store.reconcile.arrivals(to, Date.now())).toEqual(['webhook']);
  // The newest two hundred alone.
  await context.sql(`${EMPTY_TABLES}; INSERT INTO conversations (id, status, clocks, created_at, updated_at, started_at, completeness)
      SELECT 'c' || i, 'done', '{}', now(), now(), now() - interval '3 hours' - i * interval '1 second', 'complete' FROM generate_series(1, 300) AS i;
    INSERT INTO webhook_events (id, conversation_id, type, event_at, received_at, origin, outcome, body_bytes)
      SELECT gen_random_uuid(), 'c' || i, 'post_call_transcription', now(), now(), CASE WHEN i > 200 THEN 'backfill' ELSE 'webhook' END, 'applied', 0
      FROM generate_series(1, 300) AS i`);
  expect(await reader.arrivals(from, to)).toEqual(Array(200).fill('webhook'));
});

/** Returns the plan of a statement as text. */
async function planOf({ sql, parameters }: Statement): Promise<string> {
  const rows = await transactions.run((run) => run({ sql: `EXPLAIN ${sql}`, parameters }));
  return rows.map((row) => String(row['QUERY PLAN'])).join('\n');
}

test('of twenty thousand complete calls none is read for what is not through', async () => {
  await context.sql(`INSERT INTO conversations (id, status, clocks, created_at, updated_at, started_at, completeness)
      SELECT 'c' || i, 'done', '{}', now(), now(), now() - i * interval '1 minute', CASE WHEN i % 1000 = 0 THEN 'missing' ELSE 'complete' END
      FROM generate_series(1, 20000) AS i;
    INSERT INTO webhook_events (id, conversation_id, type, event_at, received_at, origin, outcome, body_bytes)
      SELECT gen_random_uuid(), 'c' || i, 'post_call_transcription', now(), now(), CASE WHEN i % 100 = 0 THEN 'backfill' ELSE 'webhook' END, 'applied', 0
      FROM generate_series(1, 20000) AS i`);
  await context.sql('ANALYZE conversations; ANALYZE webhook_events');
  const ids = Array.from({ length: 100 }, (_, i) => `c${i * 7}`);
  const plans = await Promise.all(
    [
      COUNT_UNFINISHED,
      unfinishedStatement(Date.now() - 86_400_000, '', 100),
      neverComparedStatement({ startedAt: Date.now() - 86_400_000, id: '' }, 100),
      knownStatement(ids),
      fetchedSinceStatement(Date.now()),
    ].map(planOf),
  );
  expect(plans.map((plan) => /Seq Scan/.test(plan))).toEqual(plans.map(() => false));
  expect(plans[0]).toContain('conversations_by_completeness');
  expect(plans[1]).toContain('conversations_by_completeness');
  expect(plans[2]).toContain('conversations_never_compared');
  expect(plans[3]).toContain('webhook_events_conversation_id_idx');
  expect(plans[4]).toContain('webhook_events_by_origin');
});
