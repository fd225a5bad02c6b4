import { addCounter, addGauge } from '@landline/process';
import type { LargeBodies } from '@landline/recordings';
import type { ReceiverMetrics } from './metrics.ts';

/** A metric that is read at each scrape: its name, its help, and the function that reads it. */
type ReadAtScrape = readonly [name: string, help: string, read: () => number];

/** Adds the metrics of the spool, and of what moves its bodies on. */
export function measureSpool(
  { registry }: ReceiverMetrics,
  { spool, stats }: Pick<LargeBodies, 'spool' | 'stats'>,
): void {
  const gauges: readonly ReadAtScrape[] = [
    ['landline_spool_up', 'Whether the spool takes bodies: 1 or 0.', () => Number(spool.status() === 'ready')],
    [
      'landline_spool_bytes',
      'Size of all files in SPOOL_DIR, those of other receivers included.',
      () => spool.stats().bytes,
    ],
    ['landline_spool_files', 'Bodies in the spool that are not stored and enqueued yet.', () => spool.stats().files],
    ['landline_spool_oldest_seconds', 'Age of the oldest of these bodies; 0 where there is none.', () => ageOf(spool)],
    [
      'landline_spool_damaged_files',
      'Files of the spool that cannot be read any more and wait for a person.',
      () => spool.stats().damagedFiles,
    ],
    [
      'landline_spool_disk_free_bytes',
      'What is free on the disk of SPOOL_DIR.',
      () => spool.stats().diskFreeBytes ?? NaN,
    ],
  ];
  for (const [name, help, read] of gauges) addGauge(registry, { name, help, read });
  const counters: readonly ReadAtScrape[] = [
    ['landline_recordings_stored_total', 'Recordings that the storage took.', () => stats().stored],
    [
      'landline_spool_failures_total',
      'Attempts to store or enqueue a body of the spool that failed.',
      () => stats().failures,
    ],
  ];
  for (const [name, help, read] of counters) addCounter(registry, { name, help, read });
}

function ageOf(spool: Pick<LargeBodies['spool'], 'stats'>): number {
  const { oldestAt } = spool.stats();
  return oldestAt === undefined ? 0 : Math.max(0, (Date.now() - oldestAt) / 1000);
}
