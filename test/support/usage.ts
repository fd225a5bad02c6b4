import { readdirSync, readFileSync, writeFileSync } from 'node:fs';

/** What a process has used. */
export interface Usage {
  /** User and system time together. */
  cpuSeconds: number;
  /** Resident memory now, in MB (10⁶ bytes). */
  memoryMb: number;
  /** The most it was since its start, or since `resetPeak`. */
  peakMemoryMb: number;
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
