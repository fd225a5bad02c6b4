import type { Redis } from 'ioredis';
import { readInfo } from './read-info.ts';

/** What a look at Redis's memory told. */
export interface MemoryCheck {
  /** Why it must not be used: it throws events away when its memory is full. */
  refused?: string;
  /** What Redis holds against its limit. */
  usedBytes: number;
  /** Its `maxmemory`; Infinity where there is none, or Redis does not say. */
  maxBytes: number;
}

/**
 * Looks at the memory of Redis and at what it does when that is full; cheap enough for once a second.
 *
 * @returns Undefined where an access list forbids INFO.
 * @throws  Redis's own error when it does not answer.
 */
export async function checkMemory(connection: Redis): Promise<MemoryCheck | undefined> {
  const info = await readInfo(connection, 'memory');
  return info.size === 0 ? undefined : memoryOf(info);
}

/** Reads the same from fields of INFO. Refuses any eviction policy but `noeviction`. */
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
