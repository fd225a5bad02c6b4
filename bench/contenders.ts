import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { createIntake } from '@landline/intake';
import { openQueues } from '@landline/queue';
import type { Delivery } from '@landline/webhook';
import type { NodeProgram } from '../test/support/node-process.ts';
import { ROOT } from '../test/support/root.ts';
import { runSql } from '../test/support/run-sql.ts';
import type { Contender, Place, QueueingContender, SignedEvent } from './contender.ts';
import { SECRET } from './load/signed-events.ts';
import type { Plan } from './plan.ts';
import { receivedNow } from './peers/received-now.ts';
import { openBoss, QUEUE as BOSS_QUEUE } from './peers/pg-boss/queue.ts';
import { openQueue, QUEUE } from './peers/queue-naive/queue.ts';

/** The number of events of one bulk call to a queue. */
const CHUNK = 1000;

/** The number of enqueues under way at once, as in a receiver with so many connections. */
const OUTSTANDING = 64;

/** Answers the path of a built program of bench/. */
function program(file: string, { redisUrl, databaseUrl }: Place, port: number): NodeProgram {
  const script = join(ROOT, 'bench', 'dist', 'bench', `${file}.js`);
  return { script, env: { PORT: String(port), SECRET, REDIS_URL: redisUrl, DATABASE_URL: databaseUrl } };
}

function app(name: 'receiver' | 'worker', env: NodeProgram['env']): NodeProgram {
  return { script: join(ROOT, 'apps', name, 'dist', 'main.js'), env: { HOST: '127.0.0.1', ...env } };
}

const nothing = (): Promise<void> => Promise.resolve();

/** Runs `work` with a resource, and closes the resource afterwards. */
async function using<T extends { close: () => Promise<unknown> }, R>(
  opened: T,
  work: (opened: T) => Promise<R>,
): Promise<R> {
  try {
    return await work(opened);
  } finally {
    await opened.close();
  }
}

const direct: Contender = {
  name: 'direct',
  prepare: nothing,
  receiver: (place, port) => program('peers/direct/receiver', place, port),
};

const queueNaive: QueueingContender = {
  name: 'queue-naive',
  prepare: nothing,
  receiver: (place, port) => program('peers/queue-naive/receiver', place, port),
  worker: (place, port) => program('peers/queue-naive/worker', place, port),
  fill: ({ redisUrl }, events) =>
    using(openQueue(redisUrl), (queue) =>
      addInChunks(events, (chunk) => queue.addBulk(chunk.map((data) => ({ name: QUEUE, data })))),
    ),
  pending: ({ redisUrl }) =>
    using(openQueue(redisUrl), (queue) => queue.getJobCountByTypes('waiting', 'active', 'delayed')),
};

const pgBoss: QueueingContender = {
  name: 'pg-boss',
  prepare: async ({ databaseUrl }) => (await openBoss(databaseUrl)).stop(),
  receiver: (place, port) => program('peers/pg-boss/receiver', place, port),
  worker: (place, port) => program('peers/pg-boss/worker', place, port),
  fill: async ({ databaseUrl }, events) => {
    const boss = await openBoss(databaseUrl);
    await using({ close: () => boss.stop() }, () =>
      addInChunks(events, (chunk) =>
        boss.insert(chunk.map((data) => ({ name: BOSS_QUEUE, data, retryLimit: 5, retryBackoff: true }))),
      ),
    );
  },
  pending: async ({ databaseUrl }) => {
    const left = `SELECT count(*)::int AS count FROM pgboss.job WHERE name = '${BOSS_QUEUE}' AND state < 'completed'`;
    return (await runSql<{ count: number }>(databaseUrl, left))[0]?.count ?? 0;
  },
};

/** Landline as shipped, without a journal: like the other contenders, it relies on Redis alone. */
export const LANDLINE: QueueingContender = {
  name: 'landline',
  prepare: nothing,
  receiver: ({ redisUrl }, port) =>
    app('receiver', {
      PORT: String(port),
      HEALTH_PORT: '0',
      DRAIN_SECONDS: '0',
      REDIS_URL: redisUrl,
      ELEVENLABS_WEBHOOK_SECRET: SECRET,
    }),
  worker: ({ redisUrl, databaseUrl }, port) =>
    app('worker', { WORKER_PORT: String(port), REDIS_URL: redisUrl, DATABASE_URL: databaseUrl }),
  fill: fillLandline,
  pending: ({ redisUrl }) =>
    using(openQueues({ redisUrl }), async (queues) => {
      await queues.ping();
      return queues.events.getJobCountByTypes('wait', 'active', 'delayed', 'prioritized');
    }),
};

/** Queues events by the product's own intake. As many events are outstanding as in a receiver, so that the jobs are as large. */
async function fillLandline({ redisUrl }: Place, events: Iterable<SignedEvent>): Promise<void> {
  const intake = createIntake({
    redisUrl,
    batchMaxEvents: 200,
    batchMaxBytes: 1_048_576,
    enqueueTimeoutMs: 10_000,
  });
  await intake.start();
  const left = events[Symbol.iterator]();
  const enqueueInTurn = async (): Promise<void> => {
    for (let next = left.next(); next.done !== true; next = left.next()) {
      const { body, signedAt } = next.value;
      // oxlint-disable-next-line no-await-in-loop -- as a connection does: the next when this one is answered
      await intake.accept({ ...receivedNow(body, signedAt), secretId: 'bench' });
    }
  };
  await using(intake, async () => void (await Promise.all(Array.from({ length: OUTSTANDING }, enqueueInTurn))));
}

/** Queues events by the bulk call of the queue. */
async function addInChunks(
  events: Iterable<SignedEvent>,
  add: (chunk: readonly Delivery[]) => Promise<unknown>,
): Promise<void> {
  let chunk: Delivery[] = [];
  for (const { body, signedAt } of events) {
    chunk.push(receivedNow(body, signedAt));
    if (chunk.length < CHUNK) continue;
    // oxlint-disable-next-line no-await-in-loop -- in order
    await add(chunk);
    chunk = [];
  }
  if (chunk.length > 0) await add(chunk);
}

/** All contenders, in the order of the report. */
export const CONTENDERS: readonly Contender[] = [direct, queueNaive, pgBoss, LANDLINE];

/** Those of the contenders that the plan lets take part. */
export function takingPart<T extends Contender>({ contenders }: Plan, all: readonly T[]): T[] {
  return all.filter(({ name }) => contenders?.includes(name) ?? true);
}

/** Landline as `npm start` runs it: each group is fsynced by Redis and in a journal before its senders get the 200. */
export const WITH_JOURNAL: Contender = {
  ...LANDLINE,
  name: 'landline-journal',
  receiver: (place, port) => {
    const { script, env } = LANDLINE.receiver(place, port);
    // The journal lies beside the data of Redis and Postgres, on the same disk.
    const journal = join(ROOT, '.data', 'bench', 'journal', randomBytes(4).toString('hex'));
    return { script, env: { ...env, JOURNAL_DIR: journal } };
  },
};

/** Fastify with raw body and HMAC, which answers at once. No receiver can be faster. */
export const HTTP_LIMIT: Contender = {
  name: 'http-limit',
  prepare: nothing,
  receiver: (place, port) => program('limits/http-limit', place, port),
};
