import { lowBelow, readDiskSpace, type DiskSpace } from '@landline/held-folder/disk-space';

/**
 * The share of the limit up to which the journal keeps groups that Redis has. The rest is for a process of the folder
 * that needs room.
 */
const NEARLY_FULL = 0.9;

/** The dependencies of the pressure. */
export interface PressureOptions {
  /** `JOURNAL_DIR`, and its limit in bytes, which all its processes share. */
  dir: string;
  limitBytes: number;
  /** Reads the disk's space; the default asks the system. */
  diskSpace?: (path: string) => Promise<DiskSpace>;
  onLow: (error: Error) => void;
}

/**
 * The pressure on groups that Redis has: how many of them must be removed, because the folder or its disk is nearly
 * full.
 */
export interface Pressure {
  /**
   * Measures the disk, and calls `onLow` where the disk is low. @throws the system's error; then the last measurement
   * stays
   */
  measure(): Promise<void>;
  /** The target of all files of the folder together, in bytes. Groups that Redis has are removed until it is met. */
  targetBytes(): number;
  /** The free bytes of the disk; undefined before the first measurement. */
  freeBytes(): number | undefined;
}

/** Makes a pressure. It knows no disk space before the first `measure`. */
export function createPressure({ dir, limitBytes, diskSpace = readDiskSpace, onLow }: PressureOptions): Pressure {
  let space: DiskSpace | undefined;
  const isLow = () => space !== undefined && space.free < lowBelow(space);
  return {
    async measure() {
      space = await diskSpace(dir);
      if (!isLow()) return;
      onLow(
        new Error(
          `The disk of JOURNAL_DIR (${dir}) has less than ${lowBelow(space)} bytes free, so the journal keeps nothing that Redis has. Free disk space, or give the journal a disk of its own.`,
        ),
      );
    },
    targetBytes: () => (isLow() ? 0 : Math.floor(limitBytes * NEARLY_FULL)),
    freeBytes: () => space?.free,
  };
}
