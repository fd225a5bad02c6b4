import { spawn } from 'node:child_process';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { setTimeout as wait } from 'node:timers/promises';
import { WORKER_NODE_OPTIONS } from '../apps/cli/src/start/apps.ts';
import type { Program } from './contender.ts';

/** What a process has used. */
export interface Usage {
  /** User and system time together. */
  cpuSeconds: number;
  /** Resident memory now, in MB (10⁶ bytes). */
  memoryMb: number;
  /** The most it was since its start, or since `resetPeak`. */
  peakMemoryMb: number;
}

/** A process of a contender. */
export interface RunningProgram {
  pid: number;
  /** @throws When it has ended. */
  usage: () => Usage;
  /** SIGTERM, and SIGKILL when that does not help. @throws When it had ended by itself. */
  stop: () => Promise<void>;
}

const START_LIMIT_MS = 30_000;
const STOP_LIMIT_MS = 15_000;
const ASK_MS = 25;
/** How long an answer may take that is asked for again and again, in milliseconds. */
const ASK_LIMIT_MS = 1000;
/** How much of what a process said last is kept, in characters. */
const OUTPUT_LIMIT = 4000;

/** Starts a worker, a contender's or the limit's: all with the options of Node's own that Landline ships its with. */
export function startWorker(program: Program): Promise<RunningProgram> {
  return startProgram({ ...program, nodeOptions: WORKER_NODE_OPTIONS });
}

/** Starts a program; with `readyUrl`, waits until that answers 200. It ends with this process, however that ends. */
export async function startProgram(
  program: Program,
  { readyUrl }: { readyUrl?: string } = {},
): Promise<RunningProgram> {
  const { PATH = '' } = process.env;
  // The channel is how the apps learn that whoever started them is gone.
  const child = spawn(process.execPath, [...(program.nodeOptions ?? []), program.script], {
    env: { PATH, ...program.env },
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
  });
  const { pid = 0 } = child;
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream?.setEncoding('utf8').on('data', (text: string) => (output = (output + text).slice(-OUTPUT_LIMIT)));
  }
  const ended = new Promise<void>((resolve) => child.once('close', () => resolve()));
  const killWithUs = () => void child.kill('SIGKILL');
  process.once('exit', killWithUs);
  const hasEnded = () => child.exitCode !== null || child.signalCode !== null;
  const failWhenEnded = () => {
    if (hasEnded())
      throw new Error(`${program.script} ended by itself (${child.exitCode ?? child.signalCode}):\n${output}`);
  };

  async function untilReady(url: string): Promise<void> {
    const deadline = performance.now() + START_LIMIT_MS;
    for (;;) {
      failWhenEnded();
      if (await isReady(url)) return;
      if (performance.now() > deadline) throw new Error(`${program.script} is not ready:\n${output}`);
      await wait(ASK_MS);
    }
  }

  /** As a balancer does: who is asked whether it is ready stays until it has said that it is not. No answer is one, too. */
  async function untilNotReady(url: string): Promise<void> {
    while (!hasEnded() && (await isReady(url))) await wait(ASK_MS);
  }

  async function stop(): Promise<void> {
    process.off('exit', killWithUs);
    failWhenEnded();
    child.kill('SIGTERM');
    const timer = setTimeout(() => child.kill('SIGKILL'), STOP_LIMIT_MS);
    if (readyUrl !== undefined) await untilNotReady(readyUrl);
    await ended;
    clearTimeout(timer);
  }

  try {
    if (readyUrl !== undefined) await untilReady(readyUrl);
  } catch (error) {
    child.kill('SIGKILL');
    throw error;
  }
  return {
    pid,
    usage() {
      failWhenEnded();
      return usageOf(pid);
    },
    stop,
  };
}

async function isReady(url: string): Promise<boolean> {
  try {
    const answer = await fetch(url, { signal: AbortSignal.timeout(ASK_LIMIT_MS) });
    await answer.arrayBuffer();
    return answer.status === 200;
  } catch {
    return false;
  }
}

/** Of Linux: ticks of /proc/<pid>/stat in a second. */
const TICKS_PER_SECOND = 100;
const KB_PER_MB = 1000 / 1.024;

/** What one process has used; of Linux, as all of this. */
export function usageOf(pid: number): Usage {
  const { ticks } = readStat(pid);
  const status = readFileSync(`/proc/${pid}/status`, 'utf8');
  const kb = (name: string) => Number(new RegExp(`^${name}:\\s+(\\d+) kB`, 'm').exec(status)?.[1] ?? 0);
  return {
    cpuSeconds: ticks / TICKS_PER_SECOND,
    memoryMb: kb('VmRSS') / KB_PER_MB,
    peakMemoryMb: kb('VmHWM') / KB_PER_MB,
  };
}

/**
 * What a server and its children have used together, with the children that have ended. Memory that they share counts once:
 * it is what the largest of them has.
 */
export function usageOfTree(pid: number): Usage {
  const total = { ...usageOf(pid), cpuSeconds: (readStat(pid).ticks + readStat(pid).childTicks) / TICKS_PER_SECOND };
  for (const child of childrenOf(pid)) {
    try {
      const usage = usageOf(child);
      total.cpuSeconds += usage.cpuSeconds;
      total.memoryMb = Math.max(total.memoryMb, usage.memoryMb);
      total.peakMemoryMb = Math.max(total.peakMemoryMb, usage.peakMemoryMb);
    } catch {
      // It has ended since it was listed.
    }
  }
  return total;
}

/** From now on `peakMemoryMb` is of what comes, see proc(5) on clear_refs; of somebody else's process only root may. */
export function resetPeak(pid: number): void {
  try {
    writeFileSync(`/proc/${pid}/clear_refs`, '5');
  } catch {
    // It stays what it was since the start.
  }
}

/** The same of a server and its children. */
export function resetPeaksOfTree(pid: number): void {
  for (const each of [pid, ...childrenOf(pid)]) resetPeak(each);
}

function childrenOf(pid: number): number[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
    .filter((child) => {
      try {
        return readStat(child).parent === pid;
      } catch {
        return false;
      }
    });
}

/** The fields of /proc/<pid>/stat that matter, see proc(5): the name before them may hold anything but the last bracket. */
function readStat(pid: number): { parent: number; ticks: number; childTicks: number } {
  const text = readFileSync(`/proc/${pid}/stat`, 'utf8');
  const fields = text
    .slice(text.lastIndexOf(')') + 2)
    .split(' ')
    .map(Number);
  const [utime = 0, stime = 0, cutime = 0, cstime = 0] = fields.slice(11, 15);
  return { parent: fields[1] ?? 0, ticks: utime + stime, childTicks: cutime + cstime };
}
