import { statfs } from 'node:fs/promises';

/**
 * The free space below which a disk of any size is low, in bytes. Redis and Postgres may be on the same disk, and a
 * full disk stops both.
 */
const LOW_BYTES = 1024 ** 3;

/** The share of a smaller disk below which its free space is low. */
const LOW_SHARE = 0.1;

/** The space of a disk, in bytes. */
export interface DiskSpace {
  /** Free for this user. */
  free: number;
  /** The size of the disk; 0 where the file system does not report it. */
  total: number;
}

/** Reads the space of the file system that `path` is on. @throws the system's error */
export async function readDiskSpace(path: string): Promise<DiskSpace> {
  const { bavail, blocks, bsize } = await statfs(path);
  return { free: bavail * bsize, total: blocks * bsize };
}

/** Returns the number of free bytes below which the disk is low: 1 GiB or a tenth of the disk, whichever is less. */
export function lowBelow({ total }: DiskSpace): number {
  return Math.min(LOW_BYTES, Math.floor(total * LOW_SHARE));
}
