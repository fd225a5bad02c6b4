import { resetPeak, resetPeaksOfTree, usageOf, usageOfTree, type Usage } from '../../test/support/usage.ts';
import { withRedis } from '../../test/support/with-redis.ts';
import type { BenchContext } from '../bench-context.ts';
import type { LoadResult } from '../load/load.ts';
import type { RunningProgram } from '../processes.ts';
import type { Measured, Results } from '../results.ts';

/** A contender's processes by what they are: receiver, worker. */
export type Programs = ReadonlyMap<string, RunningProgram>;

/** Reads all meters again and adds what an event of `load` cost. */
export type AddCost = (
  results: Results,
  name: Pick<Measured, 'contender' | 'variant'>,
  load: LoadResult,
) => Promise<void>;

/** Reads all meters, before a load. Peaks of memory count from now on: the servers have served others before. */
export async function startMeters({ services }: BenchContext, programs: Programs): Promise<AddCost> {
  const { redis, postgres } = services;
  for (const { pid } of [...programs.values(), redis]) resetPeak(pid);
  resetPeaksOfTree(postgres.pid);
  const usages = (): [string, Usage][] => [
    ...[...programs].map(([name, program]): [string, Usage] => [name, program.usage()]),
    ['redis', usageOf(redis.pid)],
    ['postgres', usageOfTree(postgres.pid)],
  ];
  const [usedBefore, redisBefore] = [new Map(usages()), await readRedis(redis.url)];
  return async (results, name, load) => {
    const events = load.accepted.ids.length;
    const add = (metric: string, unit: string, value: number): void =>
      results.add({ measure: 'cost', ...name, metric, unit }, value);
    for (const [program, { cpuSeconds, peakMemoryMb }] of usages()) {
      const used = cpuSeconds - (usedBefore.get(program)?.cpuSeconds ?? 0);
      add(`CPU of ${program}`, 'CPU s/1,000 events', (used * 1000) / events);
      add(`peak memory of ${program}`, 'MB', peakMemoryMb);
    }
    add('CPU of the load generator', 'CPU s/1,000 events', (load.cpuSeconds * 1000) / events);
    const { commands, bytes, appended } = await readRedis(redis.url);
    add('Redis commands', 'commands/event', (commands - redisBefore.commands) / events);
    add('Redis traffic', 'bytes/event', (bytes - redisBefore.bytes) / events);
    // Smaller when Redis has rewritten its file meanwhile: then this round says nothing.
    if (appended >= redisBefore.appended)
      add('Redis append-only file', 'bytes/event', (appended - redisBefore.appended) / events);
  };
}

/**
 * What Redis counts. Commands are those that clients sent: INFO counts the ones that a script calls as well, so those
 * under `evalsha` and the like are left out by counting calls of what clients of a queue send.
 */
async function readRedis(url: string): Promise<{ commands: number; bytes: number; appended: number }> {
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
