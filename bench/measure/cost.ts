import { resetPeak, resetPeaksOfTree, usageOf, usageOfTree, type Usage } from '../../test/support/usage.ts';
import { withRedis } from '../../test/support/with-redis.ts';
import type { BenchContext } from '../bench-context.ts';
import type { LoadResult } from '../load/load.ts';
import type { RunningProgram } from '../processes.ts';
import type { Measured, Results } from '../results.ts';

/** The processes of a contender by role: receiver, worker. */
export type Programs = ReadonlyMap<string, RunningProgram>;

/** Reads all counters again, and adds the cost of an event of `load` to the results. */
export type AddCost = (
  results: Results,
  name: Pick<Measured, 'contender' | 'variant'>,
  load: LoadResult,
) => Promise<void>;

/** Reads all counters before a load, and resets the peaks of memory: the servers have served other contenders before. */
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
    // The file is smaller when Redis has rewritten it meanwhile. Then this round gives no figure.
    if (appended >= redisBefore.appended)
      add('Redis append-only file', 'bytes/event', (appended - redisBefore.appended) / events);
  };
}

/**
 * Reads the counters of Redis. `commands` counts the commands of clients. INFO counts the commands of scripts as well, so only the commands
 * of `FROM_CLIENTS` count here.
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

/** Reads a number out of the answer to INFO. */
function readNumber(text: string, name: string): number {
  return Number(new RegExp(`^${name}:(\\d+)`, 'm').exec(text)?.[1] ?? 0);
}

/** The commands that the clients of BullMQ and Landline send. All other commands run inside a script. */
const FROM_CLIENTS: ReadonlySet<string> = new Set(['evalsha', 'eval', 'bzpopmin', 'ping', 'client|setname', 'info']);
