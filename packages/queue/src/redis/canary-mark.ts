import { createProducerConnection, endConnection, firstAttempt } from './connection.ts';
import { CANARY_KEY, QUEUE_PREFIX } from '../names.ts';

/** How long Redis may take to answer, in ms: whoever reads metrics does not wait for long. */
const ANSWER_TIMEOUT_MS = 500;

/** How long Redis keeps the mark, in seconds: longer than an outage lasts. */
const KEPT_SECONDS = 7 * 24 * 3600;

/** Stands in the place of a time: none is awaited. Nothing at all there says that Redis has lost it. */
const CLEARED = 0;

/** When the newest canary was sent that made the whole way. Nothing of it ever rejects: Redis away, the next one tells. */
export interface CanaryMark {
  /** A canary sent at `sentAtMs` (unix ms) has made the whole way; one older than the newest changes nothing. */
  note(sentAtMs: number): Promise<void>;
  /** In unix ms; what was last read when Redis does not answer soon, or has lost it; undefined when none was, or it is cleared. */
  newest(): Promise<number | undefined>;
  /** No canaries are sent any more: the last is not to grow old. */
  clear(): Promise<void>;
  close(): void;
}

/** Opens the mark that all receivers and workers share; connects at once. */
export function createCanaryMark(options: { redisUrl: string; prefix?: string }): CanaryMark {
  const key = `${options.prefix ?? QUEUE_PREFIX}:${CANARY_KEY}`;
  const connection = createProducerConnection(options.redisUrl, { enqueueTimeoutMs: ANSWER_TIMEOUT_MS });
  const connected = firstAttempt(connection);
  let known: number | undefined;

  return {
    async note(sentAtMs) {
      // As a score, for Redis then compares by itself.
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
