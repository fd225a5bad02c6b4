import type { Redis } from 'ioredis';
import { readInfo } from './read-info.ts';

/** What a check of Redis's memory found. */
export interface MemoryCheck {
  /** Why Redis must not be used: it evicts events when its memory is full. */
  refused?: string;
  /** What counts against its limit. */
  usedBytes: number;
  /** Its `maxmemory`; Infinity where there is no limit, or Redis does not say. */
  maxBytes: number;
}

/**
 * Checks how full the memory of Redis is, and what Redis does when it is full. Cheap enough for once a second.
 *
 * @returns Undefined where an access list forbids INFO.
 * @throws  Redis's own error when it does not answer.
 */
export async function checkMemory(connection: Redis): Promise<MemoryCheck | undefined> {
  const info = await readInfo(connection, 'memory');
  return info.size === 0 ? undefined : memoryOf(info);
}

/** Reads what the memory check needs from fields of INFO. Refuses any eviction policy but `noeviction`. */
export function memoryOf(info: Map<string, string>): MemoryCheck {
  const bytes = (name: string): number => Number(info.get(name) ?? 0);
  const policy = info.get('maxmemory_policy');
  return {
    ...(policy !== undefined && policy !== 'noeviction' && { refused: policyRefusal(policy) }),
    // The buffers of replicas and of the append-only file do not count against the limit.
    usedBytes: bytes('used_memory') - bytes('mem_not_counted_for_evict'),
    maxBytes: bytes('maxmemory') || Infinity,
  };
}

function policyRefusal(policy: string): string {
  return `Redis may evict events that were acknowledged: its maxmemory-policy is "${policy}". Type in redis-cli: CONFIG SET maxmemory-policy noeviction. And put in redis.conf: maxmemory-policy noeviction. Where the provider forbids CONFIG (as managed services do), set maxmemory-policy to noeviction in the provider's parameter group or settings of this Redis`;
}
