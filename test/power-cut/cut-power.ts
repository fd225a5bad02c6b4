import { readdir, readFile, rm, stat, truncate } from 'node:fs/promises';
import { join } from 'node:path';

export interface CutOptions {
  /** The log that shim.c wrote of the process's fsyncs. */
  syncLog: string;
  /** Whether to remove a file or folder whose parent folder was not synced since it was made. */
  losesNames: boolean;
  /** Names of files that stay as they are, as if the system had written them by itself, which it may do at any time. */
  written?: RegExp;
}

/**
 * Cuts the files under `folder` to what the worst power cut would leave of them. Each file gets the length that it had at its last
 * sync, and is empty where it was never synced. The process that wrote the files has ended.
 *
 * Two faults are not simulated: blocks that the disk wrote out of order, and a rename or a removal that is undone.
 */
export async function cutPower(folder: string, { syncLog, losesNames, written }: CutOptions): Promise<void> {
  const lengths = new Map<number, number>();
  const named = new Set<number>();
  const log = await readFile(syncLog, 'utf8').catch(() => '');
  // A last line without an end was cut off itself.
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
    // The file was removed with its folder.
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
