import { execFile } from 'node:child_process';
import { chown, mkdir, readFile } from 'node:fs/promises';
import { promisify } from 'node:util';

const run = promisify(execFile);

/** A small file system in memory that can be made full. */
export interface SmallDisk {
  path: string;
  /** Leaves no room beyond what is used, or the share of the whole that is named. */
  fill: (free?: number) => Promise<void>;
  /** Gives the room back. */
  empty: () => Promise<void>;
  remove: () => Promise<void>;
}

const SIZE_MB = 1024;

/**
 * Mounts a small disk that belongs to `owner`.
 *
 * @returns The disk, or why there is none: it takes root, and a machine that lets root mount.
 */
export async function mountSmallDisk(
  path: string,
  owner: { uid: number; gid: number },
): Promise<SmallDisk | { reason: string }> {
  const resize = async (size: string) => void (await run('mount', ['-o', `remount,size=${size}`, path]));
  try {
    await mkdir(path, { recursive: true });
    await run('mount', ['-t', 'tmpfs', '-o', `size=${SIZE_MB}m,mode=700`, 'tmpfs', path]);
  } catch (error) {
    return { reason: `no file system can be mounted here (${lastLine(error)})` };
  }
  await chown(path, owner.uid, owner.gid);
  return {
    path,
    async fill(free = 0) {
      const { stdout } = await run('df', ['--output=used', '--block-size=1K', path]);
      await resize(`${Math.ceil(Number(stdout.trim().split('\n').at(-1)) / (1 - free)) + 4}k`);
    },
    empty: () => resize(`${SIZE_MB}m`),
    remove: () => unmount(path),
  };
}

/** Unmounts what a run that was killed may have left; does nothing where nothing is mounted. */
export async function unmount(path: string): Promise<void> {
  await run('umount', [path]).catch(() => undefined);
}

/** Makes a folder with all in it read-only, whoever writes, also through files that are open; or gives it back. */
export async function setReadOnly(path: string, isReadOnly: boolean): Promise<void> {
  const mark = async (type: 'f' | 'd') => {
    const chattr = ['chattr', isReadOnly ? '+i' : '-i', '{}', '+'];
    await run('find', [path, '-ignore_readdir_race', '-type', type, '-exec', ...chattr]).catch(unlessGone);
  };
  // Nothing comes or goes in folders that are read-only: they are so before their files, and until these are given back.
  for (const type of isReadOnly ? (['d', 'f'] as const) : (['f', 'd'] as const)) {
    // oxlint-disable-next-line no-await-in-loop -- in this order
    await mark(type);
  }
}

/** What is removed before its turn comes needs no mark. */
function unlessGone(error: unknown): void {
  if (
    !saidBy(error)
      .split('\n')
      .every((line) => line.startsWith('chattr: No such file'))
  )
    throw error;
}

/** Bounds the size of any file that a process writes, as a full disk would; undefined: no bound. */
export async function boundFiles(pid: number, bytes: number | undefined): Promise<void> {
  await run('prlimit', [`--pid=${pid}`, `--fsize=${bytes ?? 'unlimited'}:`]);
}

/** Lets a process open no more descriptors than it has, or again as many as it may. */
export async function boundDescriptors(pid: number, isBound: boolean): Promise<void> {
  const limits = await readFile(`/proc/${pid}/limits`, 'utf8');
  const [, most = ''] = /^Max open files +\S+ +(\S+)/m.exec(limits) ?? [];
  await run('prlimit', [`--pid=${pid}`, `--nofile=${isBound ? 1 : most}:`]);
}

/** What a failed command said last. */
export function lastLine(error: unknown): string {
  return saidBy(error).split('\n').at(-1) ?? '';
}

function saidBy(error: unknown): string {
  const said = error instanceof Error && 'stderr' in error ? String(error.stderr).trim() : '';
  return said === '' ? String(error) : said;
}
