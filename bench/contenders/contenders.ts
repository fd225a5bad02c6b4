import { randomBytes } from 'node:crypto';
import { fileURLToPath } from 'node:url';
import { createProducer, openQueues } from '@landline/queue';
import type { Delivery } from '@landline/webhook';
import { makeWorkerUtils } from 'graphile-worker';
import { Client } from 'pg';
import type { Contender, Place, Program, SignedEvent } from '../contender.ts';
import { SECRET } from '../load/signed-events.ts';
import { openBoss, QUEUE as BOSS_QUEUE } from '../peers/pg-boss/queue.ts';
import { openPostgresQueue, openRedisQueue, type DeliveryQueue } from '../peers/bullmq-queue.ts';
import { deliveryOf } from '../peers/delivery-of.ts';
import { TASK } from '../peers/graphile-worker/task.ts';

/** Events of one bulk call to a queue. */
const CHUNK = 1000;

/** Enqueues under way at once: what a receiver with as many connections has. */
const OUTSTANDING = 64;

function program(file: string, place: Place, port: number): Program {
  const script = fileURLToPath(new URL(`../${file}.js`, import.meta.url));
  const { redisUrl, databaseUrl } = place;
  return { script, env: { PORT: String(port), SECRET, REDIS_URL: redisUrl, DATABASE_URL: databaseUrl } };
}

function app(name: 'receiver' | 'worker', env: Program['env']): Program {
  // Seen from bench/dist/bench/contenders.
  return { script: fileURLToPath(new URL(`../../../../apps/${name}/dist/main.js`, import.meta.url)), env };
}

const nothing = (): Promise<void> => Promise.resolve();

/** Runs `work` with something that is closed afterwards. */
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

async function countOf(place: Place, sql: string): Promise<number> {
  const client = new Client({ connectionString: place.databaseUrl });
  await client.connect();
  return using({ close: () => client.end() }, async () => {
    const { rows } = await client.query<{ count: number }>(sql);
    return rows[0]?.count ?? 0;
  });
}

const direct: Contender = {
  name: 'direct',
  about: 'The handler writes to Postgres through Prisma inside the request: where most people start.',
  prepare: nothing,
  receiver: (place, port) => program('peers/direct/receiver', place, port),
};

/** BullMQ with one job an event, on either of its backends. */
function bullmq(name: string, about: string, open: (place: Place) => DeliveryQueue): Contender {
  return {
    name,
    about,
    prepare: (place) => using(open(place), async (queue) => void (await queue.ready())),
    receiver: (place, port) => program(`peers/${name}/receiver`, place, port),
    worker: (place, port) => program(`peers/${name}/worker`, place, port),
    fill: (place, events) => using(open(place), (queue) => addInChunks(events, queue.addBulk)),
    pending: (place) => using(open(place), (queue) => queue.pending()),
  };
}

const pgBoss: Contender = {
  name: 'pg-boss',
  about:
    'Fastify sends one pg-boss job an event; two workers fetch 250 at a time and apply each batch in a transaction.',
  prepare: async (place) => {
    const boss = await openBoss(place.databaseUrl);
    await boss.stop();
  },
  receiver: (place, port) => program('peers/pg-boss/receiver', place, port),
  worker: (place, port) => program('peers/pg-boss/worker', place, port),
  fill: async (place, events) => {
    const boss = await openBoss(place.databaseUrl);
    await using({ close: () => boss.stop() }, () =>
      addInChunks(events, (chunk) =>
        boss.insert(chunk.map((data) => ({ name: BOSS_QUEUE, data, retryLimit: 5, retryBackoff: true }))),
      ),
    );
  },
  pending: (place) =>
    countOf(
      place,
      `SELECT count(*)::int AS count FROM pgboss.job WHERE name = '${BOSS_QUEUE}' AND state < 'completed'`,
    ),
};

const graphileWorker: Contender = {
  name: 'graphile-worker',
  about:
    'Fastify adds one graphile-worker job an event; its worker fetches and completes jobs in batches, one transaction each.',
  prepare: (place) => withUtils(place, (utils) => utils.migrate()),
  receiver: (place, port) => program('peers/graphile-worker/receiver', place, port),
  worker: (place, port) => program('peers/graphile-worker/worker', place, port),
  fill: (place, events) =>
    withUtils(place, (utils) =>
      addInChunks(events, (chunk) => utils.addJobs(chunk.map((payload) => ({ identifier: TASK, payload })))),
    ),
  pending: (place) => countOf(place, 'SELECT count(*)::int AS count FROM graphile_worker._private_jobs'),
};

