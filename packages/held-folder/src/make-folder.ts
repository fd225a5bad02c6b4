import { mkdir, rmdir, stat } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { ifMissing, syncFolder } from './files.ts';

/**
 * Makes a folder and its missing parents. When it resolves, the name of each is on the disk, so a power cut cannot take
 * the folder with its contents.
 *
 * @throws the disk's error; then a folder whose name is not on the disk was removed again, so that the next try syncs
 *             it
 */
export async function makeFolder(path: string): Promise<void> {
  const folder = resolve(path);
  const parent = dirname(folder);
  const found = await stat(folder).catch(ifMissing(undefined));
  if (found !== undefined || parent === folder) return;
  await makeFolder(parent);
  try {
    await mkdir(folder, { mode: 0o700 });
  } catch (error) {
    // Another process made the folder, and may die before it syncs.
    if (!(error instanceof Error && 'code' in error && error.code === 'EEXIST')) throw error;
  }
  try {
    await syncFolder(parent);
  } catch (error) {
    // The folder stays where another process already uses it.
    await rmdir(folder).catch(() => undefined);
    throw error;
  }
}
