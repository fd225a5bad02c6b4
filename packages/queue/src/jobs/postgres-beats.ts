import { createProducerConnection, endConnection, firstAttempt } from '../redis/connection.ts';
import { claimKey } from '../redis/expiring-key.ts';
import { WEBHOOK_QUEUE } from '../names.ts';
import { placeOf, type Place } from '../servers/place.ts';
import { oldestJobAt } from './oldest-job.ts';
import { openQueue } from './open-queue.ts';
import { leaveRedoRequest, type NewRedoRequest } from '../redis/redo-requests.ts';

/** How long Redis may take to answer, in ms: the beat in Postgres is locked meanwhile. */
const ANSWER_TIMEOUT_MS = 500;

/** How long a worker's turn keeps the other workers off, in ms. */
const TURN_MS = 900;

/** What Redis remembers of the beats that workers leave in Postgres. Every method rejects when Redis does not answer. */
export interface PostgresBeats {
  /** Returns whether it is this worker's turn. About once a second one of all workers has it. */
  takeTurn(): Promise<boolean>;
  /** Returns a time before which no job was enqueued that is not done, in unix ms; undefined where there are too many to examine. */
  oldestOpenAt(): Promise<number | undefined>;
  /** Returns the newest noted beat of the database with this identity, and whether another database was noted before. */
  noted(identity: string): Promise<{ seq: number | undefined; hasOther: boolean }>;
  /** Notes a beat that is committed on this server. A beat older than the newest noted one changes nothing. */
  note(beat: { identity: string; seq: number; server: string }): Promise<void>;
  /** Returns the server on which the last beat was committed; undefined where none is noted. */
  notedServer(): Promise<string | undefined>;
  /**
   * Asks every journal to enqueue again what came at or after `sinceMs` (unix ms). `loss` is the same for requests of the same loss.
   *
   * @returns  False where an earlier request covers this one.
   */
  requestRedo(request: NewRedoRequest): Promise<boolean>;
  close(): Promise<void>;
}

/** Opens what Redis remembers for all workers, on one shard; connects at once. */
export function openShardPostgresBeats(options: Place): PostgresBeats {
  const { redisUrl, ...place } = placeOf(options);
  const { prefix } = place;
  const key = `${prefix}:postgres-beat`;
  const connection = createProducerConnection(redisUrl, { ...place, enqueueTimeoutMs: ANSWER_TIMEOUT_MS });
  const connected = firstAttempt(connection);
  const queue = openQueue(WEBHOOK_QUEUE, connection, prefix);

  return {
    async takeTurn() {
      await connected;
      return claimKey(connection, { key: `${key}:turn`, value: '1', forMs: TURN_MS });
    },
    async oldestOpenAt() {
      // Jobs that come while Redis answers are not older than this.
      const askedAt = Date.now();
      const found = await oldestJobAt(connection, queue);
      return found === undefined ? undefined : Math.min(found, askedAt);
    },
    async noted(identity) {
      const score = await connection.zscore(key, identity);
      if (score !== null) return { seq: Number(score), hasOther: false };
      return { seq: undefined, hasOther: (await connection.zcard(key)) > 0 };
    },
    async note({ identity, seq, server }) {
      await connection.zadd(key, 'GT', seq, identity);
      await connection.set(`${key}:server`, server);
    },
    notedServer: async () => (await connection.get(`${key}:server`)) ?? undefined,
    requestRedo: (request) => leaveRedoRequest(connection, prefix, request),
    async close() {
      await queue.close();
      endConnection(connection);
    },
  };
}
