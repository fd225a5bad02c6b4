import { totalmem } from 'node:os';
import { askRedis } from './ask-redis.ts';

/**
 * Share of the machine's memory that a private Redis may use. While Redis rewrites its append-only file it may need as much again,
 * and the apps and Postgres run on the same machine: a larger share could exhaust the memory.
 */
const MEMORY_SHARE = 0.4;

/** When the data that Redis loads fills this share of its limit, the limit is raised. The receiver stops writing at 90 %. */
const FULL_SHARE = 0.75;

/** The raised limit, as a multiple of the memory that Redis uses. */
const ROOM_SHARE = 1.5;

/**
 * Computes how much memory a private Redis may use.
 *
 * @returns Bytes: a share of the machine's memory, or of the limit of this process's control group where that limit is lower.
 */
export function redisMemoryBytes(): number {
  // Node answers 0, or more than the machine has, where the control group sets no limit.
  const own = process.constrainedMemory() || Infinity;
  return Math.floor(Math.min(totalmem(), own) * MEMORY_SHARE);
}

/**
 * Raises the memory limit of a Redis whose data nearly fills or exceeds the limit. Otherwise Redis would refuse the worker's own
 * writes, and would stay full.
 *
 * @param url  `redis://:<password>@<host>:<port>`.
 * @throws     When Redis cannot be reached, or refuses a command.
 */
export async function makeRoom(url: string): Promise<void> {
  const info = await ask(url, 'INFO memory');
  const bytes = (name: string): number => {
    const field = info.find((line) => line.startsWith(`${name}:`))?.slice(name.length + 1);
    // A limit of 0 would be none at all.
    if (field === undefined || !/^\d+$/.test(field)) throw new Error(`Redis does not say its ${name}.`);
    return Number(field);
  };
  if (bytes('used_memory') < bytes('maxmemory') * FULL_SHARE) return;
  await ask(url, `CONFIG SET maxmemory ${Math.ceil(bytes('used_memory') * ROOM_SHARE)}`);
}

async function ask(url: string, command: string): Promise<string[]> {
  const answers = await askRedis(url, [command]);
  const refusal = answers.find((line) => line.startsWith('-'));
  if (refusal !== undefined) throw new Error(`Redis refuses ${command}: ${refusal}`);
  return answers;
}
