import { readdir, readFile, rm, stat, truncate } from 'node:fs/promises';
import { join } from 'node:path';

export interface CutOptions {
  /** What shim.c noted of the process that wrote them. */
  syncLog: string;
  /** Whether a file or folder goes whose own folder was not synced since it was made. */
  losesNames: boolean;
  /** Names of files that the system had written by itself, as it may at any time: they stay as they are. */
  written?: RegExp;
}

/**
 * Leaves of the files under `folder` what a power cut might leave at worst: each as long as it was when it was last synced, and
 * empty where it never was. The process that wrote them is dead.
 *
 * Not simulated: blocks that the disk wrote in another order than it was told, and a rename or a removal that is undone.
 */
export async function cutPower(folder: string, { syncLog, losesNames, written }: CutOptions): Promise<void> {
  const lengths = new Map<number, number>();
  const named = new Set<number>();
  const log = await readFile(syncLog, 'utf8').catch(() => '');
  // What stands behind the last line's end is a line that was cut off itself.
  for (const line of log.split('\n').slice(0, -1)) {
    const [kind, inode, bytes] = line.split(' ');
    if (kind === 'name') named.add(Number(inode));
    else lengths.set(Number(inode), Number(bytes));
  }
  const isLost = (ino: number) => losesNames && !named.has(ino);
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  for (const entry of entries.filter((each) => each.isFile() || each.isDirectory())) {
    const path = join(entry.parentPath, entry.name);
    // oxlint-disable-next-line no-await-in-loop -- a few files
    const found = await stat(path).catch(() => undefined);
    // Its folder went before it.
    if (found === undefined || written?.test(entry.name) === true) continue;
    const { ino, size } = found;
    if (entry.isDirectory()) {
      // oxlint-disable-next-line no-await-in-loop -- a few folders
      if (isLost(ino)) await rm(path, { recursive: true });
      continue;
    }
    const length = Math.min(size, lengths.get(ino) ?? 0);
    // oxlint-disable-next-line no-await-in-loop -- a few files
    await (isLost(ino) ? rm(path) : truncate(path, length));
  }
}
