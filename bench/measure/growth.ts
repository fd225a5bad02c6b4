import { Client } from 'pg';
import { runSql } from '../../test/support/run-sql.ts';
import { usageOfTree } from '../../test/support/usage.ts';
import { withRedis } from '../../test/support/with-redis.ts';
import type { BenchContext } from '../bench-context.ts';
import type { Place } from '../contender.ts';
import { LANDLINE } from '../contenders.ts';
import { formatNumber } from '../report/format-number.ts';
import { median, type Results } from '../results.ts';
import { backlogEvents, fillBacklog, settle, workOff } from './backlog.ts';
import { checkApplied, ledgerCount } from './check-applied.ts';
import { rateOf, type Commit, type WorkedOff } from './commits.ts';
import { preload } from './preload.ts';

/** The queries of users: the latest calls and messages, and one call with its messages. */
const QUERIES = {
  'latest conversations': 'SELECT * FROM conversations ORDER BY started_at DESC LIMIT 10',
  'latest messages': 'SELECT * FROM conversation_messages ORDER BY created_at DESC LIMIT 10',
  'one conversation': `SELECT * FROM conversation_messages
    WHERE conversation_id = (SELECT id FROM conversations ORDER BY started_at DESC OFFSET 100 LIMIT 1)
    ORDER BY created_at, position`,
} as const;

const EXECUTIONS = 200;
/** A database up to this number of messages is made anew for each round, because the events of the rounds would make it larger. */
const SMALL_MESSAGES = 100_000;
/** The number of backlogs that are worked off before the measurement. */
const WARM_UP_BACKLOGS = 4;
/** How long working off a backlog may take, in seconds. After this time the measure fails. */
const DRAIN_LIMIT_SECONDS = 300;

/** growth: measures landline with more and more rows in the tables, and with a large backlog in Redis. */
export async function growth(bench: BenchContext, results: Results): Promise<void> {
  await growTables(bench, results);
  await growBacklog(bench, results);
}

/** Answers the place of a database with so many messages. A small database exists once for each round. */
interface Grown {
  messages: number;
  nth: number;
  place: Place;
}

async function growTables(bench: BenchContext, results: Results): Promise<void> {
  const { growthMessages: sizes, growthBacklog: events, rounds } = bench.plan;
  // All databases are filled before the first warm-up: filling or dropping a database ends with a checkpoint of the whole cluster.
  const grown: Grown[] = [];
  // oxlint-disable no-await-in-loop -- one at a time: they share the machine
  for (const messages of sizes) {
    for (let nth = 1; nth <= (messages > SMALL_MESSAGES ? 1 : rounds); nth++) {
      const place = await bench.services.place(placeOf(messages, nth));
      await preload(place.databaseUrl, messages);
      grown.push({ messages, nth, place });
    }
  }
  // After a checkpoint the first change of each page is logged with the whole page; a server that runs has that behind it.
  for (const { place } of grown.filter(({ messages }) => messages > SMALL_MESSAGES))
    await workOffAll(bench, place, events * (rounds === 1 ? 1 : WARM_UP_BACKLOGS));
  for (let round = 1; round <= rounds; round++) {
    for (const database of grown.filter(({ messages, nth }) => messages > SMALL_MESSAGES || nth === round))
      await measureGrown(bench, results, database);
  }
  for (const { messages, nth } of grown) await bench.services.place(placeOf(messages, nth));
}

function placeOf(messages: number, nth: number): string {
  return `growth-${messages}-${nth}`;
}

async function measureGrown(bench: BenchContext, results: Results, { messages, place }: Grown): Promise<void> {
  const { growthBacklog: events, warmUpSeconds } = bench.plan;
  const { used, ...done } = await workOffAll(bench, place, events);
  const rate = rateOf(done, warmUpSeconds * 1000);
  const name = { measure: 'growth', variant: `${nameOf(messages)} messages`, contender: LANDLINE.name };
  results.add({ ...name, metric: 'events', unit: '/s' }, rate);
  results.add({ ...name, metric: 'WAL', unit: 'bytes/event' }, used.walBytes / events);
  results.add({ ...name, metric: 'whole pages in the WAL', unit: 'pages/event' }, used.walPages / events);
  results.add({ ...name, metric: 'CPU of postgres', unit: 'CPU s/1,000 events' }, (used.cpuSeconds * 1000) / events);
  for (const [query, sql] of Object.entries(QUERIES)) {
    // oxlint-disable-next-line no-await-in-loop -- one at a time: they share the machine
    results.add({ ...name, metric: `p50 of ${query}`, unit: 'ms' }, await timeQuery(place.databaseUrl, sql));
  }
  bench.log(`growth: ${nameOf(messages)} messages ${formatNumber(rate)}/s`);
}

