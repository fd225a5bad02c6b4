import { reportChanges } from '../redis/report-changes.ts';
import type { QueueServers } from '../servers/shard-places.ts';
import type { ActivityCount } from './activity-counts.ts';
import { activityPlace } from './activity-keys.ts';
import { createFlusher, type Flushed } from './flusher.ts';
import { createPendingCounts } from './pending-counts.ts';
import type { ActivityRole, Gauges } from './process-sample.ts';
import { createSampler } from './sampler.ts';

/** How often counts are written, in ms. */
const FLUSH_MS = 1000;

/** Every so many flushes the process leaves a sample of itself. */
const SAMPLE_FLUSHES = 5;

/** How to make a writer. */
export interface ActivityWriterOptions extends QueueServers {
  role: ActivityRole;
  /**
   * Called when Redis does not take the counts, once for a fault that repeats: they are written later. Called with `isLost` where the process ends, and
   * nothing will write them.
   */
  onError: (error: Error, isLost: boolean) => void;
  /** The current time in unix ms. */
  now?: () => number;
}

/** Counts what a receiver or a worker does, for the console. No method throws, and events never wait for it. */
export interface ActivityWriter {
  /** Counts `n` events, or one. */
  count(name: ActivityCount, n?: number): void;
  /** Notes how long an event that was applied took from its receipt to the commit of its rows, in ms. */
  observeReceiptToRow(ms: number): void;
  /** Says how the process tells its state. It is asked every five seconds; figures that are no finite number are left out. */
  gauges(read: () => Gauges): void;
  /** Connects, and writes once a second from now on. */
  start(): void;
  /** Writes what is left, within a second where Redis does not answer, and takes the process off the list. */
  close(): Promise<void>;
}

/**
 * Makes a writer of the activity; it does nothing in Redis until `start`. What was counted is written once a second, by one command, to the first
 * shard. While that shard is away, counts wait in memory under the minute that they belong to, for 25 hours at most.
 * A process that is killed loses the counts of its last second.
 */
export function createActivityWriter(options: ActivityWriterOptions): ActivityWriter {
  const { role, onError, now = Date.now, ...servers } = options;
  const pending = createPendingCounts(now);
  let isClosed = false;
  const errors = reportChanges((error) => {
    if (!isClosed) onError(error, false);
  });
  const sampler = createSampler(role, errors.report);
  const flusher = createFlusher({ place: activityPlace(servers), pending, sampler, errors, now });
  let ticks = 0;
  let timer: NodeJS.Timeout | undefined;
  let flushing: Promise<Flushed> | undefined;

  function flushOnce(): void {
    if (isClosed) return;
    flushing ??= flusher.flush().finally(() => (flushing = undefined));
  }

  function tick(): void {
    if (++ticks % SAMPLE_FLUSHES === 0) sampler.makeDue();
    flushOnce();
  }

  return {
    count: (name, n = 1) => pending.count(name, n),
    observeReceiptToRow: (ms) => pending.observeReceiptToRow(ms),
    gauges: (read) => sampler.read(read),
    start() {
      if (timer !== undefined || isClosed) return;
      timer = setInterval(tick, FLUSH_MS).unref();
      void flusher.connect().then(flushOnce);
    },
    async close() {
      if (isClosed) return;
      isClosed = true;
      clearInterval(timer);
      // Where Redis does not answer now, it is not asked once more.
      if ((await flushing) !== 'failed' && timer !== undefined) await flusher.leave();
      const fault = flusher.end();
      if (fault !== undefined) onError(fault, true);
    },
  };
}