type Utils = Awaited<ReturnType<typeof makeWorkerUtils>>;

async function withUtils<T>(place: Place, work: (utils: Utils) => Promise<T>): Promise<T> {
  const utils = await makeWorkerUtils({ connectionString: place.databaseUrl });
  return using({ close: async () => utils.release() }, () => work(utils));
}

const landline: Contender = {
  name: 'landline',
  about: 'This product, as shipped: group commit to Redis, one set-based transaction for many jobs.',
  prepare: nothing,
  receiver: ({ redisUrl }, port) =>
    app('receiver', {
      PORT: String(port),
      HOST: '127.0.0.1',
      HEALTH_PORT: '0',
      DRAIN_SECONDS: '0',
      REDIS_URL: redisUrl,
      ELEVENLABS_WEBHOOK_SECRET: SECRET,
    }),
  worker: ({ redisUrl, databaseUrl }, port) =>
    app('worker', { WORKER_PORT: String(port), HOST: '127.0.0.1', REDIS_URL: redisUrl, DATABASE_URL: databaseUrl }),
  fill: fillLandline,
  pending: ({ redisUrl }) =>
    using(openQueues({ redisUrl }), async (queues) => {
      await queues.ping();
      const counts = await queues.events.getJobCounts('wait', 'active', 'delayed', 'prioritized');
      return Object.values(counts).reduce((sum, count) => sum + count, 0);
    }),
};

/** Through the product's own producer, with as many events outstanding as a receiver has: so that jobs are as large. */
async function fillLandline({ redisUrl }: Place, events: Iterable<SignedEvent>): Promise<void> {
  const producer = createProducer({
    redisUrl,
    batchMaxEvents: 200,
    batchMaxBytes: 1_048_576,
    enqueueTimeoutMs: 10_000,
  });
  await producer.start();
  const left = events[Symbol.iterator]();
  const enqueueInTurn = async (): Promise<void> => {
    for (let next = left.next(); next.done !== true; next = left.next()) {
      const { body, signedAt } = next.value;
      // oxlint-disable-next-line no-await-in-loop -- as a connection does: the next when this one is answered
      await producer.enqueue({ ...deliveryOf(body, signedAt), secretId: 'bench' });
    }
  };
  await using(producer, async () => void (await Promise.all(Array.from({ length: OUTSTANDING }, enqueueInTurn))));
}

/** Queues events by the queue's own bulk call. */
async function addInChunks(
  events: Iterable<SignedEvent>,
  add: (chunk: readonly Delivery[]) => Promise<unknown>,
): Promise<void> {
  let chunk: Delivery[] = [];
  for (const { body, signedAt } of events) {
    chunk.push(deliveryOf(body, signedAt));
    if (chunk.length < CHUNK) continue;
    // oxlint-disable-next-line no-await-in-loop -- in order
    await add(chunk);
    chunk = [];
  }
  if (chunk.length > 0) await add(chunk);
}

/** All ways of doing the job, in the order of the report. */
export const CONTENDERS: readonly Contender[] = [
  direct,
  bullmq(
    'queue-naive',
    'Fastify, one BullMQ job an event, one Prisma transaction a job: where most people go next.',
    ({ redisUrl }) => openRedisQueue(redisUrl),
  ),
  pgBoss,
  graphileWorker,
  bullmq('bullmq-postgres', 'The same as queue-naive on the PostgreSQL backend of BullMQ 6.', ({ databaseUrl }) =>
    openPostgresQueue(databaseUrl),
  ),
  landline,
];

/** As `npm start` runs it: each group is fsynced twice, by Redis and in a journal, before it is answered. */
export const WITH_JOURNAL: Contender = {
  ...landline,
  name: 'landline-journal',
  about: 'The same with its journal, as npm start runs it: 200 when Redis and the journal have both fsynced.',
  receiver: (place, port) => {
    const { script, env } = landline.receiver(place, port);
    // Beside the data of Redis and Postgres, on the same disk.
    const journal = new URL(`../../../../.data/bench/journal/${randomBytes(4).toString('hex')}`, import.meta.url);
    return { script, env: { ...env, JOURNAL_DIR: fileURLToPath(journal) } };
  },
};

/** Fastify with raw body and HMAC, answering at once: what no receiver can exceed. */
export const HTTP_LIMIT: Contender = {
  name: 'http-limit',
  about: 'Fastify with the raw body and its HMAC, answering at once: no queue.',
  prepare: nothing,
  receiver: (place, port) => program('limits/http-limit', place, port),
};
