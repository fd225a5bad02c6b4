import type { Redis } from 'ioredis';
import { RedisRefusedError } from '../errors.ts';
import { checkMemory, type MemoryCheck } from './check-memory.ts';
import { checkRedis } from './check-redis.ts';
import { createHeadroom } from './headroom.ts';

/** Why no event may be written to Redis, and the status that follows. */
export interface Unfitness {
  status: 'away' | 'refused';
  cause: Error;
}

/** How to check a Redis. */
export interface FitnessOptions {
  connection: Redis;
  /** How often the whole check is due, in ms. */
  checkIntervalMs: number;
  /** Called with each warning of the whole check that the check before did not have. */
  onWarning: (message: string) => void;
}

/** Checks whether a Redis keeps what it acknowledges, and has room. The checks throw Redis's own error when it does not answer. */
export interface Fitness {
  /** Makes the whole check, and warns of what it found. */
  checkAll(): Promise<MemoryCheck>;
  /** Makes the whole check when it is due, else checks the memory. Returns undefined where Redis forbids INFO. */
  checkNext(): Promise<MemoryCheck | undefined>;
  /** Returns why no event may be written into this memory; undefined when events may. */
  judge(memory: MemoryCheck): Unfitness | undefined;
  /** Counts bytes that are about to be written. Returns whether a check must be made before its time. */
  countBytes(bytes: number): boolean;
}

/** Makes the checks of one Redis; they ask nothing until they are called. */
export function createFitness({ connection, checkIntervalMs, onWarning }: FitnessOptions): Fitness {
  const headroom = createHeadroom();
  let warned: string[] = [];
  let checkedAt = -Infinity;

  async function checkAll(): Promise<MemoryCheck> {
    const { memory, warnings } = await checkRedis(connection);
    checkedAt = performance.now();
    for (const warning of warnings) if (!warned.includes(warning)) onWarning(warning);
    warned = warnings;
    return memory;
  }

  return {
    checkAll,
    checkNext: async () => (performance.now() - checkedAt >= checkIntervalMs ? checkAll() : checkMemory(connection)),
    judge(memory) {
      const full = headroom.update(memory);
      if (memory.refused !== undefined) return { status: 'refused', cause: new RedisRefusedError(memory.refused) };
      return full && { status: 'away', cause: full };
    },
    countBytes: (bytes) => headroom.countBytes(bytes),
  };
}
