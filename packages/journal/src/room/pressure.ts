import { lowBelow, readDiskSpace, type DiskSpace } from './disk-space.ts';

/** Groups that Redis has stay up to this share of the limit. The rest is for a process of the folder that needs room. */
const NEARLY_FULL = 0.9;

/** What a pressure gauge looks at. */
export interface PressureOptions {
  /** `JOURNAL_DIR` and its limit in bytes, which all its processes share. */
  dir: string;
  limitBytes: number;
  /** Asks the disk; the system unless told otherwise. */
  diskSpace?: (path: string) => Promise<DiskSpace>;
  onLow: (error: Error) => void;
}

/** Tells how far groups that Redis has must make room: the folder is nearly full, or its disk is. */
export interface Pressure {
  /** Looks at the disk; `onLow` is told where it is low. @throws the system's error, and what was known stands */
  look(): Promise<void>;
  /** Groups that Redis has are removed until all files of the folder together have no more bytes than this. */
  downTo(): number;
  /** Of the disk, in bytes; undefined before the first look. */
  freeBytes(): number | undefined;
}

/** Makes a pressure; it knows nothing of the disk before the first `look`. */
export function createPressure({ dir, limitBytes, diskSpace = readDiskSpace, onLow }: PressureOptions): Pressure {
  let space: DiskSpace | undefined;
  const isLow = () => space !== undefined && space.free < lowBelow(space);
  return {
    async look() {
      space = await diskSpace(dir);
      if (!isLow()) return;
      onLow(
        new Error(
          `The disk of JOURNAL_DIR (${dir}) has less than ${lowBelow(space)} bytes free, so the journal keeps nothing that Redis has. Free disk space, or give the journal a disk of its own.`,
        ),
      );
    },
    downTo: () => (isLow() ? 0 : Math.floor(limitBytes * NEARLY_FULL)),
    freeBytes: () => space?.free,
  };
}
