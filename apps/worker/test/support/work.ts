import { randomUUID } from 'node:crypto';
import { createLogger, type Tracing } from '@landline/process';
import { createConsumer, createDeadLetters, DEAD_LETTER_QUEUE, openQueues, type ConsumedJob } from '@landline/queue';
import type { Store } from '@landline/store';
import type { DeliveryBody, Delivery } from '@landline/webhook/delivery';
import { inject, onTestFinished } from 'vitest';
import { createDatabase } from '../../../../test/support/database.ts';
import { runSql } from '../../../../test/support/run-sql.ts';
import { afterCommit, type AfterCommitContext } from '../../src/commit/after-commit.ts';
import { createPipeline } from '../../src/commit/pipeline.ts';
import { createRecentCommits } from '../../src/commit/recent-commits.ts';
import { createDatabaseGate } from '../../src/database/database-gate.ts';
import { createMetrics } from '../../src/metrics.ts';
import { processDeadLetter } from '../../src/process/process-dead-letter.ts';
import { processEvents } from '../../src/process/process-events.ts';
import { openQueryStore } from '../../../../packages/store/test/support/query-store.ts';

/** An event as the receiver hands it over. */
export function delivery(body: string, encoding: DeliveryBody['encoding'] = 'utf8'): Delivery {
  return { receivedAt: 1_767_225_600_000, signedAt: 1_767_225_600, secretId: 'test', encoding, body };
}

/** A live message of a conversation. */
export function message(conversationId: string, text = 'hello'): Delivery {
  const data = { conversation_id: conversationId, role: 'user', message: text };
  return delivery(JSON.stringify({ type: 'conversation.message', timestamp: 1_767_225_600, data }));
}

/** What a test may put in the place of the worker's own. */
interface WorkOptions {
  wrap?: (store: Store) => Store;
  canaryMark?: AfterCommitContext['canaryMark'];
  tracing?: Tracing;
  /** That of a test that runs beside others. */
  onFinished?: typeof onTestFinished;
}

const NO_MARK = { note: () => Promise.resolve() };

/** What `openWork` opens. */
export type Work = Awaited<ReturnType<typeof openWork>>;

/** The worker's functions on a database and a queue prefix of the test's own, all closed when it ends. */
export async function openWork({
  wrap = (store) => store,
  canaryMark = NO_MARK,
  tracing,
  onFinished = onTestFinished,
}: WorkOptions = {}) {
  const database = await createDatabase(inject('databaseUrl'));
  const redisUrl = inject('redisUrl');
  const prefix = `{${randomUUID()}}`;
  const store = openQueryStore({ databaseUrl: database.url });
  const deadLetters = createDeadLetters({ redisUrl, prefix });
  const queues = openQueues({ redisUrl, prefix });
  const lines: string[] = [];
  const logger = createLogger({
    name: 'worker',
    level: 'info',
    destination: { write: (line) => void lines.push(line) },
  });
  const used = wrap(store);
  const metrics = createMetrics();
  const passed = { count: 0 };
  const commits = createRecentCommits();
  const counted: Record<string, number> = {};
  const activity = {
    count: (name: string, n = 1) => void (counted[name] = (counted[name] ?? 0) + n),
    observeReceiptToRow: () => activity.count('receiptToRow'),
  };
  const after = afterCommit({ metrics, passed, commits, canaryMark });
  // As the worker makes it.
  const context = {
    store: used,
    pipeline: createPipeline({ store: used, after, logger, tracing }),
    gate: createDatabaseGate(() => used.probe(), logger, { passed: () => passed.count }),
    deadLetters,
    logger,
    metrics,
    activity,
  };
  const letters = createConsumer({
    redisUrl,
    prefix,
    queue: DEAD_LETTER_QUEUE,
    concurrency: 1,
    process: (job, signal) => processDeadLetter(job, signal, context),
  });
  onFinished(async () => {
    await letters.close({ timeoutMs: 2_000 });
    await Promise.all([deadLetters.close(), queues.close(), store.close()]);
    await database.drop();
  });
  return {
    store,
    passed,
    commits,
    redisUrl,
    prefix,
    /** Runs a statement as the database's owner. */
    admin: (sql: string) => runSql(database.directUrl, sql),
    context,
    queues,
    letters,
    /** What was counted for the console. */
    counted,
    /** The log's messages, in order. */
    messages: () => lines.map((line): unknown => JSON.parse(line).msg),
    log: () => lines.join(''),
    /** Processes one job of events, as the first of eight attempts unless told otherwise. */
    process: (events: Delivery[], job: Partial<ConsumedJob> = {}, signal = new AbortController().signal) =>
      processEvents({ id: '1', events, attempt: 1, lastAttempt: false, ...job }, signal, context),
  };
}
