import { readFileSync } from 'node:fs';
import { report } from 'node:process';

/** Bounds of the descriptors for Redis, the journal, the mover, the health port and the log, which get a quarter of all. */
const KEPT = { least: 64, most: 512 };

/** How many bodies may be on their way into the spool at once, at most: each holds some memory and an open file. */
const MAX_LARGE = 512;

/** Returns how many bodies may be on their way into the spool at once: half the connections may bring one. */
export function largeBodyLimit(connections: number): number {
  return Math.min(MAX_LARGE, Math.ceil(connections / 2));
}

/** How many connections a process may hold, and why fewer than wanted. */
export interface ConnectionLimit {
  connections: number;
  /** How many files the system lets the process open, where that limits the connections; else undefined. */
  descriptors: number | undefined;
}

/**
 * Limits the connections by the number of files that the process may open.
 *
 * @param wanted       How many connections the configuration asks for.
 * @param descriptors  How many files the process may open; undefined where that is unknown.
 */
export function connectionLimit(wanted: number, descriptors: number | undefined = openFilesLimit()): ConnectionLimit {
  if (descriptors === undefined) return { connections: wanted, descriptors: undefined };
  const kept = Math.min(KEPT.most, Math.max(KEPT.least, Math.floor(descriptors / 4)));
  const possible = Math.max(1, withFiles(descriptors - kept));
  return possible < wanted ? { connections: possible, descriptors } : { connections: wanted, descriptors: undefined };
}

/** Returns how many connections have descriptors, beside the files of the large bodies that they may bring. */
function withFiles(descriptors: number): number {
  return descriptors > 3 * MAX_LARGE ? descriptors - MAX_LARGE : Math.floor((descriptors * 2) / 3);
}

/** Returns how many files this process may open; undefined where the number is unlimited or unknown. */
export function openFilesLimit(): number | undefined {
  const limit = readProc() ?? readReport();
  return Number.isSafeInteger(limit) && limit !== undefined && limit > 0 ? limit : undefined;
}

function readProc(): number | undefined {
  try {
    const [, soft] = /^Max open files\s+(\d+)/m.exec(readFileSync('/proc/self/limits', 'utf8')) ?? [];
    return soft === undefined ? undefined : Number(soft);
  } catch {
    return undefined; // not on Linux
  }
}

function readReport(): number | undefined {
  const limits: unknown = Reflect.get(report?.getReport() ?? {}, 'userLimits');
  const files: unknown = typeof limits === 'object' && limits !== null ? Reflect.get(limits, 'open_files') : undefined;
  return typeof files === 'object' && files !== null ? Number(Reflect.get(files, 'soft')) : undefined;
}
