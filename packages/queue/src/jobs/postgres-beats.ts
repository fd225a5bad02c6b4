import { createProducerConnection, endConnection, firstAttempt } from '../redis/connection.ts';
import { claimKey } from '../redis/expiring-key.ts';
import { QUEUE_PREFIX, WEBHOOK_QUEUE } from '../names.ts';
import { oldestJobAt } from './oldest-job.ts';
import { openQueue } from './open-queue.ts';
import { leaveRedoRequest, type NewRedoRequest } from '../redis/redo-requests.ts';

/** How long Redis may take to answer, in ms: the beat in Postgres is locked meanwhile. */
const ANSWER_TIMEOUT_MS = 500;

/** For how long the one worker whose turn it is keeps the others off, in ms. */
const TURN_MS = 900;

/** What Redis remembers of the beats that workers leave in Postgres. Every method rejects when Redis does not answer. */
export interface PostgresBeats {
  /** Whether it is this worker's turn: about once a second one of all has it. */
  takeTurn(): Promise<boolean>;
  /** No job that is not done was enqueued earlier, in unix ms; undefined where there are more than are looked at. */
  oldestOpenAt(): Promise<number | undefined>;
  /** The newest beat that was certainly committed in the database of this identity, and whether another database was noted before. */
  noted(identity: string): Promise<{ seq: number | undefined; hasOther: boolean }>;
  /** A beat is committed on this server; an older one than the newest changes nothing. */
  note(beat: { identity: string; seq: number; server: string }): Promise<void>;
  /** The server on which the last beat was committed; undefined where none is noted. */
  notedServer(): Promise<string | undefined>;
  /**
   * Asks every journal to enqueue again what came at or after `sinceMs` (unix ms); `loss` tells one loss from another.
   *
   * @returns  False where as much was asked for already.
   */
  requestRedo(request: NewRedoRequest): Promise<boolean>;
  close(): Promise<void>;
}

/** Opens the memory that all workers share; connects at once. */
export function openPostgresBeats({
  redisUrl,
  prefix = QUEUE_PREFIX,
}: {
  redisUrl: string;
  prefix?: string;
}): PostgresBeats {
  const key = `${prefix}:postgres-beat`;
  const connection = createProducerConnection(redisUrl, { enqueueTimeoutMs: ANSWER_TIMEOUT_MS });
  const connected = firstAttempt(connection);
  const queue = openQueue(WEBHOOK_QUEUE, connection, prefix);

  return {
    async takeTurn() {
      await connected;
      return claimKey(connection, { key: `${key}:turn`, value: '1', forMs: TURN_MS });
    },
    async oldestOpenAt() {
      // Between the look and now nothing older has come.
      const lookedAt = Date.now();
      const found = await oldestJobAt(connection, queue);
      return found === undefined ? undefined : Math.min(found, lookedAt);
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
