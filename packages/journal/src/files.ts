import { open, readdir, readFile, rename, stat, unlink, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';

/** Whether a file or folder is not there. Any other error says nothing about that: the disk fails, or descriptors ran out. */
export function isMissing(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'ENOENT';
}

/** For `catch`: `otherwise` where the file or folder is not there. @throws every other error */
export function ifMissing<T>(otherwise: T): (error: unknown) => T {
  return (error) => {
    if (isMissing(error)) return otherwise;
    throw error;
  };
}

/** Lists a folder's names. */
export type ListFolder = (folder: string) => Promise<string[]>;

/** The names in a folder; none where it is not there. @throws the disk's error: a folder that cannot be listed is not empty */
export const namesIn: ListFolder = (folder) => readdir(folder).catch(ifMissing([]));

/** The size of a file in bytes; 0 where it is not there. @throws the disk's error */
export async function sizeOf(path: string): Promise<number> {
  const found = await stat(path).catch(ifMissing(undefined));
  return found?.size ?? 0;
}

/** Whether a file or folder is gone. @throws the disk's error: a path that cannot be looked at is not gone */
export async function isGone(path: string): Promise<boolean> {
  return (await stat(path).catch(ifMissing(undefined))) === undefined;
}

/** Removes a file that may be gone already. @throws the disk's error */
export async function removeFile(path: string): Promise<void> {
  await unlink(path).catch(ifMissing(undefined));
}

/** Replaces a small file whole: a reader sees the old text or the new one. It is not fsynced. @throws the disk's error */
export async function replaceFile(path: string, text: string): Promise<void> {
  await writeFile(`${path}.new`, text, { mode: 0o600 });
  await rename(`${path}.new`, path);
}

/** The JSON value in a file; undefined where there is no such file, or no JSON in it. @throws the disk's error */
export async function readJson(path: string): Promise<unknown> {
  return parseJson(await readFile(path, 'utf8').catch(ifMissing('')));
}

/** The value of a JSON text; undefined where it is none. */
export function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** Puts the names in a folder on the disk. @throws the disk's error */
export async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

/** Puts a folder's own name on the disk. @throws the disk's error */
export function syncParent(folder: string): Promise<void> {
  return syncFolder(dirname(folder));
}
