import type { Redis } from 'ioredis';
import { fieldsOf, type Counts } from './activity-counts.ts';
import { activityKeys, MINUTE_KEPT_MS, SAMPLE_KEPT_MS, SLOT_KEPT_MS } from './activity-keys.ts';
import type { CountBatch } from './pending-counts.ts';

/**
 * Takes a batch and a sample, all at once. A batch that Redis has taken already changes nothing: so a process may repeat one whose answer
 * was lost. The number is written first, so that a script that fails midway is not repeated over what it did.
 *
 * KEYS: the number of the last batch, the samples, and the hashes. ARGV: the number of this batch, for how long it is kept, the process, its sample
 * or nothing, for how long samples are kept; and for each hash: how long it is kept, the number of fields, the fields with their increments.
 */
const TAKE = `
local number, numberKept, process, sample, sampleKept = ARGV[1], ARGV[2], ARGV[3], ARGV[4], tonumber(ARGV[5])
if sample ~= '' then
  local time = redis.call('TIME')
  local now = time[1] * 1000 + math.floor(time[2] / 1000)
  local samples = redis.call('HGETALL', KEYS[2])
  for i = 1, #samples, 2 do
    local at = tonumber(string.match(samples[i + 1], '^%d+'))
    if not at or math.abs(now - at) > sampleKept then redis.call('HDEL', KEYS[2], samples[i]) end
  end
  redis.call('HSET', KEYS[2], process, string.format('%.0f ', now) .. sample)
  redis.call('PEXPIRE', KEYS[2], sampleKept)
end
if number == '' or redis.call('GET', KEYS[1]) == number then return end
redis.call('SET', KEYS[1], number, 'PX', numberKept)
local at = 6
for i = 3, #KEYS do
  local kept, fields = ARGV[at], tonumber(ARGV[at + 1])
  at = at + 2
  for _ = 1, fields do
    redis.call('HINCRBY', KEYS[i], ARGV[at], ARGV[at + 1])
    at = at + 2
  end
  redis.call('PEXPIRE', KEYS[i], kept)
end`;

/** What a process gives to Redis. */
export interface Taken {
  /** Names this run of the process. */
  run: string;
  /** Undefined: nothing was counted. The number is another for each batch of the process. */
  batch?: (CountBatch & { number: number }) | undefined;
  /** How the process is, as text; undefined: no sample is due. */
  sample?: string | undefined;
  /** In unix ms. */
  now: number;
}

/** Gives a batch and a sample to Redis, with one command. Rejects as the connection does; then Redis may have taken them. */
export async function takeBatch(
  connection: Redis,
  prefix: string,
  { run, batch, sample = '', now }: Taken,
): Promise<void> {
  const { minute, slot, taken, processes } = activityKeys;
  const hashes = [
    ...(batch?.minutes ?? []).map((each) => hashOf(each, { key: minute, keptMs: MINUTE_KEPT_MS, prefix, now })),
    ...(batch?.slots ?? []).map((each) => hashOf(each, { key: slot, keptMs: SLOT_KEPT_MS, prefix, now })),
  ].filter(({ keptMs }) => keptMs > 0);
  const keys = [taken(prefix, run), processes(prefix), ...hashes.map(({ key }) => key)];
  const number = batch === undefined ? '' : String(batch.number);
  const increments = hashes.flatMap(({ keptMs, fields }) => [keptMs, fields.length, ...fields.flat()]);
  await connection.eval(TAKE, keys.length, ...keys, number, MINUTE_KEPT_MS, run, sample, SAMPLE_KEPT_MS, ...increments);
}

interface HashOptions {
  key: (prefix: string, at: number) => string;
  keptMs: number;
  prefix: string;
  now: number;
}

/** A minute that comes late goes when it would have gone in time. */
function hashOf([at, counts]: readonly [number, Counts], { key, keptMs, prefix, now }: HashOptions) {
  return {
    key: key(prefix, at),
    keptMs: Math.min(keptMs, Math.ceil(at + keptMs - now)),
    fields: fieldsOf(counts),
  };
}
