import type { MemoryCheck } from './check-memory.ts';

/**
 * The share of `maxmemory` from which on no event is written. A Redis whose memory is full refuses a worker's scripts too. Without the
 * rest the workers could not take a single job off the queue, and a full Redis would stay full.
 */
const FULL_SHARE = 0.9;

/** The share below which events are written again; lower, so that the status does not go back and forth at the limit. */
const ROOM_SHARE = 0.85;

/** Part of the room up to `FULL_SHARE` that may be written between two checks. Other receivers may write as much unseen meanwhile. */
const UNSEEN_SHARE = 0.25;

const MEBIBYTE = 1024 * 1024;

/** Keeps a part of Redis's memory free for the workers. */
export interface Headroom {
  /** Takes over what a check found. Returns why no event may be written now; undefined when there is room. */
  update(memory: MemoryCheck): Error | undefined;
  /** Counts bytes that are about to be written. Returns whether so much was written that the next check is due. */
  countBytes(bytes: number): boolean;
}

/** Makes a headroom; until its first check there is room without end. */
export function createHeadroom(): Headroom {
  let isFull = false;
  let unseenBytes = Infinity;
  return {
    update({ usedBytes, maxBytes }) {
      isFull = usedBytes >= maxBytes * (isFull ? ROOM_SHARE : FULL_SHARE);
      unseenBytes = (maxBytes * FULL_SHARE - usedBytes) * UNSEEN_SHARE;
      return isFull ? new Error(fullMessage(maxBytes)) : undefined;
    },
    countBytes(bytes) {
      unseenBytes -= bytes;
      return unseenBytes < 0;
    },
  };
}

// No figure that changes from check to check: a message that repeats is reported once.
function fullMessage(maxBytes: number): string {
  const limit = maxBytes < MEBIBYTE ? `${maxBytes} bytes` : `${Math.floor(maxBytes / MEBIBYTE)} MiB`;
  return `Redis is nearly full: ${FULL_SHARE * 100} % of its maxmemory (${limit}) is used, and the rest is kept for the workers. It takes events again below ${ROOM_SHARE * 100} %. See that the workers run and that failed jobs do not pile up. If that is so, give Redis more. Type in redis-cli: CONFIG SET maxmemory <bytes>. And put the same in redis.conf: maxmemory <bytes>`;
}
