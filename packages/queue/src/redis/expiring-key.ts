import type { Redis } from 'ioredis';

// Redis notes at which time a key goes, not how long it stays: set back by three hours, its clock keeps a key of a second for three hours.

const CLAIM = `
if redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2], 'NX') then return 1 end
if redis.call('PTTL', KEYS[1]) > tonumber(ARGV[3]) then redis.call('PEXPIRE', KEYS[1], ARGV[2]) end
return 0`;

const BOUND = `
local function bound(key, most)
  if redis.call('PTTL', key) > most then redis.call('PEXPIRE', key, most) end
end
bound(KEYS[1], tonumber(ARGV[1]))
for _, id in ipairs(redis.call('LRANGE', KEYS[2], 0, 1023)) do bound(ARGV[3] .. id .. ':lock', tonumber(ARGV[2])) end`;

/** A key that one process of many holds for a while. */
export interface Claim {
  key: string;
  value: string;
  /** For how long it is held, in ms. */
  forMs: number;
  /** Longer than this nobody can mean to hold it, in ms; `forMs` unless told otherwise. */
  mostMs?: number;
}

/** Claims a key where nobody holds it. One that was to be free by now, but for a clock, is free after `forMs`. */
export async function claimKey(connection: Redis, { key, value, forMs, mostMs = forMs }: Claim): Promise<boolean> {
  return (await connection.eval(CLAIM, 1, key, value, forMs, mostMs)) === 1;
}

/** What BullMQ keeps of a queue for a while, and for how long at most, in ms. */
export interface QueueExpiries {
  /** Leads a job's own keys. */
  jobPrefix: string;
  stalledCheckKey: string;
  stalledCheckMs: number;
  activeKey: string;
  lockMs: number;
}

/** Shortens what a clock has made too long: no look for dead workers would be made, and their jobs would stay locked. */
export async function boundExpiries(connection: Redis, expiries: QueueExpiries): Promise<void> {
  const { stalledCheckKey, activeKey, stalledCheckMs, lockMs, jobPrefix } = expiries;
  await connection.eval(BOUND, 2, stalledCheckKey, activeKey, stalledCheckMs, lockMs, jobPrefix);
}
