import { totalmem } from 'node:os';
import { askRedis } from './ask-redis.ts';

/** Redis's share of the machine's memory: a rewrite of its file may need as much again for a while, and others live here too. */
const MEMORY_SHARE = 0.4;

/** Share of its limit from which on data that was there already gets more room: at 90 % the receiver writes no more. */
const FULL_SHARE = 0.75;

/** How much room such data gets, of its own size. */
const ROOM_SHARE = 1.5;

/** How much memory a private Redis may use, in bytes: a share of the machine's, or of this process's control group where that is less. */
export function redisMemoryBytes(): number {
  // 0 or more than there is: no limit.
  const own = process.constrainedMemory() || Infinity;
  return Math.floor(Math.min(totalmem(), own) * MEMORY_SHARE);
}

/**
 * Gives a Redis more room whose data nearly fills the limit that it was started with, or more than that: it would refuse the worker's own
 * writes, and stay full.
 */
export async function makeRoom(url: string): Promise<void> {
  const info = await ask(url, 'INFO memory');
  const bytes = (name: string) => Number(info.find((line) => line.startsWith(`${name}:`))?.slice(name.length + 1) ?? 0);
  if (bytes('used_memory') < bytes('maxmemory') * FULL_SHARE) return;
  await ask(url, `CONFIG SET maxmemory ${Math.ceil(bytes('used_memory') * ROOM_SHARE)}`);
}

async function ask(url: string, command: string): Promise<string[]> {
  const answers = await askRedis(url, [command]);
  const refusal = answers.find((line) => line.startsWith('-'));
  if (refusal !== undefined) throw new Error(`Redis refuses ${command}: ${refusal}`);
  return answers;
}
