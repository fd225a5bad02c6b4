import type { Redis } from 'ioredis';

// Redis notes when a key expires, not for how long it lives. A clock that is set back by three hours keeps a key of a second for three
// hours.

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
  /** The longest time for which any process holds this key, in ms; `forMs` by default. */
  mostMs?: number;
}

/** Claims a key that no process holds. A key that only a clock has kept is free after `forMs`. Returns whether this process has it. */
export async function claimKey(connection: Redis, { key, value, forMs, mostMs = forMs }: Claim): Promise<boolean> {
  return (await connection.eval(CLAIM, 1, key, value, forMs, mostMs)) === 1;
}

/** Keys that BullMQ keeps for a while, and for how long at most, in ms. */
export interface QueueExpiries {
  /** Leads a job's own keys. */
  jobPrefix: string;
  stalledCheckKey: string;
  stalledCheckMs: number;
  activeKey: string;
  lockMs: number;
}

/** Shortens keys that a clock has kept. Else no worker would search for dead workers, and their jobs would stay locked. */
export async function boundExpiries(connection: Redis, expiries: QueueExpiries): Promise<void> {
  const { stalledCheckKey, activeKey, stalledCheckMs, lockMs, jobPrefix } = expiries;
  await connection.eval(BOUND, 2, stalledCheckKey, activeKey, stalledCheckMs, lockMs, jobPrefix);
}
