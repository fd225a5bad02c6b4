import { createByteBudget, type ByteBudget } from './byte-budget.ts';

/** Bytes of small jobs' data in hand at most, and as many of large jobs'. */
const HALF_BYTES = 32 * 1024 * 1024;

/** How much data of jobs the consumers of a process hold at once. */
export interface JobMemory {
  /** A job with more data is large: BullMQ fetches it without its data. In bytes of the data as Redis has it. */
  largeOverBytes: number;
  /** The data of a large job is read when it fits into this. */
  large: ByteBudget;
}

/**
 * Makes the memory of the consumers of a process. They hold 64 MiB of data at most: 32 MiB of small jobs and 32 MiB of large ones, or one
 * larger job. Bodies are never larger than the data that they stand in.
 *
 * Nobody knows the size of a small job before it is here, so its limit is its share: however many jobs BullMQ fetches at once, they fit.
 *
 * @param concurrency  How many jobs these consumers run at once, all together.
 */
export function createJobMemory(concurrency: number): JobMemory {
  return { largeOverBytes: Math.floor(HALF_BYTES / concurrency), large: createByteBudget(HALF_BYTES) };
}
