import { randomUUID } from 'node:crypto';
import { beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { openLookups, type Lookups } from '../../src/lookup/lookups.ts';
import { migrate } from '../../src/schema/migrate.ts';
import { makeRoles } from '../../src/schema/roles.ts';
import { createStore } from '../../src/store.ts';
import type { RejectedRow } from '../../src/rejected/rejected-row.ts';
import { runSql } from '../../../../test/support/run-sql.ts';
import { audioOf, deadOf, eventsOfCall, PERSON, urlsOf } from '../support/a-person.ts';
import { AT } from '../support/an-event.ts';
import { emptyDatabase } from '../support/empty-database.ts';
import { withStore } from '../support/with-store.ts';

const context = withStore();
const HOUR = 3_600_000;
const NOW = Date.now();

let lookups: Lookups;
beforeAll(async () => {
  lookups = openLookups({ databaseUrl: context.url });
  await context.store.apply(eventsOfCall('c1'));
  return () => lookups.close();
});

const aRejected = (changes: Partial<RejectedRow>): RejectedRow => ({
  id: randomUUID(),
  receivedAt: NOW,
  code: 'signature_mismatch',
  cause: 'another_secret',
  advice: 'Compare the secret.',
  header: 't=1,v0=2',
  headers: { host: 'x' },
  body: Buffer.from('{}'),
  bodyBytes: 2,
  sender: '127.0.0.1',
  readmittedAt: null,
  ...changes,
});

const ids = (rows: readonly { id: string }[]) => rows.map(({ id }) => id);

test('an event is read as `readEvent` reads it, and nothing where there is none', async () => {
  const { entry } = audioOf('c1');
  const found = await lookups.event(entry.id);
  expect(found).toMatchObject({
    id: entry.id,
    type: 'post_call_audio',
    conversationId: 'c1',
    outcome: 'applied',
    error: null,
  });
  expect(JSON.parse(found?.body?.toString() ?? '')).toMatchObject({ data: { conversation_id: 'c1' } });
  expect(found?.reference?.bodyUrl).toBe(urlsOf('c1')[1]);
  expect(found?.recordings).toMatchObject([{ url: urlsOf('c1')[0], bytes: 3 }]);
  expect(await lookups.event(randomUUID())).toBeUndefined();
  expect(await lookups.event("no uuid'")).toBeUndefined();
});

test('an event is read without its body, and with the first bytes of it', async () => {
  const { entry } = audioOf('c1');
  const whole = await lookups.event(entry.id);
  if (whole === undefined) throw new Error('There is no such event.');
  const { body, ...facts } = whole;
  for (const [bytes, beginning] of [
    [0, ''],
    [9, '{"type":"'],
    [1_000_000, body?.toString()],
  ] as const) {
    const found = await lookups.eventBeginning(entry.id, bytes);
    expect({ ...found, beginning: found?.beginning?.toString() }).toEqual({ ...facts, beginning });
  }
  const [dead] = [deadOf('c7')];
  await context.store.recordDead([dead]);
  await context.sql(`DELETE FROM webhook_bodies WHERE event_id = '${dead.entry.id}'`);
  expect(await lookups.eventBeginning(dead.entry.id, 4)).toMatchObject({ beginning: undefined });
  await context.sql(`DELETE FROM webhook_events WHERE id = '${dead.entry.id}'`);
  expect(await lookups.eventBeginning(randomUUID(), 4)).toBeUndefined();
  expect(await lookups.eventBeginning("no uuid'", 4)).toBeUndefined();
});

describe('refused requests', () => {
  const a = aRejected({ receivedAt: NOW - 30 * HOUR });
  const b = aRejected({ receivedAt: NOW - 2 * HOUR, cause: 'stale' });
  const c = aRejected({ receivedAt: NOW - HOUR, readmittedAt: NOW });
  beforeAll(async () => {
    // oxlint-disable-next-line no-await-in-loop -- one after the other
    for (const row of [b, a, c]) await context.store.keepRejected(row);
  });

  test('are listed page by page, the newest first', async () => {
    const first = await lookups.rejected.list({}, { limit: 1 });
    const rest = await lookups.rejected.list({}, { limit: 9, after: first[0] });
    expect([first, rest].map(ids)).toEqual([[c.id], [b.id, a.id]]);
    expect(first[0]).not.toHaveProperty('body');
    expect(
      ids(await lookups.rejected.list({ cause: 'stale', since: NOW - 2 * HOUR, until: NOW - HOUR }, { limit: 9 })),
    ).toHaveLength(1);
    expect(await lookups.rejected.list({ cause: "st'a\0le" }, { limit: 9 })).toEqual([]);
  });

  test('are read with their bodies', async () => {
    const found = await lookups.rejected.get(a.id);
    expect(found && { ...found, body: found.body && Buffer.from(found.body) }).toEqual(a);
    expect(await lookups.rejected.get(randomUUID())).toBeUndefined();
    expect(await lookups.rejected.get('1')).toBeUndefined();
  });

  test('are counted by cause', async () => {
    expect(await lookups.rejected.causes({})).toEqual([
      { cause: 'another_secret', count: 2, readmitted: 1, first: NOW - 30 * HOUR, last: NOW - HOUR },
      { cause: 'stale', count: 1, readmitted: 0, first: NOW - 2 * HOUR, last: NOW - 2 * HOUR },
    ]);
    expect(await lookups.rejected.causes({ since: NOW + 1 })).toEqual([]);
  });
});

test('what may need somebody is counted', async () => {
  // One request was refused 30 hours ago, and one is readmitted.
  expect(await lookups.attention()).toEqual({
    dead: 0,
    deadSince: null,
    failedOperations: [],
    rejectedLately: { stale: 1 },
    recordingsToRemoveFailing: 0,
    operationsRunning: 0,
    operationsPlanned: 0,
    missing: 0,
    providerFaults: [],
    reconciledAt: null,
    reconcileEveryMs: null,
  });
  await context.store.recordDead([deadOf('c9')]);
  await context.sql(`INSERT INTO operations (kind, status, finished_at) VALUES ('a', 'failed', now() - interval '23 hours'),
    ('b', 'failed', now() - interval '25 hours'), ('c', 'running', NULL), ('d', 'planned', NULL), ('e', 'planned', NULL)`);
  await context.sql(`INSERT INTO recordings_to_remove (url, tries) VALUES ('file:/a', 0), ('file:/b', 2)`);
  expect(await lookups.attention()).toMatchObject({
    dead: 1,
    deadSince: AT + 1500,
    failedOperations: [{ kind: 'a', count: 1, message: null }],
    recordingsToRemoveFailing: 1,
    operationsRunning: 1,
    operationsPlanned: 2,
  });
});

const hoursAgo = (hours: number) => `now() - interval '${hours} hours'`;
const anEnded = (kind: string, status: string, [hours, message, filter = '{}']: [number, string, string?]) =>
  `('${kind}', '${status}', ${hoursAgo(hours)}, ${hoursAgo(hours)}, '${message}', '${filter}')`;

test('an operation that failed is told of until a later one of its kind is done', async () => {
  const insert = 'INSERT INTO operations (kind, status, created_at, finished_at, message, filter) VALUES ';
  await context.sql(
    `DELETE FROM operations; ${insert} ${[
      anEnded('mended', 'failed', [3, 'away']),
      anEnded('mended', 'done', [2, '']),
      anEnded('broken', 'done', [9, '']),
      anEnded('broken', 'failed', [8, 'away']),
      anEnded('broken', 'cancelled', [6, '']),
      anEnded('broken', 'failed', [5, 'refused']),
      anEnded('erase', 'failed', [7, 'one', '{"subject_hash": "1"}']),
      anEnded('erase', 'failed', [7, 'two', '{"subject_hash": "2"}']),
      anEnded('erase', 'done', [6, '', '{"subject_hash": "2", "journal_hours": "1"}']),
      anEnded('fetch', 'failed', [4, 'gone', '{"conversation": "c"}']),
      anEnded('fetch', 'done', [3, '', '{"conversation": "d"}']),
    ].join(', ')}`,
  );
  const id = expect.any(String);
  expect((await lookups.attention()).failedOperations).toEqual([
    { kind: 'fetch', count: 1, id, message: 'gone' },
    { kind: 'broken', count: 2, id, message: 'refused' },
    { kind: 'erase', count: 1, id, message: 'one' },
  ]);
  await context.sql(`DELETE FROM operations; INSERT INTO operations (kind, status) VALUES ('c', 'running')`);
});

test('the failure to fetch a call is told of no more once nobody can fetch it', async () => {
  const calls = ['open', 'complete', 'unfetchable', 'erased', 'none', 'unasked'].map((id) => `call-${id}`);
  // A rebuild can mend what is unfetchable, and not what is erased.
  const kinds = ['fetch-conversation', 'rebuild-conversation'];
  const rows = kinds.flatMap((kind) =>
    calls.map((id) => anEnded(kind, 'failed', [1, id, `{"conversation": "${id}"}`])),
  );
  await context.sql(`DELETE FROM operations;
    INSERT INTO operations (kind, status, created_at, finished_at, message, filter) VALUES ${rows.join(', ')};
    UPDATE operations SET failed = 1 WHERE message <> 'call-unasked';
    INSERT INTO conversations (id, status, started_at, created_at, updated_at, clocks, completeness, erased_at)
      SELECT 'call-' || word, 'done', now(), now(), now(), '{}', word, CASE word WHEN 'erased' THEN now() END
      FROM unnest('{open,complete,unfetchable,erased}'::text[]) AS word`);
  const { failedOperations } = await lookups.attention();
  // Nobody asked ElevenLabs for the last one: it may be there.
  expect(failedOperations.map(({ kind, count }) => [kind, count])).toEqual([
    ['fetch-conversation', 2],
    ['rebuild-conversation', 5],
  ]);
  await context.sql(`DELETE FROM conversations WHERE id LIKE 'call-%'; DELETE FROM operations;
    INSERT INTO operations (kind, status) VALUES ('c', 'running')`);
});

async function atProvider() {
  const { missing, providerFaults, reconciledAt, reconcileEveryMs } = await lookups.attention();
  return { missing, providerFaults, reconciledAt, reconcileEveryMs };
}

/** A row of `reconciliations` that began so many minutes after `AT`. */
const aRun = (minutes: number, ended: string) =>
  `(gen_random_uuid(), to_timestamp(0), to_timestamp(0), to_timestamp(${AT / 1000} + ${minutes * 60}), ${ended})`;

test('what was found at the provider, and when calls were compared last, is told', async () => {
  const insert = 'INSERT INTO reconciliations (id, window_from, window_to, started_at, finished_at, error) VALUES ';
  await context.sql(
    `${insert} ${aRun(1, 'NULL, NULL')}, ${aRun(2, `to_timestamp(${AT / 1000} + 125), 'The key is refused.'`)}`,
  );
  // None has ended well: since when they are tried.
  expect(await atProvider()).toEqual({
    missing: 0,
    providerFaults: [],
    reconciledAt: AT + 60_000,
    reconcileEveryMs: null,
  });
  const good = [10, 25, 26].map((minutes) => aRun(minutes, `to_timestamp(${AT / 1000} + ${minutes * 60 + 5}), NULL`));
  await context.sql(`${insert} ${good.join(', ')}, ${aRun(40, 'NULL, NULL')}`);
  const findings = [
    { code: 'a', level: 'fault', what: 'The webhook is off.' },
    { code: 'b', level: 'fine', what: 'The key is good.' },
    { code: 'c', level: 'fault', what: 'Audio is not sent.' },
    { code: 'd', level: 'fault', what: 7 },
    { code: 'e', level: 'fault' },
  ];
  // The first look runs, and has found nothing yet.
  await context.sql('INSERT INTO provider_checks DEFAULT VALUES');
  expect(await atProvider()).toMatchObject({ providerFaults: [], reconcileEveryMs: null });
  await context.sql(`UPDATE provider_checks SET result = '${JSON.stringify({ findings, reconcileEveryMs: 900_000 })}'`);
  await context.sql(`UPDATE conversations SET completeness = 'missing' WHERE id = 'c1'`);
  expect(await atProvider()).toEqual({
    missing: 1,
    providerFaults: ['The webhook is off.', 'Audio is not sent.'],
    reconciledAt: AT + 26 * 60_000 + 5_000,
    reconcileEveryMs: 900_000,
  });
  // What nobody has looked at for long is no fault of now. The interval stands.
  await context.sql(`UPDATE provider_checks SET saved_at = now() - interval '31 minutes'`);
  expect(await atProvider()).toMatchObject({ providerFaults: [], reconcileEveryMs: 900_000 });
  // What another version has saved is no reason to show nothing.
  for (const result of ['[1]', '{"findings": [{"level": "fault", "what": {}}], "reconcileEveryMs": "15m"}']) {
    await context.sql(`UPDATE provider_checks SET saved_at = now(), result = '${result}'`);
    expect(await atProvider()).toMatchObject({ missing: 1, providerFaults: [], reconcileEveryMs: null });
  }
  await context.sql(
    `DELETE FROM reconciliations; DELETE FROM provider_checks; UPDATE conversations SET completeness = NULL`,
  );
});

test('what may need somebody is counted up to a bound', async () => {
  await context.sql(`BEGIN;
    INSERT INTO webhook_events (id, event_at, received_at, origin, outcome, body_bytes)
      SELECT gen_random_uuid(), now(), now(), 'webhook', 'dead', 0 FROM generate_series(1, 10050);
    INSERT INTO recordings_to_remove (url, tries) SELECT 'file:/many/' || i, 1 FROM generate_series(1, 10050) i;
    INSERT INTO operations (kind, status, finished_at, created_at)
      SELECT 'many', 'failed', now(), now() + interval '1 minute' FROM generate_series(1, 1050);
    COMMIT`);
  expect(await lookups.attention()).toMatchObject({
    dead: 10_001,
    deadSince: AT + 1500,
    recordingsToRemoveFailing: 10_001,
    failedOperations: [{ kind: 'many', count: 1_000 }],
    // It is found by its own index, behind however many others.
    operationsRunning: 1,
  });
  await context.sql(`DELETE FROM operations WHERE kind = 'many';
    DELETE FROM webhook_events WHERE origin = 'webhook' AND body_bytes = 0 AND outcome = 'dead';
    DELETE FROM recordings_to_remove WHERE url LIKE 'file:/many/%'`);
});

test('operations and the plan of an erasure are read', async () => {
  const { id } = await context.store.operations.request({ kind: 'replay', filter: {} });
  expect(await lookups.operations.get(id)).toMatchObject({ id, kind: 'replay', status: 'planned' });
  expect(await lookups.operations.get('1')).toBeUndefined();
  expect(ids(await lookups.operations.list(1))).toEqual([id]);
  expect(await lookups.erasurePlan({ by: 'user', value: PERSON.user })).toMatchObject({
    conversations: 1,
    messages: 2,
    profiles: 1,
  });
});

test('the role that may only read looks everything up, and can mark nothing', async () => {
  const admin = await emptyDatabase('calls');
  const prefix = `p${randomUUID().replaceAll('-', '')}`;
  const urls = await makeRoles({ adminUrl: admin, passwords: { owner: 'a', worker: 'b', reader: 'c' }, prefix });
  onTestFinished(async () => {
    for (const role of ['owner', 'worker', 'reader']) {
      // oxlint-disable-next-line no-await-in-loop -- three
      await runSql(admin, `DROP OWNED BY ${prefix}_${role} CASCADE; DROP ROLE ${prefix}_${role}`);
    }
  });
  await migrate(urls.owner);
  const worker = createStore({ databaseUrl: urls.worker });
  onTestFinished(() => worker.close());
  await worker.apply(eventsOfCall('c1'));
  await worker.recordDead([deadOf('c2')]);
  const reader = openLookups({ databaseUrl: urls.reader, poolSize: 1 });
  onTestFinished(() => reader.close());
  await reader.ping();
  const groups = async () => Object((await reader.failures.groups().next()).value).failures.groups();
  const [group] = await groups();
  await worker.failures.markKnown(group.fingerprint, 'admin');
  expect(await groups()).toMatchObject([{ count: 1, known: { by: 'admin' } }]);
  expect(ids(await reader.conversations.list({}, { limit: 9 }))).toEqual(['c1']);
  expect(await reader.attention()).toMatchObject({ dead: 1 });
  expect(await reader.rejected.causes({})).toEqual([]);
  const writer = createStore({ databaseUrl: urls.reader });
  onTestFinished(() => writer.close());
  await expect(writer.failures.markKnown('000000000000', 'x')).rejects.toMatchObject({ code: '25006' });
});
