import { statfs } from 'node:fs/promises';

/** Below so many bytes a disk is low, however large it is: Redis and Postgres may be on it, and neither survives a full one. */
const LOW_BYTES = 1024 ** 3;

/** Below this share of it a disk is low. */
const LOW_SHARE = 0.1;

/** What a disk has room for, in bytes. */
export interface DiskSpace {
  /** For this user. */
  free: number;
  /** Of the whole disk; 0 where the file system does not tell. */
  total: number;
}

/** Asks the file system that `path` is on. @throws the system's error */
export async function readDiskSpace(path: string): Promise<DiskSpace> {
  const { bavail, blocks, bsize } = await statfs(path);
  return { free: bavail * bsize, total: blocks * bsize };
}

/** Below how many free bytes a disk of this size is low: 1 GiB or a tenth of it, whichever is less. */
export function lowBelow({ total }: DiskSpace): number {
  return Math.min(LOW_BYTES, Math.floor(total * LOW_SHARE));
}
