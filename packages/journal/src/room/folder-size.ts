import { join } from 'node:path';
import { namesIn, sizeOf } from '../files.ts';

/** The name of a process's folder, finished or not. */
const FOLDER = /^\.?[0-9a-f]+$/;

/** The bytes of all files in the folders of processes in `dir`. Files come and go meanwhile: what is gone has no size. @throws the disk's error */
export async function bytesInFolders(dir: string): Promise<number> {
  const folders = (await namesIn(dir)).filter((name) => FOLDER.test(name));
  return sum(await Promise.all(folders.map((name) => bytesIn(join(dir, name)))));
}

/** A file that lies beside the folders has no names in it. */
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
