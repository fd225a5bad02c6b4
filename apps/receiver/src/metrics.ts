import type { Journal } from '@landline/journal';
import { addCounter, addGauge, createRegistry } from '@landline/process';
import type { Intake } from '@landline/intake';
import { Counter, Histogram, type Registry } from 'prom-client';

/** Upper bounds in events: a group has one event at low load, and BATCH_MAX_EVENTS (200) at most. */
const GROUP_EVENTS_BUCKETS = [1, 2, 5, 10, 20, 50, 100, 200];

/** The counters that the receiver's routes increment, and the registry that holds all of its metrics. */
export interface ReceiverMetrics {
  registry: Registry;
  /** Events answered 200. */
  accepted: Counter;
  /** Requests to the webhook's path that were not answered 200, by code. */
  rejected: Counter<'code'>;
  /** Requests refused for their signature, by what became of them beside the answer. */
  rejectedRequests: Counter<'outcome'>;
  /** Connections dropped because more than MAX_CONNECTIONS were open, by what they did. */
  dropped: Counter<'state'>;
}

/** Makes the receiver's counters in a registry of their own. */
export function createMetrics(): ReceiverMetrics {
  const registry = createRegistry();
  return {
    registry,
    accepted: new Counter({
      name: 'landline_events_accepted_total',
      help: 'Events verified, durable and answered 200.',
      registers: [registry],
    }),
    rejected: new Counter({
      name: 'landline_events_rejected_total',
      help: 'Requests to the webhook path that were not answered 200, by code.',
      labelNames: ['code'],
      registers: [registry],
    }),
    rejectedRequests: new Counter({
      name: 'landline_rejected_requests_total',
      help: 'Requests refused for their signature: kept for a diagnosis, or only counted, by why.',
      labelNames: ['outcome'],
      registers: [registry],
    }),
    dropped: new Counter({
      name: 'landline_connections_dropped_total',
      help: 'Connections dropped because more than MAX_CONNECTIONS were open, by what they did.',
      labelNames: ['state'],
      registers: [registry],
    }),
  };
}

/** Adds gauges of the open connections and of the bodies under way on the public port. */
export function measureReception(
  { registry }: ReceiverMetrics,
  read: { connections: () => number; receivingBytes: () => number },
): void {
  addGauge(registry, {
    name: 'landline_connections',
    help: 'Open connections on the public port.',
    read: read.connections,
  });
  addGauge(registry, {
    name: 'landline_receiving_bytes',
    help: 'Bytes of memory that bodies hold which arrive or wait for their answer.',
    read: read.receivingBytes,
  });
}

/** Adds a histogram of the sizes of groups that Redis takes. Returns the function that records a group, for the intake's `onGroup`. */
export function measureGroups(registry: Registry): (group: { events: number }) => void {
  const sizes = new Histogram({
    name: 'landline_group_events',
    help: 'Events in each group that Redis took.',
    buckets: GROUP_EVENTS_BUCKETS,
    registers: [registry],
  });
  return ({ events }) => sizes.observe(events);
}

/** The sources of the metrics of `measureIntake`. */
export interface MeasuredIntake {
  intake: Pick<Intake, 'stats' | 'status' | 'shardsAway'>;
  /** Undefined: the receiver has no journal. */
  journal: Pick<Journal, 'stats' | 'status'> | undefined;
}

/** Codes of answers that may cost an event: an alert watches each. */
const CODES_WITH_ALERT = ['unavailable', 'body_too_large', 'request_timeout'];

/** A metric that is read at each scrape: its name, its help, and the function that reads it. */
type ReadAtScrape = readonly [name: string, help: string, read: () => number];

/** Adds the metrics of the intake, and those of the journal where there is one. */
export function measureIntake({ registry, rejected }: ReceiverMetrics, { intake, journal }: MeasuredIntake): void {
  // Prometheus sees an increase only where a sample came before it, so these start at 0.
  for (const code of CODES_WITH_ALERT) rejected.inc({ code }, 0);
  addCounters(registry, intakeCounters(intake));
  addGauges(registry, intakeGauges(intake));
  if (journal === undefined) return;
  addCounters(registry, journalCounters(intake));
  addGauges(registry, journalGauges(journal));
}

function addCounters(registry: Registry, counters: readonly ReadAtScrape[]): void {
  for (const [name, help, read] of counters) addCounter(registry, { name, help, read });
}

function addGauges(registry: Registry, gauges: readonly ReadAtScrape[]): void {
  for (const [name, help, read] of gauges) addGauge(registry, { name, help, read });
}

function intakeCounters(intake: MeasuredIntake['intake']): readonly ReadAtScrape[] {
  return [
    ['landline_groups_enqueued_total', 'Groups that Redis took.', () => intake.stats().groups],
    [
      'landline_redis_errors_total',
      'Groups that Redis did not take, or not in time.',
      () => intake.stats().redisErrors,
    ],
  ];
}

function intakeGauges(intake: MeasuredIntake['intake']): readonly ReadAtScrape[] {
  return [
    ['landline_redis_up', 'Whether Redis takes groups: 1 or 0.', () => Number(intake.status() === 'ready')],
    ['landline_redis_shards_away', 'Shards that take no groups.', () => intake.shardsAway()],
    [
      'landline_redis_refused',
      'Whether Redis may evict what it holds, so that nothing is written to it: 1 or 0.',
      () => Number(intake.status() === 'refused'),
    ],
  ];
}

function journalCounters(intake: MeasuredIntake['intake']): readonly ReadAtScrape[] {
  return [
    ['landline_events_journalled_total', 'Events that the journal took.', () => intake.stats().journalledEvents],
    ['landline_journal_errors_total', 'Groups that the journal did not take.', () => intake.stats().journalErrors],
    [
      'landline_journal_reenqueued_records_total',
      'Records of the journal that were enqueued after the fact.',
      () => intake.stats().reenqueuedRecords,
    ],
    [
      'landline_redis_losses_total',
      'How often Redis was found to have lost what it took.',
      () => intake.stats().redisLosses,
    ],
  ];
}

function journalGauges(journal: NonNullable<MeasuredIntake['journal']>): readonly ReadAtScrape[] {
  return [
    ['landline_journal_up', 'Whether the journal takes groups: 1 or 0.', () => Number(journal.status() === 'ready')],
    [
      'landline_journal_bytes',
      'Size of all files in JOURNAL_DIR, those of other receivers included.',
      () => journal.stats().bytes,
    ],
    [
      'landline_journal_pending_records',
      'Records of the journal that Redis does not have yet.',
      () => journal.stats().pendingRecords,
    ],
    [
      'landline_journal_pending_bytes',
      'Size of the records that Redis does not have yet.',
      () => journal.stats().pendingBytes,
    ],
    [
      'landline_journal_unheld_bytes',
      'Size of what Redis does not have in folders whose receiver is gone and that could not be taken over.',
      () => journal.stats().unheldPendingBytes,
    ],
    [
      'landline_journal_disk_free_bytes',
      'What is free on the disk of JOURNAL_DIR.',
      () => journal.stats().diskFreeBytes ?? NaN,
    ],
  ];
}
