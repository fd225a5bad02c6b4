import { setTimeout as delay } from 'node:timers/promises';
import type { Journal } from '@landline/journal';
import type { Shard } from '@landline/queue';
import { startCatchUp } from './catch-up.ts';
import type { LossWatchOptions } from './loss-watch-state.ts';
import { watchLoss } from './loss-watch.ts';

/** How to keep up. */
export interface KeepUpOptions extends Pick<LossWatchOptions, 'onLoss' | 'onPostgresLoss'> {
  shard: Pick<Shard, 'catchUp' | 'beats' | 'status'>;
  journal: Journal;
  maxEvents: number;
  maxBytes: number;
  /** See `CatchUpOptions`. */
  onWarning: (message: string) => void;
  /** How long a start waits for the first check for losses, in ms: a disk that hangs is no reason not to begin. */
  timeoutMs: number;
}

/** Enqueues from the journal what Redis did not take, and what Redis or Postgres has lost. */
export interface KeepUp {
  /** Resolves after the first check for losses, or when that takes too long. */
  firstCheck(): Promise<void>;
  /** Call it when the journal holds something that Redis does not have. */
  wake(): void;
  /** Call it when Redis takes writes again: it may have lost something. */
  redisIsBack(): void;
  /** Returns how many records of the journal were enqueued after the fact. */
  records(): number;
  close(): Promise<void>;
}

/** Begins to keep up. */
export function startKeepingUp(options: KeepUpOptions): KeepUp {
  const { shard, journal, maxEvents, maxBytes } = options;
  const isReady = () => shard.status() === 'ready';
  const losses = watchLoss({
    beats: shard.beats,
    journal,
    isReady,
    onLoss(sinceMs) {
      catchUp.wake();
      options.onLoss(sinceMs);
    },
    onPostgresLoss(loss) {
      catchUp.wake();
      options.onPostgresLoss(loss);
    },
  });
  const catchUp = startCatchUp({
    journal,
    writer: shard.catchUp,
    onWarning: options.onWarning,
    // Records that are enqueued before the first beat would have to be enqueued again.
    isReady: () => isReady() && losses.hasBegun(),
    maxEvents,
    maxBytes,
  });
  return {
    async firstCheck() {
      await Promise.race([losses.check(), delay(options.timeoutMs, undefined, { ref: false })]);
    },
    wake: () => catchUp.wake(),
    redisIsBack: () => void losses.check().then(() => catchUp.wake()),
    records: () => catchUp.records(),
    async close() {
      await catchUp.close();
      await losses.close();
    },
  };
}
