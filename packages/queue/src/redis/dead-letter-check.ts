import { createProducerConnection, endConnection, firstAttempt } from './connection.ts';
import { claimKey } from './expiring-key.ts';
import { QUEUE_PREFIX } from '../names.ts';
import { readInfo } from './read-info.ts';

/** How long an answer of Redis is waited for, in ms. */
const ANSWER_TIMEOUT_MS = 2000;

/** How long a comparison that is complete stands, in ms. */
const STANDS_MS = 3_600_000;

/** How long a claim stands without being renewed, in ms: of a worker that was killed another takes over. */
const CLAIM_MS = 60_000;

/**
 * Tells when the dead letters in Redis are to be compared with the ledger. A key in Redis that expires says that they were, so that one
 * of many workers does it, and a Redis that was emptied is noticed. Where two do it all the same, the second finds nothing to do.
 */
export interface LetterCheck {
  /**
   * Claims the comparison. True where it is to be made now: this process has made none yet, Redis is not the one of the last (started
   * again, promoted), or the key is not there (an hour has passed, or Redis was emptied). @throws where Redis does not answer
   */
  claim(): Promise<boolean>;
  /** Renews the claim; call it every few seconds. False where it is gone: Redis was emptied meanwhile. */
  extend(): Promise<boolean>;
  /** The comparison is complete; where Redis was emptied meanwhile, the next claim makes it again. */
  finish(): Promise<void>;
  /** It is not: whoever asks next is to make it. */
  fail(): Promise<void>;
  close(): void;
}

/** Opens a check; connects at once. */
export function createLetterCheck({
  redisUrl,
  prefix = QUEUE_PREFIX,
}: {
  redisUrl: string;
  prefix?: string;
}): LetterCheck {
  const connection = createProducerConnection(redisUrl, { enqueueTimeoutMs: ANSWER_TIMEOUT_MS });
  const connected = firstAttempt(connection);
  const key = `${prefix}:letters-checked`;
  let checkedIn: string | undefined;
  let asked = '';

  return {
    async claim() {
      await connected;
      asked = (await readInfo(connection, 'server')).get('run_id') ?? 'unknown';
      if (asked !== checkedIn) return (await connection.set(key, 'begun', 'PX', CLAIM_MS)) === 'OK';
      return claimKey(connection, { key, value: 'begun', forMs: CLAIM_MS, mostMs: STANDS_MS });
    },
    extend: async () => (await connection.set(key, 'begun', 'PX', CLAIM_MS, 'XX')) === 'OK',
    async finish() {
      await connection.set(key, 'done', 'PX', STANDS_MS, 'XX');
      checkedIn = asked;
    },
    async fail() {
      await connection.del(key);
    },
    close: () => endConnection(connection),
  };
}
