import type { Journal } from '@landline/journal';
import { addCounter, addGauge, createRegistry } from '@landline/process';
import type { Intake } from '@landline/intake';
import { Counter, Histogram, type Registry } from 'prom-client';

/** A group has one event at low load, and BATCH_MAX_EVENTS (200) at most. */
const GROUP_EVENTS_BUCKETS = [1, 2, 5, 10, 20, 50, 100, 200];

/** What the receiver counts. */
export interface ReceiverMetrics {
  registry: Registry;
  /** Events answered 200. */
  accepted: Counter;
  /** Requests to the webhook's path answered otherwise, by code. */
  rejected: Counter<'code'>;
  /** Connections dropped because there were too many, by what they did. */
  dropped: Counter<'state'>;
}

/** Makes the receiver's metrics in a registry of their own. */
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
    dropped: new Counter({
      name: 'landline_connections_dropped_total',
      help: 'Connections dropped because more than MAX_CONNECTIONS were open, by what they did.',
      labelNames: ['state'],
      registers: [registry],
    }),
  };
}

/** Adds what is under way on the public port. */
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
    help: 'Bytes of bodies that arrive or wait for their answer.',
    read: read.receivingBytes,
  });
}

/** Adds the sizes of the groups that Redis takes; the answer is for the intake's `onGroup`. */
export function measureGroups(registry: Registry): (group: { events: number }) => void {
  const sizes = new Histogram({
    name: 'landline_group_events',
    help: 'Events in each group that Redis took.',
    buckets: GROUP_EVENTS_BUCKETS,
    registers: [registry],
  });
  return ({ events }) => sizes.observe(events);
}

/** What keeps the events, as far as it tells how it does. */
export interface Keepers {
  intake: Pick<Intake, 'stats' | 'status'>;
  journal: Pick<Journal, 'stats' | 'status'> | undefined;
}

/** Adds what the intake, and the journal where there is one, know of themselves. */
export function measureKeepers({ registry, rejected }: ReceiverMetrics, { intake, journal }: Keepers): void {
  // There from the start, so that the first is an increase: the alerts are for those that may cost an event.
  for (const code of ['unavailable', 'body_too_large', 'request_timeout']) rejected.inc({ code }, 0);
  addCounter(registry, {
    name: 'landline_groups_enqueued_total',
    help: 'Groups that Redis took.',
    read: () => intake.stats().groups,
  });
  addCounter(registry, {
    name: 'landline_redis_errors_total',
    help: 'Groups that Redis did not take, or not in time.',
    read: () => intake.stats().redisErrors,
  });
  addGauge(registry, {
    name: 'landline_redis_up',
    help: 'Whether Redis takes groups: 1 or 0.',
    read: () => Number(intake.status() === 'ready'),
  });
  addGauge(registry, {
    name: 'landline_redis_refused',
    help: 'Whether Redis may evict what it holds, so that nothing is written to it: 1 or 0.',
    read: () => Number(intake.status() === 'refused'),
  });
  if (journal !== undefined) measureJournal(registry, intake, journal);
}

function measureJournal(registry: Registry, intake: Keepers['intake'], journal: NonNullable<Keepers['journal']>): void {
  addCounter(registry, {
    name: 'landline_events_journalled_total',
    help: 'Events that the journal took.',
    read: () => intake.stats().journalledEvents,
  });
  addCounter(registry, {
    name: 'landline_journal_errors_total',
    help: 'Groups that the journal did not take.',
    read: () => intake.stats().journalErrors,
  });
  addCounter(registry, {
    name: 'landline_journal_reenqueued_records_total',
    help: 'Records of the journal that were enqueued after the fact.',
    read: () => intake.stats().reenqueuedRecords,
  });
  addCounter(registry, {
    name: 'landline_redis_losses_total',
    help: 'How often Redis was found to have lost what it took.',
    read: () => intake.stats().redisLosses,
  });
  addGauge(registry, {
    name: 'landline_journal_up',
    help: 'Whether the journal takes groups: 1 or 0.',
    read: () => Number(journal.status() === 'ready'),
  });
  addGauge(registry, {
    name: 'landline_journal_bytes',
    help: 'Size of all files in JOURNAL_DIR, those of other receivers included.',
    read: () => journal.stats().bytes,
  });
  addGauge(registry, {
    name: 'landline_journal_pending_records',
    help: 'Records of the journal that Redis does not have yet.',
    read: () => journal.stats().pendingRecords,
  });
  addGauge(registry, {
    name: 'landline_journal_pending_bytes',
    help: 'Size of the records that Redis does not have yet.',
    read: () => journal.stats().pendingBytes,
  });
  addGauge(registry, {
    name: 'landline_journal_unheld_bytes',
    help: 'Size of what Redis does not have in folders whose receiver is gone and that could not be taken over.',
    read: () => journal.stats().unheldPendingBytes,
  });
  addGauge(registry, {
    name: 'landline_journal_disk_free_bytes',
    help: 'What is free on the disk of JOURNAL_DIR.',
    read: () => journal.stats().diskFreeBytes ?? NaN,
  });
}
