import { shardPlaces, type QueueServers } from '../servers/shard-places.ts';
import type { RejectedRequest } from './rejected-request.ts';
import { openWriters } from './rejected-writer.ts';

/** How many requests are written at once, each as a job, and how many characters of their bodies: to print more would take milliseconds. */
const BATCH_REQUESTS = 50;
const BATCH_CHARACTERS = 1024 * 1024;

/**
 * What became of a request: `kept`, Redis has it; `no_room`, the queue or Redis is full; `unavailable`, no Redis took it, or not in time.
 */
export type RejectedOutcome = 'kept' | 'no_room' | 'unavailable';

/** How to open the queue of refused requests for writing. */
export interface RejectedQueueOptions extends QueueServers {
  /** Called once for each request that was handed over, also for one that is dropped when the queue closes. */
  onOutcome: (outcome: RejectedOutcome, request: RejectedRequest) => void;
  /** How long Redis may take for one command, in ms; a second by default. */
  commandTimeoutMs?: number;
}

/** The queue of refused requests, for writing. */
export interface RejectedQueue {
  /** Hands a request over, and returns at once. Never throws. The caller bounds what is under way, by `onOutcome`. */
  add(request: RejectedRequest): void;
  /** Writes nothing more but what is under way. */
  close(): Promise<void>;
}

/** Opens the queue on every shard. It connects when the first request comes: most receivers never refuse one. */
export function openRejectedQueue({ onOutcome, commandTimeoutMs, ...servers }: RejectedQueueOptions): RejectedQueue {
  const writer = openWriters(shardPlaces(servers), commandTimeoutMs);
  let waiting: RejectedRequest[] = [];
  let writing: Promise<void> | undefined;
  const state = { isClosed: false };

  async function writeBatch(batch: readonly RejectedRequest[]): Promise<void> {
    try {
      const written = await writer.write(batch);
      batch.forEach((request, i) => onOutcome(i < written ? 'kept' : 'no_room', request));
    } catch {
      // What waits behind it would wait as long for nothing.
      for (const request of [...batch, ...waiting.splice(0)]) onOutcome('unavailable', request);
    }
  }

  async function writeAll(): Promise<void> {
    while (waiting.length > 0 && !state.isClosed) {
      // oxlint-disable-next-line no-await-in-loop -- one batch at a time
      await writeBatch(waiting.splice(0, batchSize(waiting)));
    }
    writing = undefined;
  }

  return {
    add(request) {
      if (state.isClosed) return onOutcome('unavailable', request);
      waiting.push(request);
      writing ??= writeAll();
    },
    async close() {
      state.isClosed = true;
      await writing;
      for (const request of waiting.splice(0)) onOutcome('unavailable', request);
      await writer.close();
    },
  };
}

function batchSize(waiting: readonly RejectedRequest[]): number {
  let [count, characters] = [0, 0];
  while (count < Math.min(waiting.length, BATCH_REQUESTS) && characters < BATCH_CHARACTERS) {
    characters += waiting[count++]?.body?.length ?? 0;
  }
  return count;
}
