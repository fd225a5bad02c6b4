import { randomUUID } from 'node:crypto';
import { createProducerConnection, endConnection, firstAttempt } from '../redis/connection.ts';
import { cleanError } from '../redis/clean-error.ts';
import type { ChangeReporter } from '../redis/report-changes.ts';
import type { NamedPlace } from '../servers/shard-places.ts';
import { activityKeys } from './activity-keys.ts';
import type { CountBatch, PendingCounts } from './pending-counts.ts';
import type { Sampler } from './sampler.ts';
import { takeBatch } from './take-batch.ts';

/** How long Redis may take to answer, in ms. */
const ANSWER_TIMEOUT_MS = 1000;

/** How many batches a process that ends still writes, so that it ends soon. */
const LAST_BATCHES = 30;

/** What is written, and where. */
export interface FlusherOptions {
  place: NamedPlace;
  pending: Pick<PendingCounts, 'take'>;
  sampler: Pick<Sampler, 'due' | 'taken'>;
  errors: ChangeReporter;
  /** The current time in unix ms. */
  now: () => number;
}

/** What came of a flush: Redis took what there was, there was nothing, or Redis does not answer or take it. */
export type Flushed = 'taken' | 'nothing' | 'failed';

/** Writes what is pending. No method rejects. */
export interface Flusher {
  /** Resolves after the first attempt to connect. */
  connect(): Promise<void>;
  /** Writes a batch and a sample, where there are any. */
  flush(): Promise<Flushed>;
  /** Writes what is left, and takes the process off the list. */
  leave(): Promise<void>;
  /** Ends the connection. Returns why, where something was left that Redis did not say that it took. */
  end(): Error | undefined;
}

/** Makes it; it connects at `connect`. */
export function createFlusher({
  place: { redisUrl, ...place },
  pending,
  sampler,
  errors,
  now,
}: FlusherOptions): Flusher {
  const { prefix } = place;
  const connection = createProducerConnection(redisUrl, { ...place, enqueueTimeoutMs: ANSWER_TIMEOUT_MS });
  const run = randomUUID();
  /** A batch stays the same until Redis has said that it took it. */
  let batch: (CountBatch & { number: number }) | undefined;
  let batches = 0;
  let fault = new Error('The process ended before anything was written.');

  function nextBatch(): typeof batch {
    const taken = pending.take();
    return taken && { ...taken, number: ++batches };
  }

  async function flush(): Promise<Flushed> {
    try {
      batch ??= nextBatch();
      const sample = sampler.due();
      if (batch === undefined && sample === undefined) return 'nothing';
      await takeBatch(connection, prefix, { run, batch, sample, now: now() });
      batch = undefined;
      if (sample !== undefined) sampler.taken();
      errors.reset();
      return 'taken';
    } catch (error) {
      fault = cleanError(error);
      errors.report(error);
      return 'failed';
    }
  }

  return {
    connect: () => firstAttempt(connection),
    flush,
    async leave() {
      let flushed: Flushed = 'taken';
      // oxlint-disable-next-line no-await-in-loop -- one batch after the other
      for (let i = 0; i < LAST_BATCHES && flushed === 'taken'; i++) flushed = await flush();
      if (flushed === 'failed') return;
      const leaving = connection.pipeline().hdel(activityKeys.processes(prefix), run);
      if (batch === undefined) leaving.del(activityKeys.taken(prefix, run));
      await leaving.exec().catch(() => undefined);
    },
    end() {
      endConnection(connection);
      return (batch ?? nextBatch()) && fault;
    },
  };
}
