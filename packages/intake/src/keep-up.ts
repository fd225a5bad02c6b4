import { setTimeout as delay } from 'node:timers/promises';
import type { Journal } from '@landline/journal';
import { QueueUnavailableError } from '@landline/queue/errors';
import { startCatchUp, type CatchUpOptions } from './catch-up.ts';
import type { LossWatchOptions } from './loss-watch-state.ts';
import { watchLoss, type LossWatch } from './loss-watch.ts';
import type { PooledShard } from './shard-pool.ts';
import { shareJournal } from './shared-journal.ts';

/** What keeping up needs of a shard. */
export interface KeptShard extends Pick<PooledShard, 'writtenSince'> {
  shard: Pick<PooledShard['shard'], 'catchUp' | 'beats' | 'status'>;
}

/** How to keep up. */
export interface KeepUpOptions extends Pick<LossWatchOptions, 'onLoss' | 'onPostgresLoss'> {
  /** At least one. */
  shards: readonly KeptShard[];
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
  /** Call it when a shard takes writes again: it may have lost something. */
  redisIsBack(shard: number): void;
  /** Returns how many records of the journal were enqueued after the fact. */
  records(): number;
  close(): Promise<void>;
}

/** A shard, and the watch that knows what it loses. */
interface Watched extends Pick<KeptShard, 'shard'> {
  losses: LossWatch;
}

/** Begins to keep up. Each shard has a watch for losses; one catch-up serves all of them. */
export function startKeepingUp(options: KeepUpOptions): KeepUp {
  const { journal, maxEvents, maxBytes } = options;
  const watched = watchAll(options, () => catchUp.wake());
  const catchUp = startCatchUp({
    journal,
    writer: anyWriter(watched),
    onWarning: options.onWarning,
    isReady: () => watched.some(mayWrite),
    maxEvents,
    maxBytes,
  });
  return {
    async firstCheck() {
      const checks = Promise.all(watched.map(({ losses }) => losses.check()));
      await Promise.race([checks, delay(options.timeoutMs, undefined, { ref: false })]);
    },
    wake: () => catchUp.wake(),
    redisIsBack: (shard) => void watched[shard]?.losses.check().then(() => catchUp.wake()),
    records: () => catchUp.records(),
    async close() {
      await catchUp.close();
      await Promise.all(watched.map(({ losses }) => losses.close()));
    },
  };
}

function watchAll({ shards, journal, onLoss, onPostgresLoss }: KeepUpOptions, wake: () => void): Watched[] {
  const views = shareJournal(
    journal,
    shards.map(({ shard }) => shard.beats.keyPrefix),
  );
  const carriedOut = new Set<string>();
  return shards.map((kept, i) => {
    const losses = watchLoss({
      beats: kept.shard.beats,
      journal: views[i] ?? journal,
      isReady: () => kept.shard.status() === 'ready',
      ...(shards.length > 1 && { writtenSince: () => kept.writtenSince }),
      carriedOut,
      onLoss(sinceMs) {
        wake();
        onLoss(sinceMs);
      },
      onPostgresLoss(loss) {
        wake();
        onPostgresLoss(loss);
      },
    });
    return { shard: kept.shard, losses };
  });
}

/** Records that are enqueued before the first beat would have to be enqueued again. */
function mayWrite({ shard, losses }: Watched): boolean {
  return shard.status() === 'ready' && losses.hasBegun();
}

/** Returns a writer that writes each job to the next shard that takes writes. */
function anyWriter(watched: readonly Watched[]): CatchUpOptions['writer'] {
  const [only] = watched;
  if (only !== undefined && watched.length === 1) return only.shard.catchUp;
  let turn = 0;
  let chosen: Watched | undefined;
  return {
    async isReachable() {
      for (let i = 0; i < watched.length; i++) {
        const candidate = watched[turn++ % watched.length];
        // oxlint-disable-next-line no-await-in-loop -- until one is reached
        if (candidate === undefined || !mayWrite(candidate) || !(await candidate.shard.catchUp.isReachable())) continue;
        chosen = candidate;
        return true;
      }
      return false;
    },
    async write(job) {
      if (chosen === undefined) throw new QueueUnavailableError('No shard can be reached.');
      await chosen.shard.catchUp.write(job);
    },
    close: async () => void (await Promise.all(watched.map(({ shard }) => shard.catchUp.close()))),
  };
}
