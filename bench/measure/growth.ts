import { Client } from 'pg';
import type { BenchContext } from '../bench-context.ts';
import type { Place } from '../contender.ts';
import { formatNumber } from '../report/format-number.ts';
import { usageOfTree } from '../processes.ts';
import { median, type Results } from '../results.ts';
import { withRedis } from '../services.ts';
import { backlogEvents, fillBacklog, isQueueing, settle, workOff, type QueueingContender } from './backlog.ts';
import { checkApplied, ledgerCount } from './check-applied.ts';
import { querySql, rateOf, type Commit, type WorkedOff } from './commits.ts';
import { preload } from './preload.ts';

/** What users ask, as the README has it, and one call as it is read. */
const QUERIES = {
  'latest conversations': 'SELECT * FROM conversations ORDER BY started_at DESC LIMIT 10',
  'latest messages': 'SELECT * FROM conversation_messages ORDER BY created_at DESC LIMIT 10',
  'one conversation': `SELECT * FROM conversation_messages
    WHERE conversation_id = (SELECT id FROM conversations ORDER BY started_at DESC OFFSET 100 LIMIT 1)
    ORDER BY created_at, position`,
} as const;

const EXECUTIONS = 200;
/** A database up to this size is another one in each round: the rounds' own events would make it larger. */
const SMALL_MESSAGES = 100_000;
/** Backlogs that are worked off before anything is measured. */
const WARM_UP_BACKLOGS = 4;
/** A backlog is worked off within this time, or the measure fails, in seconds. */
const DRAIN_LIMIT_SECONDS = 300;

/** growth: landline with more and more in the tables, and with a large backlog in Redis. */
export async function growth(bench: BenchContext, results: Results): Promise<void> {
  const landline = bench.contenders.filter(isQueueing).find(({ name }) => name === 'landline');
  if (!landline) throw new Error('There is no landline among the contenders.');
  await growTables(bench, results, landline);
  await growBacklog(bench, results, landline);
}

async function growTables(bench: BenchContext, results: Results, contender: QueueingContender): Promise<void> {
  const { growthMessages: sizes, growthBacklog: events, rounds, warmUpSeconds } = bench.plan;
  // All before the first warm-up: to fill one, or to drop one, ends with a checkpoint of the whole cluster.
  const grown: Grown[] = [];
  // oxlint-disable no-await-in-loop -- one at a time: they share the machine
  for (const messages of sizes) {
    for (let nth = 1; nth <= (messages > SMALL_MESSAGES ? 1 : rounds); nth++)
      grown.push(await openGrown(bench, contender, { messages, nth }));
  }
  for (const { messages, place } of grown) {
    // After a checkpoint the first change of each page is logged with the whole page; a server that runs has that behind it.
    if (messages > SMALL_MESSAGES)
      await workOffAll(bench, { contender, place, events: events * (rounds === 1 ? 1 : WARM_UP_BACKLOGS) });
  }
  for (let round = 1; round <= rounds; round++) {
    for (const { messages, nth, place } of grown) {
      if (messages <= SMALL_MESSAGES && nth !== round) continue;
      const { before, after, ...done } = await workOffAll(bench, { contender, place, events });
      const rate = rateOf(done, warmUpSeconds * 1000);
      const name = { measure: 'growth', variant: `${nameOf(messages)} messages`, contender: contender.name };
      results.add({ ...name, metric: 'events', unit: '/s' }, rate);
      for (const { metric, unit, each } of POSTGRES_COSTS)
        results.add({ ...name, metric, unit }, (each(after) - each(before)) / events);
      for (const [query, sql] of Object.entries(QUERIES)) {
        results.add({ ...name, metric: `p50 of ${query}`, unit: 'ms' }, await timeQuery(place.databaseUrl, sql));
      }
      bench.log(`growth, round ${round}: ${nameOf(messages)} messages ${formatNumber(rate)}/s`);
    }
  }
  for (const database of grown) await bench.services.place(placeOf(database));
}

/** A database with so many messages; of the small ones there is one for each round, the nth. */
interface Grown {
  messages: number;
  nth: number;
  place: Place;
}

function placeOf({ messages, nth }: Pick<Grown, 'messages' | 'nth'>): string {
  return `growth-${messages}-${nth}`;
}

