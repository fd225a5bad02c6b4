import { readdir, stat, unlink } from 'node:fs/promises';

/** Whether what was asked for is not there. Any other error says nothing about whether it is: the disk fails, or descriptors ran out. */
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

/** The names in a folder; none where it is not there. @throws what the disk says: a folder that cannot be listed is not empty */
export const namesIn: ListFolder = (folder) => readdir(folder).catch(ifMissing([]));

/** The size of a file in bytes; 0 where it is not there. @throws what the disk says */
export async function sizeOf(path: string): Promise<number> {
  const found = await stat(path).catch(ifMissing(undefined));
  return found?.size ?? 0;
}

/** Removes a file that may be gone already. @throws what the disk says */
export async function removeFile(path: string): Promise<void> {
  await unlink(path).catch(ifMissing(undefined));
}
