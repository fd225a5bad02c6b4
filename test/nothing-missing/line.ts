import { randomUUID } from 'node:crypto';
import { ERASE, erasureWords, RECONCILE, reconcileWords } from '@landline/operations';
import { createLogger } from '@landline/process';
import { openQueues, openTrackedJobs, wakeOperations } from '@landline/queue';
import { createStore, hashSubject, type Operation, type Store } from '@landline/store';
import { normalise } from '@landline/webhook';
import { bodyLength } from '@landline/webhook/delivery';
import { expect, inject, onTestFinished, vi } from 'vitest';
import { runCommand } from '../../apps/cli/src/run-command.ts';
import { createWorker } from '../../apps/worker/src/worker.ts';
import { selectTables, tablesIn, type Tables } from '../../packages/store/test/support/read-tables.ts';
import { startApp, type AppProcess } from '../support/app-process.ts';
import { createDatabase } from '../support/database.ts';
import { startPrivateRedis } from '../support/private-redis.ts';
import type { StandIn } from '../support/provider/start-provider.ts';
import { runSql } from '../support/run-sql.ts';
import { makeTempFolder } from '../support/temp-folder.ts';
import { webhookDelivery } from './webhook-delivery.ts';

/** How long one step may take. */
const WITHIN = { timeout: process.env['NOTHING_MISSING'] === 'whole' ? 600_000 : 120_000, interval: 50 };

/** Events of one job. */
const PACKED = 100;

/** How a provider is reached. */
type Reached = Pick<StandIn, 'url' | 'apiKey'>;

/** A Redis, a database and a storage of the test, which ends them. */
export interface Line {
  store: Store;
  sql: (statement: string) => Promise<Record<string, unknown>[]>;
  /** Enqueues what a receiver makes of webhooks, and waits until a worker has applied it. */
  deliver: (bodies: readonly Buffer[]) => Promise<void>;
  /** Runs a worker without the provider's key in this process, while something is done. */
  withWorker: (work: () => Promise<unknown>) => Promise<void>;
  /** Starts a worker that has the provider's key: it compares once at its start. */
  startWorker: (provider: Reached) => Promise<AppProcess>;
  /** Waits for the end of the first operation of a kind. */
  untilDone: (kind: string) => Promise<Operation>;
  /** Asks for an operation, and waits for its end. By default a comparison. */
  run: (kind?: string, filter?: Readonly<Record<string, string>>) => Promise<Operation>;
  /** Erases a user. */
  erase: (userId: string) => Promise<Operation>;
  /** Runs a command of the CLI, and returns what it prints. */
  landline: (provider: Reached, ...args: string[]) => Promise<string>;
  /** How complete each conversation is. */
  completeness: () => Promise<Map<string, string | null>>;
}

