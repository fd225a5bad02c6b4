import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';

/** The bytes of all files in the folders of `dir`. Files come and go meanwhile: what is gone has no size. */
export async function bytesInFolders(dir: string): Promise<number> {
  const folders = await readdir(dir);
  return sum(await Promise.all(folders.map((name) => bytesIn(join(dir, name)))));
}

async function bytesIn(folder: string): Promise<number> {
  const names = await readdir(folder).catch(() => []);
  return sum(await Promise.all(names.map((name) => bytesOf(join(folder, name)))));
}

async function bytesOf(path: string): Promise<number> {
  return stat(path).then(
    ({ size }) => size,
    () => 0,
  );
}

function sum(sizes: readonly number[]): number {
  return sizes.reduce((total, size) => total + size, 0);
}
