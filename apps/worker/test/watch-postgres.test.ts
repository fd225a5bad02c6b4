import { randomUUID } from 'node:crypto';
import { createLogger } from '@landline/process';
import { openPostgresBeats, type PostgresBeats } from '@landline/queue';
import { createStore, type Beat, type Store } from '@landline/store';
import { expect, inject, onTestFinished, test, vi } from 'vitest';
import { createDatabase } from '../../../test/support/database.ts';
import { runSql } from '../../../test/support/run-sql.ts';
import { createMetrics } from '../src/metrics.ts';
import type { Commit } from '../src/commit/recent-commits.ts';
import { watchPostgres } from '../src/database/watch-postgres.ts';

const WITHIN = { timeout: 20_000, interval: 50 };

const STARTED = Date.UTC(2026, 10, 1);

/** A database of the test's own, whose beat stands at `seq` and whose oldest open job is of `STARTED`. */
async function aDatabase(seq: number) {
  const database = await createDatabase(inject('databaseUrl'));
  onTestFinished(() => database.drop());
  const sql = (statement: string) => runSql(database.url, statement);
  await sql(
    `UPDATE landline_beat SET identity = '${randomUUID()}', seq = ${seq}, oldest_open_at = to_timestamp(${STARTED / 1000})`,
  );
  const [row] = await sql('SELECT identity::text FROM landline_beat');
  const read = async () => Number((await sql('SELECT seq FROM landline_beat'))[0]?.['seq']);
  return { url: database.url, identity: String(row?.['identity']), sql, read };
}

/** What Redis knows, and is asked; on it the test decides when it answers. */
function openBeats(prefix: string): PostgresBeats & { requests: { loss: string; sinceMs: number }[] } {
  const beats = openPostgresBeats({ redisUrl: inject('redisUrl'), prefix });
  onTestFinished(() => beats.close());
  const requests: { loss: string; sinceMs: number }[] = [];
  return {
    ...beats,
    requests,
    requestRedo: async (request) => {
      const isNew = await beats.requestRedo(request);
      // One that Redis did not answer in time is asked again.
      requests.push({ loss: request.loss, sinceMs: request.sinceMs });
      return isNew;
    },
  };
}

/** Asks Redis until it answers in the half second that it has: a busy machine's may take longer, most of all for the connection. */
const surely = <T>(ask: () => Promise<T>) => vi.waitFor(ask, WITHIN);

interface WatchTestOptions {
  wrap?: (store: Store) => Store;
  commits?: readonly Commit[];
}

function startWatch(
  databaseUrl: string,
  beats: PostgresBeats,
  { wrap = (store) => store, commits = [] }: WatchTestOptions = {},
) {
  const store = wrap(createStore({ databaseUrl, poolSize: 1 }));
  const lines: string[] = [];
  const logger = createLogger({
    name: 'worker',
    level: 'info',
    destination: { write: (line) => void lines.push(line) },
  });
  const metrics = createMetrics();
  const watch = watchPostgres({
    store,
    beats,
    commits: { all: () => commits },
    isWaiting: () => false,
    logger,
    metrics,
  });
  onTestFinished(async () => {
    await watch.stop();
    await store.close();
  });
  watch.start();
  return { watch, metrics, log: () => lines.join('') };
}

const ownPrefix = () => `{${randomUUID()}}`;

test('counts up, and notes what is committed', async () => {
  const database = await aDatabase(5);
  const beats = openBeats(ownPrefix());
  startWatch(database.url, beats);
  await vi.waitUntil(async () => (await database.read()) >= 7, WITHIN);
  await expect.poll(async () => (await beats.noted(database.identity)).seq, WITHIN).toBeGreaterThanOrEqual(7);
  expect(beats.requests).toEqual([]);
  // No job is open: what comes is younger than this look.
  const [row] = await database.sql('SELECT oldest_open_at FROM landline_beat');
  expect(Number(row?.['oldest_open_at'])).toBeGreaterThan(STARTED);
});

test('a beat that is older than the newest noted one: the journals are asked for what came since, once by several workers', async () => {
  const database = await aDatabase(5);
  const prefix = ownPrefix();
  const both = [openBeats(prefix), openBeats(prefix)];
  await surely(async () => both[0]?.takeTurn());
  await surely(async () => both[0]?.note({ identity: database.identity, seq: 9, server: 'another' }));
  const watches = both.map((beats) => startWatch(database.url, beats));
  await vi.waitUntil(async () => (await database.read()) >= 12, WITHIN);
  expect(both.flatMap(({ requests }) => requests)).toEqual([{ loss: `${database.identity} 5 9`, sinceMs: STARTED }]);
  expect(watches.map(({ log }) => log()).join('')).toContain('2026-11-01T00:00:00.000Z');
});

