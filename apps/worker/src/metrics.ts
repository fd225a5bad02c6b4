import { createRegistry } from '@landline/process';
import { RECEIPT_TO_ROW_BUCKETS_MS, type ActivityWriter } from '@landline/queue';
import { OPERATION_EVENTS, RECONCILE, REPLAY } from '@landline/operations';
import { RETENTION, type ApplyOutcome } from '@landline/store';
import { CAUSES } from '@landline/webhook/causes';
import type { LedgerEntry } from '@landline/webhook/changes';
import { Counter, Gauge, Histogram, type Registry } from 'prom-client';
import { FAULT_POLICY } from './fault-policy.ts';

/** A transaction has one event at low load, and a thousand at most. */
const TRANSACTION_EVENTS_BUCKETS = [1, 2, 5, 10, 20, 50, 100, 200, 500, 1000];

/** In seconds; the console has the same. */
const RECEIPT_TO_ROW_BUCKETS = RECEIPT_TO_ROW_BUCKETS_MS.map((ms) => ms / 1000);

const OUTCOMES: readonly ApplyOutcome[] = ['applied', 'ignored', 'duplicate'];

/** What the worker counts. */
export interface WorkerMetrics {
  registry: Registry;
  /** Events processed, by outcome: applied, ignored or duplicate. */
  processed: Counter<'outcome'>;
  /** Attempts at jobs that failed; `final` where the job rests in `failed`. */
  failedAttempts: Counter<'final'>;
  /** Events made dead letters, by code. */
  dead: Counter<'code'>;
  /** Refused requests that were diagnosed, by cause. */
  diagnosed: Counter<'cause'>;
  /** Events in each transaction that was committed. */
  transactionEvents: Histogram;
  /** Seconds from an event's receipt to the commit of its rows; without events that were fetched. */
  receiptToRow: Histogram;
  /** Failures of the database, by `FaultClass`. */
  postgresErrors: Counter<'class'>;
  /** How often Postgres was found to have lost what it had committed. */
  postgresLosses: Counter;
  /** 1 where Postgres' settings let a crash cost what was committed, else 0. */
  postgresUnsafe: Gauge;
  /** Faults of the connections to Redis. */
  redisErrors: Counter;
  /** Operations that started or ended in this worker, by what happened. */
  operations: Counter<'kind' | 'event'>;
  /** Conversations of which something was fetched; undefined where there is no key of the provider. */
  fetched: Counter | undefined;
  /** Of these, those whose webhooks could have come; undefined where there is no key of the provider. */
  missedWebhooks: Counter | undefined;
}

/** Makes the worker's metrics in a registry of their own. */
export function createMetrics({ hasProvider = false } = {}): WorkerMetrics {
  const registry = createRegistry();
  const metrics = {
    registry,
    ...eventMetrics(registry),
    ...faultMetrics(registry),
    operations: operationMetric(registry),
    fetched: hasProvider ? fetchedMetric(registry) : undefined,
    missedWebhooks: hasProvider ? missedMetric(registry) : undefined,
  };
  // There from the start, so that the first of each is an increase.
  for (const outcome of OUTCOMES) metrics.processed.inc({ outcome }, 0);
  for (const cause of Object.keys(CAUSES)) metrics.diagnosed.inc({ cause }, 0);
  for (const final of ['true', 'false']) metrics.failedAttempts.inc({ final }, 0);
  for (const faultClass of Object.keys(FAULT_POLICY)) metrics.postgresErrors.inc({ class: faultClass }, 0);
  for (const kind of [REPLAY, RETENTION, ...(hasProvider ? [RECONCILE] : [])])
    for (const event of OPERATION_EVENTS) metrics.operations.inc({ kind, event }, 0);
  return metrics;
}

type EventMetrics = Pick<
  WorkerMetrics,
  'processed' | 'failedAttempts' | 'dead' | 'diagnosed' | 'transactionEvents' | 'receiptToRow'
>;

