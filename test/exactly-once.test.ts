import { Agent } from 'node:http';
import { setTimeout as delay } from 'node:timers/promises';
import { idempotencyKey, normalise } from '@landline/webhook';
// oxlint-disable-next-line no-restricted-imports -- a test applies by a connection of its own what the store would not apply
import { Client } from 'pg';
import { expect, inject, it, onTestFinished, vi } from 'vitest';
import { applyEvents } from '../packages/store/src/apply.ts';
import type { Run } from '../packages/store/src/connection/transactions.ts';
import { readTables } from '../packages/store/test/support/read-tables.ts';
import { countEffects } from './support/count-effects.ts';
import { startPipe, type Pipe, type PipeRedis } from './support/pipe.ts';
import { startRedisCluster } from './support/redis-cluster.ts';
import { createDatabase } from './support/database.ts';
import { post } from './support/post.ts';
import { seededRandom, type SeededRandom } from './support/seeded-random.ts';
import { firstOfLoad } from './support/load-events.ts';
import { doubledAmong, wrongRows } from './support/wrong-rows.ts';

/** What REDIS_URL names, how many events are sent, and how often a worker is killed with a job in hand. */
const RUNS: readonly { on: string; count: number; kills: number; startRedis?: () => Promise<PipeRedis> }[] = [
  { on: 'one Redis', count: 4_000, kills: 3 },
  { on: 'a Redis Cluster', count: 2_000, kills: 2, startRedis: () => startRedisCluster() },
];
const SENDERS = 32;
/** The longest time from a worker's first log line to its SIGKILL, in ms. */
const MAX_KILL_DELAY_MS = 60;
/** How long the test waits for an idle queue, in ms. Another worker takes a killed worker's jobs after 10 to 15 s. */
const SETTLE_LIMIT_MS = 180_000;
/** How long a worker that starts may take to apply its first event, in ms. */
const FIRST_LIMIT_MS = 60_000;

/** Returns every event once, and a third of them once or twice more, in random order. */
function deliveriesOf(events: readonly Buffer[], random: SeededRandom): Buffer[] {
  const repeated = random.shuffled(events).slice(0, Math.floor(events.length / 3));
  const again = repeated.flatMap((body) => Array.from({ length: 1 + random.below(2) }, () => body));
  return random.shuffled([...events, ...again]);
}

/** Sends all deliveries, many at once. Returns how many were answered with each status. */
async function sendAll(pipe: Pipe, deliveries: readonly Buffer[], agent: Agent): Promise<Map<number, number>> {
  const statuses = new Map<number, number>();
  let next = 0;
  async function sendInTurn(): Promise<void> {
    for (let body = deliveries[next++]; body !== undefined; body = deliveries[next++]) {
      const { status } = await post(pipe.receiver.url, body, { agent });
      statuses.set(status, (statuses.get(status) ?? 0) + 1);
    }
  }
  await Promise.all(Array.from({ length: SENDERS }, sendInTurn));
  return statuses;
}

/** Starts a worker and kills it in the middle of its work. Returns how many jobs were active in it: none where it was too quick. */
async function killAtWork(pipe: Pipe, random: SeededRandom): Promise<number> {
  // A job of a worker that was killed before stays active until another worker takes it.
  const left = new Set(await activeJobs(pipe));
  const inHand = async () => (await activeJobs(pipe)).filter((id) => !left.has(id)).length;
  const worker = await pipe.startWorker();
  await vi.waitUntil(() => worker.output().includes('✅'), { timeout: FIRST_LIMIT_MS, interval: 1 });
  await delay(random.below(MAX_KILL_DELAY_MS));
  // Between two jobs it has none. Where nothing waits, there is no next one.
  const isAtWork = async () => (await inHand()) > 0 || (await pipe.counts()).events <= left.size;
  await vi.waitUntil(isAtWork, { timeout: FIRST_LIMIT_MS, interval: 1 });
  worker.kill('SIGKILL');
  await worker.exited;
  return inHand();
}

/** Returns the jobs that a worker has in hand, each by its shard and id. */
async function activeJobs({ shards }: Pipe): Promise<string[]> {
  const active = await Promise.all(shards.map(({ events }) => events.getActive()));
  return active.flatMap((jobs, shard) => jobs.map(({ id }) => `${shard} ${String(id)}`));
}

