import type { Redis } from 'ioredis';
import { createProducerConnection, endConnection, firstAttempt } from '../redis/connection.ts';
import { placeOf, type Place } from '../servers/place.ts';

/** How long consumers wait for Redis where they ask what is no job, in ms. */
const QUESTION_TIMEOUT_MS = 1000;

/** A connection that fails fast. Consumers ask on it how many jobs there are, and keep their queues in order. The consumers of a shard share it. */
export interface Questions {
  readonly connection: Redis;
  /** Resolves after the first attempt to connect. */
  readonly connected: Promise<void>;
  /** Ends the connection: close the consumers first. */
  close(): void;
}

/** Opens the connection; connects at once. */
export function openQuestions(options: Place): Questions {
  const { redisUrl, ...place } = placeOf(options);
  const connection = createProducerConnection(redisUrl, { ...place, enqueueTimeoutMs: QUESTION_TIMEOUT_MS });
  return { connection, connected: firstAttempt(connection), close: () => endConnection(connection) };
}
