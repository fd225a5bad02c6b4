import type { Redis } from 'ioredis';

/** How BullMQ's scripts read the job that they hand to a worker. The version of BullMQ is pinned, and a test fails where this changes. */
const READ_JOB = 'return {rcall("HGETALL", jobKey), jobId';

/**
 * Makes BullMQ fetch jobs without their data where that is larger than `overBytes`: it tells the data's size instead. Costs no command more
 * for any job. Call it before BullMQ has the connection.
 *
 * BullMQ fetches up to its concurrency at once, and cannot know how large a job is before it has it.
 */
export function leaveLargeData(connection: Redis, overBytes: number): void {
  const define = connection.defineCommand.bind(connection);
  connection.defineCommand = (name, definition) =>
    define(name, { ...definition, lua: definition.lua.replaceAll(READ_JOB, readSmallJob(overBytes)) });
}

/** Returns the size of a job's data where the data was left in Redis, in bytes; undefined where it is here. */
export function bytesLeft(data: unknown): number | undefined {
  const left = typeof data === 'object' && data !== null && 'leftBytes' in data ? data.leftBytes : undefined;
  return typeof left === 'number' ? left : undefined;
}

function readSmallJob(overBytes: number): string {
  return `local function readJob(key)
    local bytes = rcall("HSTRLEN", key, "data")
    if bytes <= ${overBytes} then return rcall("HGETALL", key) end
    local job = {}
    for _, field in ipairs(rcall("HKEYS", key)) do
      job[#job + 1] = field
      job[#job + 1] = field == "data" and '{"leftBytes":' .. bytes .. '}' or rcall("HGET", key, field)
    end
    return job
  end
  return {readJob(jobKey), jobId`;
}
