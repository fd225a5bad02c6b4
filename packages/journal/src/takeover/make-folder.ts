import { mkdir, rmdir, stat } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { ifMissing, syncFolder } from '../files.ts';

/**
 * Makes a folder and those above it that are missing. When it resolves the name of each is on the disk: a power cut cannot take a folder
 * with what is in it.
 *
 * @throws the disk's error; then a folder whose name is not on the disk was removed again, so that the next try syncs it
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
    // Another process was quicker; it may die before it syncs.
    if (!(error instanceof Error && 'code' in error && error.code === 'EEXIST')) throw error;
  }
  try {
    await syncFolder(parent);
  } catch (error) {
    // Where others use it already it stays.
    await rmdir(folder).catch(() => undefined);
    throw error;
  }
}