test('a worker that dies between its request and the number leaves the loss to be found again', async () => {
  const database = await aDatabase(5);
  const beats = openBeats(ownPrefix());
  await surely(() => beats.takeTurn());
  await surely(() => beats.note({ identity: database.identity, seq: 9, server: 'another' }));
  const store = createStore({ databaseUrl: database.url });
  onTestFinished(() => store.close());
  await expect(
    store.beat(async (found: Beat) => {
      await surely(() => beats.requestRedo({ loss: `${found.identity} ${found.seq} 9`, sinceMs: 0 }));
      throw new Error('killed');
    }),
  ).rejects.toThrow('killed');
  expect(await database.read()).toBe(5);
  startWatch(database.url, beats);
  await vi.waitUntil(async () => (await database.read()) >= 10, WITHIN);
  expect(beats.requests).toHaveLength(2);
});

test('a slow worker hides no loss: it asks Redis when it holds the beat, not before', async () => {
  const database = await aDatabase(5);
  const beats = openBeats(ownPrefix());
  await surely(() => beats.takeTurn());
  await surely(() => beats.note({ identity: database.identity, seq: 5, server: 'another' }));
  let isFirst = true;
  const wrap = (store: Store): Store => ({
    ...store,
    // Meanwhile another worker left the beats up to 8, and Postgres lost them.
    async beat(next) {
      if (isFirst) await beats.note({ identity: database.identity, seq: 8, server: 'another' });
      isFirst = false;
      return store.beat(next);
    },
  });
  startWatch(database.url, beats, { wrap });
  await vi.waitUntil(async () => (await database.read()) >= 9, WITHIN);
  expect(beats.requests).toHaveLength(1);
});

test('another database than all before is asked to be filled from the journals; a first one is not', async () => {
  const beats = openBeats(ownPrefix());
  const first = await aDatabase(5);
  const { watch } = startWatch(first.url, beats);
  await expect.poll(async () => (await beats.noted(first.identity)).seq, WITHIN).toBeDefined();
  await watch.stop();
  expect(beats.requests).toEqual([]);
  const second = await aDatabase(5);
  startWatch(second.url, beats);
  await expect.poll(async () => (await beats.noted(second.identity)).seq, WITHIN).toBeDefined();
  expect(beats.requests).toEqual([{ loss: second.identity, sinceMs: 0 }]);
});

test('says loudly which settings put everything at risk, and which right it lacks', async () => {
  const database = await aDatabase(5);
  const beats = openBeats(ownPrefix());
  const { log, metrics } = startWatch(database.url, beats);
  // The tests' own server has both off.
  await vi.waitUntil(() => log().includes('Set full_page_writes = on'), { timeout: 20_000 });
  expect(log()).toContain('Set fsync = on');
  expect(await metrics.registry.metrics()).toMatch(/^landline_postgres_unsafe 1$/m);
  await database.sql('ALTER TABLE landline_beat RENAME TO gone');
  await vi.waitUntil(() => log().includes('No beat in Postgres'), { timeout: 20_000 });
});

test('what was committed after the last beat and is gone is asked for, as far back as this worker knows of it, and once', async () => {
  const database = await aDatabase(5);
  const beats = openBeats(ownPrefix());
  const gone = [
    { id: randomUUID(), receivedAt: STARTED + 7_000, committedAt: STARTED + 8_000 },
    { id: randomUUID(), receivedAt: STARTED + 3_000, committedAt: STARTED + 4_000 },
  ];
  const there = { id: randomUUID(), receivedAt: STARTED, committedAt: STARTED };
  await database.sql(
    `INSERT INTO webhook_events (id, event_at, received_at, origin, outcome, body_bytes) VALUES ('${there.id}', now(), now(), 'webhook', 'ignored', 0)`,
  );
  const { log, metrics } = startWatch(database.url, beats, { commits: [there, ...gone] });
  await vi.waitUntil(async () => (await database.read()) >= 9, WITHIN);
  // Asked again where Redis was slow to answer.
  expect(new Set(beats.requests.map(({ sinceMs }) => sinceMs))).toEqual(new Set([STARTED + 3_000]));
  expect(log()).toContain('2026-11-01T00:00:03.000Z');
  expect(await metrics.registry.metrics()).toContain('landline_postgres_losses_total 1');
});
