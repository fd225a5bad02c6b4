import type { Redis } from 'ioredis';
import { z } from 'zod';
import { askRedis } from '../redis/ask-redis.ts';
import { createProducerConnection, endConnection, firstAttempt } from '../redis/connection.ts';
import type { QueueServers } from '../servers/shard-places.ts';
import { addCounts, countsIn, noCounts, type Counts, type MinuteActivity } from './activity-counts.ts';
import { activityKeys, activityPlace, MINUTE_MS, SLOT_MS, startOf } from './activity-keys.ts';
import { createMinuteReader } from './minute-reader.ts';
import { readSamples, type ProcessSample } from './process-sample.ts';

/** How long Redis may take to answer, in ms. */
const ANSWER_TIMEOUT_MS = 1000;

/** How many slots `now` looks at: those of a minute, and the one that the minute's beginning falls into. */
const SLOTS_LOOKED_AT = MINUTE_MS / SLOT_MS + 1;

/** Where to read, and what the time is in unix ms. */
export interface ActivityOptions extends QueueServers {
  now?: () => number;
}

/** Reads what receivers and workers counted, from the first shard. Every method rejects with QueueUnavailableError while that shard is away. */
export interface Activity {
  /**
   * Returns the minutes from that of `from` up to `to`, in unix ms, oldest first: one for each minute, also where nothing was counted. It reaches back
   * 25 hours at most. What a process counted while Redis was away comes into its minutes later, within half a minute.
   */
  minutes(from: number, to: number): Promise<MinuteActivity[]>;
  /** Returns the sums of the last 60 seconds; `at` is 60 seconds ago. Of the slot of five seconds in which they begin, the share that is in them. */
  now(): Promise<MinuteActivity>;
  /** Returns the processes that told of themselves within 15 seconds, by role and id. */
  processes(): Promise<ProcessSample[]>;
  close(): Promise<void>;
}

/** Opens a reader of the activity; connects at once. */
export function openActivity({ now = Date.now, ...servers }: ActivityOptions): Activity {
  const { redisUrl, ...place } = activityPlace(servers);
  const { prefix } = place;
  const connection = createProducerConnection(redisUrl, { ...place, enqueueTimeoutMs: ANSWER_TIMEOUT_MS });
  const connected = firstAttempt(connection);
  const ask = <T>(question: () => Promise<T>) => askRedis(connected, 'Redis does not tell what was counted.', question);
  const read = (keyOf: typeof activityKeys.minute, starts: readonly number[]) =>
    ask(() =>
      readHashes(
        connection,
        starts.map((at) => keyOf(prefix, at)),
      ),
    );
  const minutes = createMinuteReader((starts) => read(activityKeys.minute, starts), now);

  return {
    minutes: (from, to) => minutes.read(from, to),
    async now() {
      const begin = now() - MINUTE_MS;
      const first = startOf(begin, SLOT_MS);
      const starts = Array.from({ length: SLOTS_LOOKED_AT }, (_, i) => first + i * SLOT_MS);
      const slots = await read(activityKeys.slot, starts);
      const sums = noCounts();
      for (const [i, slot] of slots.entries()) addCounts(sums, slot, i === 0 ? 1 - (begin - first) / SLOT_MS : 1);
      return { at: begin, ...sums };
    },
    processes: () => ask(() => readProcesses(connection, prefix)),
    close: () => Promise.resolve(endConnection(connection)),
  };
}

const fieldsSchema = z.record(z.string(), z.string());

async function readHashes(connection: Redis, keys: readonly string[]): Promise<Counts[]> {
  const reading = connection.pipeline();
  for (const key of keys) reading.hgetall(key);
  return answersOf(await reading.exec()).map((fields) => countsIn(fieldsSchema.parse(fields)));
}

const timeSchema = z.tuple([z.coerce.number(), z.coerce.number()]);

async function readProcesses(connection: Redis, prefix: string): Promise<ProcessSample[]> {
  const reading = connection.multi().time().hvals(activityKeys.processes(prefix));
  const [time, samples] = answersOf(await reading.exec());
  const [seconds, microseconds] = timeSchema.parse(time);
  return readSamples(z.array(z.string()).parse(samples), seconds * 1000 + microseconds / 1000);
}

function answersOf(answers: [Error | null, unknown][] | null): unknown[] {
  return (answers ?? []).map(([error, answer]) => {
    if (error !== null) throw error;
    return answer;
  });
}
