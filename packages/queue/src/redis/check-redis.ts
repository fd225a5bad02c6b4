import type { Redis } from 'ioredis';
import { memoryOf, type MemoryCheck } from './check-memory.ts';
import { readInfo, unlessForbidden } from './read-info.ts';

/** What a check of Redis found. */
export interface RedisCheck {
  memory: MemoryCheck;
  /** What Redis may lose, and what to set. */
  warnings: string[];
}

const OLDEST_RECOMMENDED = [6, 2];

/**
 * Checks whether this Redis keeps what it acknowledges.
 *
 * Refuses any eviction policy but `noeviction`. Warns when the append-only file is off or not fsynced at every write, and when Redis has
 * no memory limit. INFO shows the policy also where CONFIG is forbidden. A setting that Redis hides is a warning, no refusal.
 *
 * @throws Redis's own error when it does not answer.
 */
export async function checkRedis(connection: Redis): Promise<RedisCheck> {
  const [info, appendfsync] = await Promise.all([readInfo(connection), readConfig(connection, 'appendfsync')]);
  const warnings = [
    policyWarning(info.get('maxmemory_policy')),
    limitWarning(info.get('maxmemory')),
    aofWarning(info.get('aof_enabled'), appendfsync),
    versionWarning(info),
  ];
  return { memory: memoryOf(info), warnings: warnings.filter((warning) => warning !== undefined) };
}

function policyWarning(policy: string | undefined): string | undefined {
  if (policy !== undefined) return undefined;
  return 'Nothing is known of this Redis: it forbids INFO, so nobody notices when it evicts events that were acknowledged, or is full. Allow INFO to the user of REDIS_URL. Until then, make sure in its settings (of a managed Redis, in the provider\'s parameter group) that maxmemory-policy is "noeviction".';
}

function limitWarning(maxmemory: string | undefined): string | undefined {
  if (maxmemory !== '0') return undefined;
  return 'Redis has no memory limit (maxmemory is 0): while events wait it grows until the system kills it, or another process of its machine. Type in redis-cli: CONFIG SET maxmemory <bytes>, about 40 % of the memory of its machine. And put the same in redis.conf: maxmemory <bytes>';
}

function aofWarning(aofEnabled: string | undefined, appendfsync: string | undefined): string | undefined {
  if (aofEnabled === '0') {
    return 'Redis keeps events in memory only (appendonly is off): if it dies, acknowledged events are lost. Type in redis-cli: CONFIG SET appendonly yes, then CONFIG SET appendfsync always. And put in redis.conf: appendonly yes, and on a line of its own: appendfsync always';
  }
  if (appendfsync === undefined) {
    return 'Redis does not let us read its configuration (CONFIG is forbidden, as on many managed services). Make sure that appendonly is "yes" and appendfsync is "always" (in the provider\'s parameter group), or a power cut loses the last acknowledged events.';
  }
  if (appendfsync !== 'always') {
    return `Redis writes its append-only file with appendfsync "${appendfsync}": a crash or a power cut loses the last acknowledged events. Type in redis-cli: CONFIG SET appendfsync always. And put in redis.conf: appendfsync always`;
  }
  return undefined;
}

function versionWarning(info: Map<string, string>): string | undefined {
  const version = info.get('redis_version') ?? '';
  const [major = 0, minor = 0] = version.split('.').map(Number);
  const [wantMajor = 0, wantMinor = 0] = OLDEST_RECOMMENDED;
  if (version === '' || major > wantMajor || (major === wantMajor && minor >= wantMinor)) return undefined;
  return `Redis ${version} is old: use ${OLDEST_RECOMMENDED.join('.')} or newer.`;
}

async function readConfig(connection: Redis, name: string): Promise<string | undefined> {
  const reply = await unlessForbidden(connection.config('GET', name));
  const value: unknown = Array.isArray(reply) ? reply[1] : undefined;
  return typeof value === 'string' ? value : undefined;
}
