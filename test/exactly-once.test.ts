import { Agent } from 'node:http';
import { setTimeout as delay } from 'node:timers/promises';
import { idempotencyKey, normalise } from '@landline/webhook';
// oxlint-disable-next-line no-restricted-imports -- a test applies by a connection of its own what the store would not apply
import { Client } from 'pg';
import { afterAll, beforeAll, expect, inject, it, onTestFinished, vi } from 'vitest';
import { applyEvents, type Run } from '../packages/store/src/apply.ts';
import { callEvents } from './exactly-once/call-events.ts';
import { expectedRows, KEY_OF } from './exactly-once/expected-rows.ts';
import { countEffects, DOUBLED } from './support/count-effects.ts';
import { startPipe, type Pipe } from './support/pipe.ts';
import { createDatabase } from './support/database.ts';
import { post } from './support/post.ts';
import { seededRandom, type SeededRandom } from './support/seeded-random.ts';

const EVENTS = 10_000;
const KILLS = 5;
const SENDERS = 32;
/** How long a worker goes on after it was seen at work, at most, before it is killed. */
const LAST_BREATH_MS = 60;
/** A killed worker's jobs are taken again after 10 to 15 s. */
const SETTLE_LIMIT_MS = 60_000;

let pipe: Pipe;
beforeAll(async () => {
  pipe = await startPipe();
  await countEffects(pipe.sql);
});
afterAll(() => pipe.stop());

/** Every event once, and a third of them once or twice more, in any order. */
function deliveriesOf(events: readonly Buffer[], random: SeededRandom): Buffer[] {
  const repeated = random.shuffled(events).slice(0, Math.floor(events.length / 3));
  const again = repeated.flatMap((body) => Array.from({ length: 1 + random.below(2) }, () => body));
  return random.shuffled([...events, ...again]);
}

/** Sends them all, many at once; answers how many came back with which status. */
async function sendAll(deliveries: readonly Buffer[], agent: Agent): Promise<Map<number, number>> {
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

/** Starts a worker and kills it in the middle of its work; answers how many jobs it had in hand. */
async function killAtWork(random: SeededRandom): Promise<number> {
  // A job that an earlier worker died with counts as active until it is taken again.
  const left = new Set(await activeJobs());
  const worker = await pipe.startWorker();
  await vi.waitUntil(() => worker.output().includes('✅'), { timeout: 20_000, interval: 1 });
  await delay(random.below(LAST_BREATH_MS));
  worker.kill('SIGKILL');
  await worker.exited;
  return (await activeJobs()).filter((id) => !left.has(id)).length;
}

async function activeJobs(): Promise<string[]> {
  return (await pipe.queues.events.getActive()).map(({ id }) => String(id));
}

/** The keys of all rows of a table, as `expectedRows` has them. */
async function keysIn(table: keyof typeof KEY_OF): Promise<string[]> {
  const rows = await pipe.sql(`SELECT ${KEY_OF[table]} AS key FROM ${table}`);
  return rows.map(({ key }) => String(key)).sort();
}

const sqlCount = async (from: string) => Number((await pipe.sql(`SELECT count(*) FROM ${from}`))[0]?.['count']);

it('applies each of 10,000 events once, however often sent and with the worker killed again and again', async () => {
  const seed = Number(process.env['SEED'] ?? Math.floor(Math.random() * 2 ** 32));
  process.stdout.write(`exactly once: SEED=${seed}\n`);
  const random = seededRandom(seed);
  const events = callEvents(EVENTS, random, `run${seed}`);
  expect(new Set(events.map(idempotencyKey)).size).toBe(EVENTS);
  const deliveries = deliveriesOf(events, random);
  const expected = expectedRows(events);

  const agent = new Agent({ keepAlive: true, maxSockets: SENDERS });
  const statuses = new Map<number, number>();
  const inHand: number[] = [];
  const share = Math.ceil(deliveries.length / (KILLS + 1));
  for (let i = 0; i <= KILLS; i++) {
    const sending = sendAll(deliveries.slice(i * share, (i + 1) * share), agent);
    if (i < KILLS) inHand.push(await killAtWork(random));
    else await pipe.startWorker();
    for (const [status, times] of await sending) statuses.set(status, (statuses.get(status) ?? 0) + times);
  }
  agent.destroy();
  const counts = await pipe.untilIdle({ timeoutMs: SETTLE_LIMIT_MS });

  const ledger = await pipe.sql('SELECT outcome, count(*)::int FROM webhook_events GROUP BY outcome');
  const outcomes = Object.fromEntries(ledger.map(({ outcome, count }) => [outcome, count]));
  const effects = await sqlCount('effects');
  process.stdout.write(
    `exactly once: ${EVENTS} events in ${deliveries.length} deliveries, answers ${JSON.stringify([...statuses])}; ` +
      `${KILLS} workers killed with ${inHand.join(', ')} jobs in hand; ledger ${JSON.stringify(outcomes)}, ` +
      `${effects} effects, ${counts.dead} dead letters\n`,
  );
  expect([...statuses]).toEqual([[200, deliveries.length]]);
  // A kill between two jobs proves nothing; most of them must hit.
  expect(inHand.filter((jobs) => jobs > 0).length).toBeGreaterThan(KILLS / 2);
  expect(counts).toEqual({ events: 0, unsettled: 0, dead: 0 });
  expect(outcomes).toEqual(expected.outcomes);
  expect(await pipe.sql(DOUBLED)).toEqual([]);
  expect(await sqlCount(`effects WHERE in_table = 'webhook_events'`)).toBe(EVENTS);
  expect(await keysIn('conversations')).toEqual(expected.keys.conversations);
  expect(await keysIn('conversation_messages')).toEqual(expected.keys.conversation_messages);
  expect(await keysIn('agent_tool_calls')).toEqual(expected.keys.agent_tool_calls);
  expect(await keysIn('user_commands')).toEqual(expected.keys.user_commands);
}, 150_000);

it('would see it if events were applied again, though that changes no row', async () => {
  const database = await createDatabase(inject('databaseUrl'));
  onTestFinished(() => database.drop());
  const client = new Client({ connectionString: database.url });
  await client.connect();
  onTestFinished(() => client.end());
  const ask = async (sql: string) => (await client.query<Record<string, unknown>>(sql)).rows;
  await countEffects(ask);

  const bodies = callEvents(200, seededRandom(1), 'again');
  const events = bodies.flatMap((body) => {
    const event = normalise({ receivedAt: 0, signedAt: 0, encoding: 'utf8', body: body.toString() });
    return event.outcome === 'dead' ? [] : [event];
  });
  const run: Run = async ({ sql, parameters }) => (await client.query<Record<string, unknown>>(sql, parameters)).rows;
  await applyEvents(events, run);
  await applyEvents(events, run);
  expect(await ask(DOUBLED)).toEqual([]);
  const before = await ask('SELECT * FROM conversation_messages ORDER BY clock, event_key');
  // A worker that takes no event for a duplicate.
  await applyEvents(events, async (statement) => {
    const rows = await run(statement);
    return statement.sql.includes('INTO webhook_events') ? [] : rows;
  });
  expect(await ask('SELECT * FROM conversation_messages ORDER BY clock, event_key')).toEqual(before);
  const { keys } = expectedRows(bodies);
  expect(await ask(DOUBLED)).toHaveLength(
    keys.conversation_messages.length + keys.agent_tool_calls.length + keys.user_commands.length,
  );
});