/** Starts it, without a worker. */
export async function startLine(): Promise<Line> {
  const [storage, spoolDir, root] = await Promise.all([makeTempFolder(), makeTempFolder(), makeTempFolder()]);
  const recordingsUrl = `file:${storage}`;
  const redis = await startPrivateRedis();
  const database = await createDatabase(inject('databaseUrl'));
  const servers = { redisUrl: redis.url };
  const store = createStore({ databaseUrl: database.url, poolSize: 2 });
  const queues = openQueues(servers);
  const jobs = openTrackedJobs(servers);
  onTestFinished(async () => {
    await Promise.all([store.close(), queues.close(), jobs.close()]);
    await Promise.all([redis.remove(), database.drop()]);
  });
  const variablesOf = ({ url, apiKey }: Reached) => ({
    DATABASE_URL: database.url,
    REDIS_URL: redis.url,
    RECORDINGS_URL: recordingsUrl,
    ELEVENLABS_API_KEY: apiKey,
    ELEVENLABS_API_URL: url,
  });

  const line: Line = {
    store,
    sql: (statement) => runSql(database.directUrl, statement),
    async deliver(bodies) {
      for (let from = 0; from < bodies.length; from += PACKED) {
        const events = bodies.slice(from, from + PACKED).map(webhookDelivery);
        const bytes = events.reduce((sum, event) => sum + bodyLength(event), 0);
        // oxlint-disable-next-line no-await-in-loop -- one job after the other
        await jobs.add({ id: randomUUID(), events, bytes });
      }
      await vi.waitUntil(async () => {
        const left = await queues.events.getJobCounts('wait', 'prioritized', 'active', 'delayed', 'failed');
        return Object.values(left).every((count) => count === 0);
      }, WITHIN);
    },
    async withWorker(work) {
      const logger = createLogger({ name: 'worker', level: 'fatal' });
      const worker = createWorker({ databaseUrl: database.url, ...servers, recordingsUrl, concurrency: 8, logger });
      worker.start();
      try {
        await work();
      } finally {
        await worker.stop({ timeoutMs: 5_000 });
      }
    },
    async startWorker(provider) {
      const env = { ...variablesOf(provider), SPOOL_DIR: spoolDir, RECONCILE_INTERVAL_MINUTES: '1440' };
      const worker = await startApp('worker', { env });
      onTestFinished(async () => void (worker.isRunning() && (await worker.stop())));
      return worker;
    },
    untilDone: (kind) => untilOver(async () => (await store.operations.list(20)).find((each) => each.kind === kind)),
    async run(kind = RECONCILE, filter = reconcileWords()) {
      const { id } = await store.operations.request({ kind, filter });
      await wakeOperations(servers);
      return untilOver(() => store.operations.get(id));
    },
    async erase(value) {
      const subject = { by: 'user', value } as const;
      return line.run(ERASE, erasureWords({ subject, hash: await hashSubject(subject), journalHours: 24 }));
    },
    async landline(provider, ...args) {
      const output: string[] = [];
      const errors: string[] = [];
      const print = (text: string) => void output.push(text);
      // Beside the answer a command may say that it waits.
      const printError = (text: string) => void errors.push(text);
      const env = { ...variablesOf(provider), USER: 'me' };
      const code = await runCommand(args, { root, env, print, printError, width: 120 });
      expect({ code, output: output.join('\n'), errors }).toMatchObject({ code: 0 });
      return output.join('\n');
    },
    async completeness() {
      const rows = await runSql<{ id: string; completeness: string | null }>(database.directUrl, COMPLETENESS);
      return new Map(rows.map(({ id, completeness }) => [id, completeness]));
    },
  };
  return line;
}

const COMPLETENESS = 'SELECT id, completeness FROM conversations';

function untilOver(find: () => Promise<Operation | undefined>): Promise<Operation> {
  return vi.waitUntil(async () => {
    const operation = await find().catch(() => undefined);
    return operation?.finishedAt != null && operation;
  }, WITHIN);
}

/** Reads all rows but the ledger's. */
export async function rowsOf({ sql }: Pick<Line, 'sql'>): Promise<Tables> {
  return tablesIn(await sql(selectTables({ webhook_events: 'false', webhook_bodies: 'false' })));
}

/** Returns the rows of a database which gets everything by webhooks. */
export async function rowsOfWebhooks(bodies: readonly Buffer[]): Promise<Tables> {
  const database = await createDatabase(inject('databaseUrl'));
  const store = createStore({ databaseUrl: database.url, poolSize: 1 });
  try {
    const events = bodies.map((body) => {
      const event = normalise(webhookDelivery(body));
      if (event.outcome !== 'applied') throw new Error(`A webhook is ${event.outcome}.`);
      return event;
    });
    for (let from = 0; from < events.length; from += PACKED) {
      // A busy machine may refuse a transaction. To apply events twice changes nothing.
      // oxlint-disable-next-line no-await-in-loop -- one transaction after the other
      await vi.waitFor(() => store.apply(events.slice(from, from + PACKED)), WITHIN);
    }
    return await rowsOf({ sql: (statement) => runSql(database.directUrl, statement) });
  } finally {
    await store.close();
    await database.drop();
  }
}
