import { join } from 'node:path';
import { namesIn, sizeOf } from '@landline/held-folder/files';

/** The name of a process's folder, finished or not. */
const FOLDER = /^\.?[0-9a-f]+$/;

/**
 * Returns the bytes of all files in the folders of processes in `dir`. A file that is gone meanwhile counts as 0.
 * @throws the disk's error
 */
export async function bytesInFolders(dir: string): Promise<number> {
  const folders = (await namesIn(dir)).filter((name) => FOLDER.test(name));
  return sum(await Promise.all(folders.map((name) => bytesIn(join(dir, name)))));
}

/** Returns the bytes in a folder. A file beside the folders counts as an empty folder. */
async function bytesIn(folder: string): Promise<number> {
  const names = await namesIn(folder).catch((error: unknown) => {
    if (error instanceof Error && 'code' in error && error.code === 'ENOTDIR') return [];
    throw error;
  });
  return sum(await Promise.all(names.map((name) => sizeOf(join(folder, name)))));
}

function sum(sizes: readonly number[]): number {
  return sizes.reduce((total, size) => total + size, 0);
}
