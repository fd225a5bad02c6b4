import type { Redis } from 'ioredis';
import { claimKey } from './expiring-key.ts';
import { readInfo } from './read-info.ts';

/** How long a complete comparison stands, in ms. */
const STANDS_MS = 3_600_000;

/** How long a claim stands without being renewed, in ms. When its worker is killed, another takes over after that. */
const CLAIM_MS = 60_000;

/**
 * Decides which worker compares the dead letters in Redis with the ledger, and when. A key in Redis that expires notes the last
 * comparison. So one of many workers makes it, and an emptied Redis is noticed. Where two workers make it, the second finds nothing to do.
 * The methods reject with Redis's own error when Redis does not answer.
 */
export interface DeadLetterCheck {
  /**
   * Claims the comparison. Returns whether this process must make it now:
   *
   * - this process has not made one yet,
   * - or Redis is another than at the last one (it was started again, or promoted),
   * - or the key is not there (an hour has passed, or Redis was emptied).
   */
  claim(): Promise<boolean>;
  /** Renews the claim; call it every few seconds. Returns false where the claim is gone because Redis was emptied meanwhile. */
  extend(): Promise<boolean>;
  /** Notes that the comparison is complete. If Redis was emptied meanwhile, the next `claim` returns true again. */
  finish(): Promise<void>;
  /** Notes that the comparison is not complete: the next process that claims it must make it. */
  fail(): Promise<void>;
}

/** Makes a check over `connection`. `connected` is the promise of its first attempt to connect. */
export function createDeadLetterCheck(connection: Redis, connected: Promise<void>, prefix: string): DeadLetterCheck {
  const key = `${prefix}:letters-checked`;
  /** Identities of the Redis of the last complete comparison, and of the Redis that was last asked. */
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
  };
}