/** The resources that Postgres has used. They show why a larger database may be slower. */
interface PostgresAccount {
  walBytes: number;
  /** The number of whole pages in the WAL: pages that were changed for the first time since a checkpoint. */
  walPages: number;
  cpuSeconds: number;
}

async function readPostgres({ services }: BenchContext, { databaseUrl }: Place): Promise<PostgresAccount> {
  const [wal] = await runSql<{ bytes: number; pages: number }>(
    databaseUrl,
    'SELECT wal_bytes::float8 AS bytes, wal_fpi::float8 AS pages FROM pg_stat_wal',
  );
  if (!wal) throw new Error('Postgres tells nothing of its WAL.');
  return { walBytes: wal.bytes, walPages: wal.pages, cpuSeconds: usageOfTree(services.postgres.pid).cpuSeconds };
}

/** Queues events, works all of them off, and checks that the ledger has them. */
async function workOffAll(
  bench: BenchContext,
  place: Place,
  events: number,
): Promise<WorkedOff & { used: PostgresAccount }> {
  const counted = await ledgerCount(place.databaseUrl);
  await LANDLINE.fill(place, backlogEvents('live', events, []));
  const before = await readPostgres(bench, place);
  const done = await workOff({ contender: LANDLINE, place, seconds: DRAIN_LIMIT_SECONDS });
  const after = await readPostgres(bench, place);
  const applied = (await ledgerCount(place.databaseUrl)) - counted;
  if (applied !== events) throw new Error(`landline is wrong: of ${events} events ${applied} are in the ledger.`);
  const used = {
    walBytes: after.walBytes - before.walBytes,
    walPages: after.walPages - before.walPages,
    cpuSeconds: after.cpuSeconds - before.cpuSeconds,
  };
  return { ...done, used };
}

/** Measures the median time of a query in milliseconds, on one connection. */
async function timeQuery(databaseUrl: string, sql: string): Promise<number> {
  const client = new Client({ connectionString: databaseUrl });
  await client.connect();
  const times: number[] = [];
  try {
    for (let i = 0; i < EXECUTIONS; i++) {
      const startedAt = performance.now();
      // oxlint-disable-next-line no-await-in-loop -- one after the other is what is measured
      await client.query(sql);
      times.push(performance.now() - startedAt);
    }
  } finally {
    await client.end();
  }
  return median(times);
}

/** Measures the largest backlog: its memory in Redis, and whether it slows the worker. */
async function growBacklog(bench: BenchContext, results: Results): Promise<void> {
  const { redisBacklog: backlog, rounds, warmUpSeconds } = bench.plan;
  const place = await bench.services.place('growth-backlog');
  const before = await usedMemory(place);
  const ids: string[] = [];
  await fillBacklog(LANDLINE, place, backlogEvents('live', backlog, ids));
  const bytes = ((await usedMemory(place)) - before) / backlog;
  const name = { measure: 'growth', variant: `${nameOf(backlog)} events in Redis`, contender: LANDLINE.name };
  results.add({ ...name, metric: 'Redis memory', unit: 'bytes/event' }, bytes);
  await settle(place);
  const done = await workOff({ contender: LANDLINE, place, seconds: DRAIN_LIMIT_SECONDS });
  const pending = await LANDLINE.pending(place);
  await checkApplied({ name: LANDLINE.name, databaseUrl: place.databaseUrl, ids, pending });
  for (const part of partsOf(done.commits, { parts: rounds, events: backlog })) {
    const rate = rateOf({ ...done, commits: part }, warmUpSeconds * 1000);
    results.add({ ...name, metric: 'events', unit: '/s' }, rate);
  }
  bench.log(`growth: ${nameOf(backlog)} events take ${formatNumber(bytes)} bytes each in Redis`);
  await bench.services.place('growth-backlog');
}

/** Divides one long run into rounds of about as many events each. */
function partsOf(commits: readonly Commit[], { parts, events }: { parts: number; events: number }): Commit[][] {
  const cut: Commit[][] = Array.from({ length: parts }, () => []);
  let before = 0;
  for (const commit of commits) {
    cut[Math.min(parts - 1, Math.floor((before * parts) / events))]?.push(commit);
    before += commit.events;
  }
  return cut;
}

async function usedMemory({ redisUrl }: Place): Promise<number> {
  return withRedis(redisUrl, async (redis) => Number(/^used_memory:(\d+)/m.exec(await redis.info('memory'))?.[1]));
}

/** Writes a count in words: 5,000 → `5 thousand`. */
function nameOf(count: number): string {
  return count >= 1e6 ? `${count / 1e6} million` : `${count / 1000} thousand`;
}
