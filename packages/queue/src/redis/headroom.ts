import type { MemoryCheck } from './check-memory.ts';

/**
 * Share of `maxmemory` from which on no event is written. Redis refuses a worker's scripts, too, once its memory is full: without
 * the rest the workers could not take a single job off the queue, and a full Redis would stay full.
 */
const FULL_SHARE = 0.9;

/** Share below which events are written again; lower, so that it does not go back and forth at the limit. */
const ROOM_SHARE = 0.85;

/** Part of the room up to `FULL_SHARE` that may be written between two looks. The others may write as much unseen meanwhile. */
const UNSEEN_SHARE = 0.25;

const MEBIBYTE = 1024 * 1024;

/** Keeps a part of Redis's memory free for the workers. */
export interface Headroom {
  /** Takes note of a look. Answers why nothing may be written now; undefined when there is room. */
  note(memory: MemoryCheck): Error | undefined;
  /** Counts bytes that are about to be written; tells whether it is time for another look. */
  spend(bytes: number): boolean;
}

/** Makes a headroom; until its first look there is room without end. */
export function createHeadroom(): Headroom {
  let full = false;
  let unseenBytes = Infinity;
  return {
    note({ usedBytes, maxBytes }) {
      full = usedBytes >= maxBytes * (full ? ROOM_SHARE : FULL_SHARE);
      unseenBytes = (maxBytes * FULL_SHARE - usedBytes) * UNSEEN_SHARE;
      return full ? new Error(fullMessage(maxBytes)) : undefined;
    },
    spend(bytes) {
      unseenBytes -= bytes;
      return unseenBytes < 0;
    },
  };
}

// No figure that changes from look to look: what repeats is told once.
function fullMessage(maxBytes: number): string {
  const limit = maxBytes < MEBIBYTE ? `${maxBytes} bytes` : `${Math.floor(maxBytes / MEBIBYTE)} MiB`;
  return `Redis is nearly full: ${FULL_SHARE * 100} % of its maxmemory (${limit}) is used, and the rest is kept for the workers. It takes events again below ${ROOM_SHARE * 100} %. See that the workers run and that failed jobs do not pile up. If that is so, give Redis more. Type in redis-cli: CONFIG SET maxmemory <bytes>. And put the same in redis.conf: maxmemory <bytes>`;
}
