import type { Redis } from 'ioredis';
import { inject, onTestFinished } from 'vitest';
import { createProducerConnection, endConnection, firstAttempt } from '../../src/redis/connection.ts';

/** A connection that fails fast, and that was tried once unless `isTried` is false; it is closed when the test ends. */
export async function aConnection(
  url = inject('redisUrl'),
  { enqueueTimeoutMs = 5000, isTried = true } = {},
): Promise<Redis> {
  const connection = createProducerConnection(url, { enqueueTimeoutMs });
  onTestFinished(() => endConnection(connection));
  if (isTried) await firstAttempt(connection);
  return connection;
}
