import type { Redis } from 'ioredis';
import { onTestFinished } from 'vitest';
import { watchAvailability, type Availability } from '../../src/redis/availability.ts';
import { aConnection } from './a-connection.ts';

/** A watch of a Redis, and what it reported. */
export interface TestWatch extends Availability {
  connection: Redis;
  /** The messages of the faults that were reported. */
  errors: string[];
  warnings: string[];
  /** How often those who wait for Redis were failed. */
  aways: () => number;
  /** How often it was reported that Redis is back. */
  returns: () => number;
}

/**
 * Watches the Redis at `url` from its first connection on, until the test ends. Everything is checked 20 times a second. A stall of the
 * machine is no outage to it, but for a short `enqueueTimeoutMs`.
 */
export async function aWatch(url: string, { isRequired = false, enqueueTimeoutMs = 20_000 } = {}): Promise<TestWatch> {
  const errors: string[] = [];
  const warnings: string[] = [];
  let aways = 0;
  let returns = 0;
  const connection = await aConnection(url, { enqueueTimeoutMs, isTried: false });
  const availability = watchAvailability({
    connection,
    probeKey: 'probe',
    onAway: () => void (aways += 1),
    onWarning: (message) => warnings.push(message),
    onError: ({ message }) => errors.push(message),
    onReady: () => void (returns += 1),
    checkIntervalMs: 50,
  });
  onTestFinished(() => availability.close());
  await availability.connect({ isRequired });
  return { ...availability, connection, errors, warnings, aways: () => aways, returns: () => returns };
}
