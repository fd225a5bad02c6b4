import { createByteBudget, type ByteBudget } from './byte-budget.ts';
import { createSharedBytes, type SharedBytes } from './shared-bytes.ts';
import { createGarbageCollection, type GarbageCollection } from './collect-garbage.ts';

const MEBIBYTE = 1024 * 1024;

/**
 * A job with more data is large. The limit is far above an ordinary full group: 1 MiB of bodies (BATCH_MAX_BYTES) and what JSON adds. A lower
 * limit cost a backlog of transcripts 8 % of its rate.
 */
const LARGE_OVER_BYTES = 2 * MEBIBYTE;

/**
 * Small jobs in hand: the two transactions that are under way, and what waits for them. With a quarter of it transcripts cost up to twice the
 * CPU.
 */
const SMALL_BYTES = 32 * MEBIBYTE;

/** Large jobs in hand: one of the largest body that a receiver puts into a job. */
const LARGE_BYTES = 16 * MEBIBYTE;

/** How much data of jobs the consumers of a process hold at once, in bytes: of the data as Redis has it, or of what packed data unpacks to. */
export interface JobMemory {
  /** A job with more data is large: BullMQ fetches it without its data. */
  largeOverBytes: number;
  /** The data of a large job is read when it fits into this. */
  large: ByteBudget;
  /** While the small jobs of all consumers fill this, none fetches another. */
  small: SharedBytes;
  garbage: GarbageCollection;
}

/** Makes the memory of the consumers of a process: 32 MiB for small jobs, and 16 MiB for large ones or for one that is larger. */
export function createJobMemory(): JobMemory {
  return {
    largeOverBytes: LARGE_OVER_BYTES,
    large: createByteBudget(LARGE_BYTES),
    small: createSharedBytes(SMALL_BYTES),
    garbage: createGarbageCollection(),
  };
}