async function openGrown(
  { services }: BenchContext,
  contender: QueueingContender,
  database: Pick<Grown, 'messages' | 'nth'>,
): Promise<Grown> {
  const place = await services.place(placeOf(database));
  await preload(place.databaseUrl, database.messages);
  await contender.prepare(place);
  return { ...database, place };
}

/** What Postgres has used up to now. */
interface PostgresAccount {
  walBytes: number;
  /** Pages that are in the WAL as a whole: those changed for the first time since a checkpoint. */
  walPages: number;
  cpuSeconds: number;
}

/** What of it is shown: why a larger database may be slower. */
const POSTGRES_COSTS = [
  { metric: 'WAL', unit: 'bytes/event', each: ({ walBytes }: PostgresAccount) => walBytes },
  { metric: 'whole pages in the WAL', unit: 'pages/event', each: ({ walPages }: PostgresAccount) => walPages },
  {
    metric: 'CPU of postgres',
    unit: 'CPU s/1,000 events',
    each: ({ cpuSeconds }: PostgresAccount) => cpuSeconds * 1000,
  },
] as const;

async function readPostgres({ services }: BenchContext, { databaseUrl }: Place): Promise<PostgresAccount> {
  const [wal] = await querySql<{ bytes: number; pages: number }>(
    databaseUrl,
    'SELECT wal_bytes::float8 AS bytes, wal_fpi::float8 AS pages FROM pg_stat_wal',
  );
  if (!wal) throw new Error('Postgres tells nothing of its WAL.');
  return { walBytes: wal.bytes, walPages: wal.pages, cpuSeconds: usageOfTree(services.postgres.pid).cpuSeconds };
}

/** Queues events and works all of them off; checks that the ledger has them. */
async function workOffAll(
  bench: BenchContext,
  { contender, place, events }: { contender: QueueingContender; place: Place; events: number },
): Promise<WorkedOff & { before: PostgresAccount; after: PostgresAccount }> {
  const counted = await ledgerCount(place.databaseUrl);
  await contender.fill(place, backlogEvents('live', events, []));
  const before = await readPostgres(bench, place);
  const done = await workOff({ contender, place, seconds: DRAIN_LIMIT_SECONDS });
  const after = await readPostgres(bench, place);
  const applied = (await ledgerCount(place.databaseUrl)) - counted;
  if (applied !== events)
    throw new Error(`${contender.name} is wrong: of ${events} events ${applied} are in the ledger.`);
  return { ...done, before, after };
}

/** The median time of a query in milliseconds, on one connection. */
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

/** A backlog that is larger than any other here: what it costs in Redis, and whether it slows the worker. */
async function growBacklog(bench: BenchContext, results: Results, contender: QueueingContender): Promise<void> {
  const { redisBacklog: backlog, rounds, warmUpSeconds } = bench.plan;
  const place = await bench.services.place('growth-backlog');
  await contender.prepare(place);
  const before = await usedMemory(place);
  const ids: string[] = [];
  await fillBacklog(contender, place, backlogEvents('live', backlog, ids));
  const bytes = ((await usedMemory(place)) - before) / backlog;
  const name = { measure: 'growth', variant: `${nameOf(backlog)} events in Redis`, contender: contender.name };
  results.add({ ...name, metric: 'Redis memory', unit: 'bytes/event' }, bytes);
  await settle(place);
  const done = await workOff({ contender, place, seconds: DRAIN_LIMIT_SECONDS });
  const pending = await contender.pending(place);
  await checkApplied({ name: contender.name, databaseUrl: place.databaseUrl, ids, pending });
  for (const part of partsOf(done.commits, { parts: rounds, events: backlog })) {
    const rate = rateOf({ ...done, commits: part }, warmUpSeconds * 1000);
    results.add({ ...name, metric: 'events', unit: '/s' }, rate);
  }
  bench.log(`growth: ${nameOf(backlog)} events take ${formatNumber(bytes)} bytes each in Redis`);
  await bench.services.place('growth-backlog');
}

/** Cuts one long run into parts of about as many events each: its rounds. */
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

/** 5,000 → `5 thousand`. */
function nameOf(count: number): string {
  return count >= 1e6 ? `${count / 1e6} million` : `${count / 1000} thousand`;
}
