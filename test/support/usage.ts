import { readdirSync, readFileSync, writeFileSync } from 'node:fs';

/** How much time and memory a process has used. */
export interface Usage {
  /** User and system time together. */
  cpuSeconds: number;
  /** Resident memory now, in MB (10⁶ bytes). */
  memoryMb: number;
  /** The most resident memory since the process started, or since `resetPeak`, in MB. */
  peakMemoryMb: number;
}

/** How many ticks of /proc/<pid>/stat Linux counts in a second. */
const TICKS_PER_SECOND = 100;
const KB_PER_MB = 1000 / 1.024;

/** Returns the usage of one process. This and the functions below need Linux. */
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
 * Returns the usage of a server and its children together, with the children that have ended. Shared memory counts once,
 * with the size in the process that has most of it.
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
      // The process has ended since it was listed.
    }
  }
  return total;
}

/** Resets `peakMemoryMb` of a process, see proc(5) on clear_refs. Only root may reset that of another user's process. */
export function resetPeak(pid: number): void {
  try {
    writeFileSync(`/proc/${pid}/clear_refs`, '5');
  } catch {
    // The peak remains that since the process started.
  }
}

/** Resets `peakMemoryMb` of a server and its children. */
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

/** Returns the fields of /proc/<pid>/stat after the process's name, see proc(5): they begin behind the last bracket. */
function readStat(pid: number): { parent: number; ticks: number; childTicks: number } {
  const text = readFileSync(`/proc/${pid}/stat`, 'utf8');
  const fields = text
    .slice(text.lastIndexOf(')') + 2)
    .split(' ')
    .map(Number);
  const [utime = 0, stime = 0, cutime = 0, cstime = 0] = fields.slice(11, 15);
  return { parent: fields[1] ?? 0, ticks: utime + stime, childTicks: cutime + cstime };
}
