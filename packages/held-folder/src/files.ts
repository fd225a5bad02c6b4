import { open, readdir, readFile, rename, stat, unlink, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';

/**
 * Returns whether an error means that a file or folder does not exist. Other errors leave that open: the disk fails, or
 * file descriptors ran out.
 */
export function isMissing(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'ENOENT';
}

/**
 * Returns a handler for `catch`: it returns `otherwise` where the file or folder does not exist. @throws every other
 * error
 */
export function ifMissing<T>(otherwise: T): (error: unknown) => T {
  return (error) => {
    if (isMissing(error)) return otherwise;
    throw error;
  };
}

/** Lists the names in a folder. */
export type ListFolder = (folder: string) => Promise<string[]>;

/**
 * Lists the names in a folder; none where it does not exist. @throws the disk's error: a folder that cannot be listed
 * is not empty
 */
export const namesIn: ListFolder = (folder) => readdir(folder).catch(ifMissing([]));

/** Returns the size of a file in bytes; 0 where it does not exist. @throws the disk's error */
export async function sizeOf(path: string): Promise<number> {
  const found = await stat(path).catch(ifMissing(undefined));
  return found?.size ?? 0;
}

/** Returns whether a file or folder is gone. @throws the disk's error: a path that cannot be read is not gone */
export async function isGone(path: string): Promise<boolean> {
  return (await stat(path).catch(ifMissing(undefined))) === undefined;
}

/** Removes a file that may be gone already. @throws the disk's error */
export async function removeFile(path: string): Promise<void> {
  await unlink(path).catch(ifMissing(undefined));
}

/**
 * Replaces a small file in one step: a reader sees the old text or the new one. Does not fsync it. @throws the disk's
 * error
 */
export async function replaceFile(path: string, text: string): Promise<void> {
  await writeFile(`${path}.new`, text, { mode: 0o600 });
  await rename(`${path}.new`, path);
}

/**
 * Reads the JSON value in a file; undefined where the file does not exist or holds no JSON. @throws the disk's error
 */
export async function readJson(path: string): Promise<unknown> {
  return parseJson(await readFile(path, 'utf8').catch(ifMissing('')));
}

/** Parses a JSON text; undefined where it is no JSON. */
export function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** Fsyncs a folder, so that the names in it are on the disk. @throws the disk's error */
export async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

/** Fsyncs a folder's parent, so that the folder's own name is on the disk. @throws the disk's error */
export function syncParent(folder: string): Promise<void> {
  return syncFolder(dirname(folder));
}
