import { readFileSync } from 'node:fs';
import { report } from 'node:process';

/** Descriptors that are kept for Redis, the journal, the health port and the log: a quarter of all, within these bounds. */
const KEPT = { least: 64, most: 512 };

/** How many connections a process may hold. */
export interface ConnectionLimit {
  connections: number;
  /** Where the system allows fewer than were asked for: how many files it lets the process open. */
  descriptors: number | undefined;
}

/**
 * Bounds the connections by the files that the process may open.
 *
 * @param wanted       How many connections are asked for.
 * @param descriptors  How many files the process may open; undefined where nobody knows.
 */
export function connectionLimit(wanted: number, descriptors: number | undefined = openFilesLimit()): ConnectionLimit {
  if (descriptors === undefined) return { connections: wanted, descriptors: undefined };
  const kept = Math.min(KEPT.most, Math.max(KEPT.least, Math.floor(descriptors / 4)));
  const possible = Math.max(1, descriptors - kept);
  return possible < wanted ? { connections: possible, descriptors } : { connections: wanted, descriptors: undefined };
}

/** How many files this process may open; undefined where it is not bounded or cannot be found out. */
export function openFilesLimit(): number | undefined {
  const limit = readProc() ?? readReport();
  return Number.isSafeInteger(limit) && limit !== undefined && limit > 0 ? limit : undefined;
}

function readProc(): number | undefined {
  try {
    const [, soft] = /^Max open files\s+(\d+)/m.exec(readFileSync('/proc/self/limits', 'utf8')) ?? [];
    return soft === undefined ? undefined : Number(soft);
  } catch {
    return undefined; // no Linux
  }
}

function readReport(): number | undefined {
  const limits: unknown = Reflect.get(report?.getReport() ?? {}, 'userLimits');
  const files: unknown = typeof limits === 'object' && limits !== null ? Reflect.get(limits, 'open_files') : undefined;
  return typeof files === 'object' && files !== null ? Number(Reflect.get(files, 'soft')) : undefined;
}
