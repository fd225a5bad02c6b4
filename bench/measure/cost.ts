import type { BenchContext } from '../bench-context.ts';
import type { Contender } from '../contender.ts';
import type { LoadResult } from '../load/load.ts';
import { resetPeak, resetPeaksOfTree, usageOf, usageOfTree, type RunningProgram, type Usage } from '../processes.ts';
import type { Results } from '../results.ts';
import { withRedis } from '../services.ts';

/** What everything has used up to now. */
export interface Account {
  usages: Map<string, Usage>;
  redis: { commands: number; bytes: number; appended: number };
}

/** Whose usage is looked at. */
export interface Accounted {
  receivers: readonly RunningProgram[];
  workers: readonly RunningProgram[];
}

/** Counts the peaks of memory from now on; the servers have served others before. */
export function resetPeaks({ services }: BenchContext, { receivers, workers }: Accounted): void {
  for (const { pid } of [...receivers, ...workers, services.redis]) resetPeak(pid);
  resetPeaksOfTree(services.postgres.pid);
}

/** Reads all meters. */
export async function readAccount({ services }: BenchContext, { receivers, workers }: Accounted): Promise<Account> {
  const usages = new Map<string, Usage>();
  if (receivers[0]) usages.set('receiver', receivers[0].usage());
  if (workers[0]) usages.set('worker', workers[0].usage());
  usages.set('redis', usageOf(services.redis.pid));
  usages.set('postgres', usageOfTree(services.postgres.pid));
  return { usages, redis: await readRedis(services.redis.url) };
}

/**
 * What Redis counts. Commands are those that clients sent: INFO counts the ones that a script calls as well, so those
 * under `evalsha` and the like are left out by counting calls of what clients of a queue send.
 */
async function readRedis(url: string): Promise<Account['redis']> {
  return withRedis(url, async (connection) => {
    const [stats, commands, persistence] = [
      await connection.info('stats'),
      await connection.info('commandstats'),
      await connection.info('persistence'),
    ];
    const sent = [...commands.matchAll(/^cmdstat_(\S+):calls=(\d+)/gm)]
      .filter(([, name = '']) => FROM_CLIENTS.has(name))
      .reduce((sum, [, , calls]) => sum + Number(calls), 0);
    return {
      commands: sent,
      bytes: readNumber(stats, 'total_net_input_bytes') + readNumber(stats, 'total_net_output_bytes'),
      appended: readNumber(persistence, 'aof_current_size'),
    };
  });
}

/** One number of what INFO answers. */
function readNumber(text: string, name: string): number {
  return Number(new RegExp(`^${name}:(\\d+)`, 'm').exec(text)?.[1] ?? 0);
}

/** What BullMQ's and the product's clients send by themselves; everything else runs inside a script. */
const FROM_CLIENTS: ReadonlySet<string> = new Set(['evalsha', 'eval', 'bzpopmin', 'ping', 'client|setname', 'info']);

/** What was used between two readings. */
export interface Used {
  before: Account;
  after: Account;
  load: LoadResult;
}

/** Adds what an event cost to the results. */
export function addCost(results: Results, contender: Contender, variant: string, { before, after, load }: Used): void {
  const events = load.accepted.ids.length;
  const add = (metric: string, unit: string, value: number): void =>
    results.add({ measure: 'cost', variant, contender: contender.name, metric, unit }, value);
  for (const [name, usage] of after.usages) {
    const used = usage.cpuSeconds - (before.usages.get(name)?.cpuSeconds ?? 0);
    add(`CPU of ${name}`, 'CPU s/1,000 events', (used * 1000) / events);
    add(`peak memory of ${name}`, 'MB', usage.peakMemoryMb);
  }
  add('CPU of the load generator', 'CPU s/1,000 events', (load.cpuSeconds * 1000) / events);
  add('Redis commands', 'commands/event', (after.redis.commands - before.redis.commands) / events);
  add('Redis traffic', 'bytes/event', (after.redis.bytes - before.redis.bytes) / events);
  // Negative when Redis has rewritten its file meanwhile: then this round says nothing.
  const appended = after.redis.appended - before.redis.appended;
  if (appended >= 0) add('Redis append-only file', 'bytes/event', appended / events);
}
