import type { Delivery } from '@landline/webhook';
import type { PackedEvents } from '@landline/webhook/packed-events';
import type { QueueUnavailableError } from './errors.ts';
import { encodeJob } from './jobs/encode-job.ts';
import { jobName } from './jobs/job-name.ts';
import { EVENT_JOB_OPTIONS } from './jobs/job-options.ts';
import { LARGE_JOB_BYTES, openLargeJobs } from './jobs/large-jobs.ts';
import { openEventQueue } from './jobs/open-queue.ts';
import { openRedisBeats, type RedisBeats } from './jobs/redis-beats.ts';
import { openSlowWriter, type SlowWriter } from './jobs/slow-writer.ts';
import type { AvailabilityEvents, QueueStatus } from './redis/availability-state.ts';
import { watchAvailability } from './redis/availability.ts';
import { createProducerConnection, endConnection } from './redis/connection.ts';
import { placeOf, type Place } from './servers/place.ts';

/** How to open a shard. */
export interface ShardOptions extends AvailabilityEvents, Place {
  /** No write to Redis on the shared connection is waited for longer than this, in ms. */
  enqueueTimeoutMs: number;
}

/** The webhook queue on one Redis: its connection, whether it takes writes, and the beats by which its losses are noticed. */
export interface Shard {
  /**
   * Connects and checks Redis. Resolves also when Redis is away, and goes on connecting.
   *
   * @throws RedisRefusedError, where Redis `isRequired`; its message says what to set.
   */
  connect(options: { isRequired: boolean }): Promise<void>;
  status(): QueueStatus;
  /** Why no job should be added now; undefined when Redis takes jobs. */
  fault(): QueueUnavailableError | undefined;
  /**
   * Resolves when Redis has the job of these events, of which `bytes` are bodies. A job above `largeJobBytes` has a connection of its
   * own and five seconds and one for each MiB; its failure does not make Redis unavailable. `packed` are the same events, where the
   * caller has packed them. @throws QueueUnavailableError
   */
  add(events: readonly Delivery[], bytes: number, packed?: PackedEvents): Promise<void>;
  /** Of the bodies: see `add`. */
  readonly largeJobBytes: number;
  /** Writes what Redis lacks, beside the events that arrive now: neither waits for the other. */
  readonly catchUp: SlowWriter;
  readonly beats: RedisBeats;
  close(): Promise<void>;
}

/** Opens a shard for a process that adds jobs; it connects at `connect`. */
export function openShard({ enqueueTimeoutMs, ...options }: ShardOptions): Shard {
  const { onAway, onWarning, onError, onReady } = options;
  const place = placeOf(options);
  const { prefix } = place;
  const connection = createProducerConnection(place.redisUrl, { ...place, enqueueTimeoutMs });
  const queue = openEventQueue(connection, prefix);
  const large = openLargeJobs(place);
  const catchUp = openSlowWriter(place);
  const availability = watchAvailability({
    onAway,
    onWarning,
    onError,
    onReady,
    connection,
    probeKey: `${prefix}:probe`,
  });
  return {
    connect: (required) => availability.connect(required),
    status: () => availability.status(),
    fault: () => availability.fault(),
    async add(added, bytes, packed) {
      availability.countBytes(bytes);
      if (bytes > LARGE_JOB_BYTES) return large.add(added, bytes);
      const data = encodeJob({ events: added, bytes, packed });
      try {
        await queue.add(jobName(added.length), data, EVENT_JOB_OPTIONS);
      } catch (error) {
        throw availability.writeFailed(error);
      }
    },
    largeJobBytes: LARGE_JOB_BYTES,
    catchUp: {
      ...catchUp,
      write(job) {
        availability.countBytes(job.bytes);
        return catchUp.write(job);
      },
    },
    beats: openRedisBeats(connection, queue, prefix),
    async close() {
      availability.close();
      await Promise.all([queue.close(), large.close(), catchUp.close()]);
      endConnection(connection);
    },
  };
}
