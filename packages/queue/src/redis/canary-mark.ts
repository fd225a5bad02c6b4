import { createProducerConnection, endConnection, firstAttempt } from './connection.ts';
import { CANARY_KEY } from '../names.ts';
import { placeOf, type Place } from '../servers/place.ts';

/** How long Redis may take to answer, in ms. A reader of metrics does not wait for longer. */
const ANSWER_TIMEOUT_MS = 500;

/** How long Redis keeps the mark, in seconds: longer than an outage lasts. */
const KEPT_SECONDS = 7 * 24 * 3600;

/** Stands in the place of a time when no canary is awaited. A missing key means that Redis has lost the mark. */
const CLEARED = 0;

/** When the newest canary was sent that reached the ledger. No method rejects: what Redis misses of one canary, the next one brings. */
export interface CanaryMark {
  /** Notes that a canary sent at `sentAtMs` (unix ms) reached the ledger. An older canary than the newest changes nothing. */
  note(sentAtMs: number): Promise<void>;
  /**
   * Returns when the newest canary was sent, in unix ms. When Redis does not answer soon, or has lost the mark, that is what was last
   * read. Undefined when nothing was read yet, or the mark is cleared.
   */
  newest(): Promise<number | undefined>;
  /** Clears the mark: no canaries are sent any more, and the age of the last must not grow. */
  clear(): Promise<void>;
  close(): void;
}

/** Opens the mark on one shard; connects at once. */
export function openShardCanaryMark(options: Place): CanaryMark {
  const { redisUrl, ...place } = placeOf(options);
  const key = `${place.prefix}:${CANARY_KEY}`;
  const connection = createProducerConnection(redisUrl, { ...place, enqueueTimeoutMs: ANSWER_TIMEOUT_MS });
  const connected = firstAttempt(connection);
  let known: number | undefined;

  return {
    async note(sentAtMs) {
      // The time is a score, so Redis itself keeps the greater one.
      const noting = connection.multi().zadd(key, 'GT', sentAtMs, 'sent').expire(key, KEPT_SECONDS);
      await noting.exec().catch(() => undefined);
    },
    async newest() {
      const score = await connection.zscore(key, 'sent').catch(() => null);
      if (score !== null) known = Number(score);
      return known === CLEARED ? undefined : known;
    },
    async clear() {
      await connected;
      await connection.zadd(key, CLEARED, 'sent').catch(() => undefined);
    },
    close: () => endConnection(connection),
  };
}