/** What becomes of events, and how long it takes. */
function eventMetrics(registry: Registry): EventMetrics {
  return {
    processed: new Counter({
      name: 'landline_events_processed_total',
      help: 'Events taken from the queue and recorded, by outcome: applied, ignored or duplicate.',
      labelNames: ['outcome'],
      registers: [registry],
    }),
    failedAttempts: new Counter({
      name: 'landline_job_attempts_failed_total',
      help: 'Attempts at jobs of the webhook queue that failed; final where the job now rests in failed.',
      labelNames: ['final'],
      registers: [registry],
    }),
    dead: new Counter({
      name: 'landline_events_dead_total',
      help: 'Events made dead letters, by code.',
      labelNames: ['code'],
      registers: [registry],
    }),
    diagnosed: new Counter({
      name: 'landline_rejected_requests_diagnosed_total',
      help: 'Requests refused for their signature that were diagnosed and stored, by cause.',
      labelNames: ['cause'],
      registers: [registry],
    }),
    transactionEvents: new Histogram({
      name: 'landline_transaction_events',
      help: 'Events in each transaction that was committed.',
      buckets: TRANSACTION_EVENTS_BUCKETS,
      registers: [registry],
    }),
    receiptToRow: new Histogram({
      name: 'landline_receipt_to_row_seconds',
      help: "Time from an event's receipt to the commit of its rows, of events that were applied and not fetched.",
      buckets: RECEIPT_TO_ROW_BUCKETS,
      registers: [registry],
    }),
  };
}

type FaultMetrics = Pick<WorkerMetrics, 'postgresErrors' | 'postgresLosses' | 'postgresUnsafe' | 'redisErrors'>;

/** What is wrong with Postgres and Redis. */
function faultMetrics(registry: Registry): FaultMetrics {
  return {
    postgresErrors: new Counter({
      name: 'landline_postgres_errors_total',
      help: 'Transactions that failed, by the class of the fault.',
      labelNames: ['class'],
      registers: [registry],
    }),
    postgresLosses: new Counter({
      name: 'landline_postgres_losses_total',
      help: 'How often this worker found that Postgres had lost what it had committed.',
      registers: [registry],
    }),
    postgresUnsafe: new Gauge({
      name: 'landline_postgres_unsafe',
      help: 'Whether Postgres has fsync or full_page_writes off: 1 or 0.',
      registers: [registry],
    }),
    redisErrors: new Counter({
      name: 'landline_redis_errors_total',
      help: 'Faults of the connections to Redis; one that repeats counts once, until a job is done again.',
      registers: [registry],
    }),
  };
}

function operationMetric(registry: Registry): WorkerMetrics['operations'] {
  return new Counter({
    name: 'landline_operations_total',
    help: 'Operations in this worker, by kind and by what happened: started, done, cancelled, failed, released or lost.',
    labelNames: ['kind', 'event'],
    registers: [registry],
  });
}

function fetchedMetric(registry: Registry): Counter {
  return new Counter({
    name: 'landline_conversations_fetched_total',
    help: 'Conversations of which something never came, and that this worker has made complete.',
    registers: [registry],
  });
}

function missedMetric(registry: Registry): Counter {
  return new Counter({
    name: 'landline_webhooks_missed_total',
    help: 'Conversations that ended since the first comparison with the provider began, and that a comparison of this worker had to fetch.',
    registers: [registry],
  });
}

/** What counts events that were recorded: for Prometheus, and for the console. */
export interface Counting {
  metrics: Pick<WorkerMetrics, 'processed' | 'receiptToRow'>;
  activity: Pick<ActivityWriter, 'count' | 'observeReceiptToRow'>;
}

/** Counts an event that was recorded, and how long it took where it was applied. One that was fetched came in no webhook: it says nothing of how quick the line is. */
export function countProcessed(
  { metrics: { processed, receiptToRow }, activity }: Counting,
  { delivery }: LedgerEntry,
  outcome: ApplyOutcome,
): void {
  processed.inc({ outcome });
  activity.count(outcome);
  if (outcome !== 'applied') return;
  if (delivery.origin === 'backfill') return activity.count('fetched');
  // The receiver's clock may be ahead of ours.
  const ms = Math.max(0, Date.now() - delivery.receivedAt);
  receiptToRow.observe(ms / 1000);
  activity.observeReceiptToRow(ms);
}
