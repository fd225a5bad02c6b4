import type { JobsOptions, Queue } from 'bullmq';
import type { Redis } from 'ioredis';
import { openQueue } from '../jobs/open-queue.ts';
import { REJECTED_QUEUE } from '../names.ts';
import { checkMemory } from '../redis/check-memory.ts';
import { createProducerConnection, endConnection, firstAttempt } from '../redis/connection.ts';
import { placeOf, type Place } from '../servers/place.ts';
import { readOccupied } from './occupied.ts';
import type { RejectedRequest } from './rejected-request.ts';

/** How long Redis may take for one command unless a caller says otherwise, in ms. */
const COMMAND_TIMEOUT_MS = 1000;

/**
 * How many jobs the queue of a shard may hold, and how many bytes of their data. With several receivers each may go over it by one batch.
 * Workers take them within seconds, so that is room for a burst, and bounds what strangers can fill while no worker is there.
 */
const MAX_JOBS = 2000;
const MAX_BYTES = 64 * 1024 * 1024;

/** Share of Redis's memory up to which refused requests are written: the rest is for events. */
const ROOM_SHARE = 0.75;

/** How many jobs rest in `failed`; older ones go. */
const KEPT_FAILED = 100;

const JOB_OPTIONS: JobsOptions = {
  attempts: 8,
  backoff: { type: 'custom' },
  removeOnComplete: true,
  removeOnFail: { count: KEPT_FAILED },
};

/** Writes refused requests to Redis. */
export interface RejectedWriter {
  /** Returns how many were written, from the first on; there is no room for the others. Rejects as the connection does. */
  write(requests: readonly RejectedRequest[]): Promise<number>;
  close(): Promise<void>;
}

/**
 * Makes a writer for all shards: each write goes to the next one in turn that takes it. A shard is connected when its turn first comes.
 * `commandTimeoutMs`: how long Redis may take for one command.
 */
export function openWriters(places: readonly Place[], commandTimeoutMs = COMMAND_TIMEOUT_MS): RejectedWriter {
  const opened = new Map<Place, RejectedWriter>();
  let turn = 0;

  function next(): RejectedWriter | undefined {
    const place = places[turn++ % places.length];
    if (place === undefined) return undefined;
    const writer = opened.get(place) ?? openShardWriter(place, commandTimeoutMs);
    opened.set(place, writer);
    return writer;
  }

  return {
    async write(requests) {
      let fault: unknown;
      for (let i = 0; i < places.length; i++) {
        try {
          // oxlint-disable-next-line no-await-in-loop -- until one takes them
          return (await next()?.write(requests)) ?? 0;
        } catch (error) {
          fault = error;
        }
      }
      throw fault;
    },
    close: async () => void (await Promise.all([...opened.values()].map((writer) => writer.close()))),
  };
}

function openShardWriter(options: Place, commandTimeoutMs: number): RejectedWriter {
  const { redisUrl, ...place } = placeOf(options);
  const connection = createProducerConnection(redisUrl, { ...place, enqueueTimeoutMs: commandTimeoutMs });
  const connected = firstAttempt(connection);
  const queue = openQueue(REJECTED_QUEUE, connection, place.prefix);
  return {
    async write(requests) {
      await connected;
      const fitting = await thoseThatFit(connection, queue, requests);
      if (fitting.length > 0) await queue.addBulk(fitting.map(jobOf));
      return fitting.length;
    },
    async close() {
      await queue.close();
      endConnection(connection);
    },
  };
}

function jobOf(request: RejectedRequest) {
  // The id keeps a repeat after a time-out from being a second job; the word before it keeps it from being a key of the queue's own.
  return { name: request.code, data: request, opts: { ...JOB_OPTIONS, jobId: `rejected-${request.id}` } };
}

async function thoseThatFit(
  connection: Redis,
  queue: Queue<unknown>,
  requests: readonly RejectedRequest[],
): Promise<readonly RejectedRequest[]> {
  const [memory, { jobs, bytes }] = await Promise.all([checkMemory(connection), readOccupied(connection, queue)]);
  if (memory !== undefined && memory.usedBytes >= memory.maxBytes * ROOM_SHARE) return [];
  let room = MAX_BYTES - bytes;
  const count = requests.findIndex((request, i) => {
    room -= request.body?.length ?? 0;
    return room < 0 || jobs + i >= MAX_JOBS;
  });
  return count < 0 ? requests : requests.slice(0, count);
}