it.each(RUNS)(
  '$on: applies each of $count events once, sent again and with workers killed',
  async (run) => {
    const { on, count, kills, startRedis } = run;
    const pipe = await startPipe({}, startRedis);
    onTestFinished(() => pipe.stop());
    await countEffects(pipe.sql);
    const sqlCount = async (from: string) => Number((await pipe.sql(`SELECT count(*) FROM ${from}`))[0]?.['count']);
    const seed = Number(process.env['SEED'] ?? Math.floor(Math.random() * 2 ** 32));
    process.stdout.write(`exactly once: SEED=${seed}\n`);
    const random = seededRandom(seed);
    const events = firstOfLoad({ run: 'once', seed }, count);
    const bodies = events.map(({ body }) => Buffer.from(body));
    expect(new Set(bodies.map(idempotencyKey)).size).toBe(count);
    const deliveries = deliveriesOf(bodies, random);

    const agent = new Agent({ keepAlive: true, maxSockets: SENDERS });
    const statuses = new Map<number, number>();
    const inHand: number[] = [];
    // A kill of a worker that has no job proves nothing: another one follows, as long as there is something to send.
    const hits = () => inHand.filter((jobs) => jobs > 0).length;
    const share = Math.ceil(deliveries.length / (2 * kills + 1));
    for (let from = 0; from < deliveries.length; from += share) {
      const isLast = hits() === kills || from + share >= deliveries.length;
      const sending = sendAll(pipe, deliveries.slice(from, isLast ? undefined : from + share), agent);
      if (isLast) await pipe.startWorker();
      else inHand.push(await killAtWork(pipe, random));
      for (const [status, times] of await sending) statuses.set(status, (statuses.get(status) ?? 0) + times);
      if (isLast) break;
    }
    agent.destroy();
    const left = await pipe.untilIdle({ timeoutMs: SETTLE_LIMIT_MS });

    const ledger = await pipe.sql('SELECT outcome, count(*)::int FROM webhook_events GROUP BY outcome');
    const outcomes = Object.fromEntries(ledger.map((row) => [row['outcome'], row['count']]));
    const effects = await sqlCount('effects');
    process.stdout.write(
      `exactly once on ${on}: ${count} events in ${deliveries.length} deliveries, answers ${JSON.stringify([...statuses])}; ` +
        `${inHand.length} workers killed with ${inHand.join(', ')} jobs in hand; ledger ${JSON.stringify(outcomes)}, ` +
        `${effects} effects, ${left.dead} dead letters\n`,
    );
    expect([...statuses]).toEqual([[200, deliveries.length]]);
    expect(hits()).toBeGreaterThan(kills / 2);
    expect(left).toEqual({ events: 0, unsettled: 0, dead: 0 });
    expect(Object.keys(outcomes).sort()).toEqual(['applied', 'ignored']);
    expect(await doubledAmong(events, pipe.sql)).toEqual([]);
    expect(await sqlCount(`effects WHERE in_table = 'webhook_events'`)).toBe(count);
    // Every row of every table with every column, profiles included; the first few that differ are enough.
    expect((await wrongRows(events, pipe.sql)).slice(0, 10)).toEqual([]);
  },
  400_000,
);

it('would find events that were applied again, although that changes no row', async () => {
  const database = await createDatabase(inject('databaseUrl'));
  onTestFinished(() => database.drop());
  const client = new Client({ connectionString: database.url });
  await client.connect();
  onTestFinished(() => client.end());
  const ask = async (sql: string) => (await client.query<Record<string, unknown>>(sql)).rows;
  await countEffects(ask);
  await ask("SELECT landline_make_body_partitions('1970-01-01', '1970-01-01')");

  const described = firstOfLoad({ run: 'again', seed: 1 }, 200);
  const events = described.flatMap(({ body }) => {
    const event = normalise({ receivedAt: 0, signedAt: 0, secretId: 'test', encoding: 'utf8', body });
    return event.outcome === 'dead' ? [] : [event];
  });
  const run: Run = async ({ sql, parameters }) => (await client.query<Record<string, unknown>>(sql, parameters)).rows;
  await applyEvents(events, { run });
  await applyEvents(events, { run });
  expect(await doubledAmong(described, ask)).toEqual([]);
  const before = await readTables({ sql: ask });
  // Applies each event as if it were no duplicate, more often than there are events with the same row: twelve share their ids.
  for (let times = 0; times < 12; times++) {
    // oxlint-disable-next-line no-await-in-loop -- one transaction after another
    await applyEvents(events, {
      mayHaveBodies: true,
      run: async (statement) => {
        const rows = await run(statement);
        return statement.sql.includes('INTO webhook_events') ? [] : rows;
      },
    });
  }
  expect(await readTables({ sql: ask })).toEqual(before);
  const { conversation_messages, agent_tool_calls, user_commands } = before;
  expect(await doubledAmong(described, ask)).toHaveLength(
    conversation_messages.length + agent_tool_calls.length + user_commands.length,
  );
});
