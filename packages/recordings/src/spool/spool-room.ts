import { readDiskSpace, type DiskSpace } from '@landline/held-folder/disk-space';

/** The share of the limit that only small bodies may use. */
const SMALL_SHARE = 1 / 8;

/** What stays free on the disk, in bytes: Redis, Postgres and the journal may write to the same one. */
const KEPT_FREE_BYTES = 256 * 1024 * 1024;

/** What stays free on a small disk, as a share of it. */
const KEPT_FREE_SHARE = 0.025;

/** What bounds a spool. */
export interface RoomOptions {
  dir: string;
  /** `SPOOL_LIMIT_BYTES`: of all processes of the folder together. */
  limitBytes: number;
  /** Reads the disk's space; the default asks the system. */
  diskSpace?: (path: string) => Promise<DiskSpace>;
}

/** Counts what the spool holds, as it arrives. */
export interface SpoolRoom {
  /** Counts bytes that this process wrote; a negative number gives them back. */
  count(bytes: number): void;
  /** Tells whether so many bytes more may come, for a large body or a small one. */
  hasRoomFor(bytes: number, isLarge: boolean): boolean;
  /** Notes what the folders of other processes hold, and measures the disk. */
  measure(otherBytes: number): Promise<void>;
  /** All bytes of the folder, as far as this process knows. */
  bytes(): number;
  /** Free bytes of the disk; undefined where the system does not say. */
  freeBytes(): number | undefined;
}

/** Makes the room of a spool of which this process holds nothing. */
export function createRoom({ dir, limitBytes, diskSpace = readDiskSpace }: RoomOptions): SpoolRoom {
  let own = 0;
  let others = 0;
  let space: DiskSpace | undefined;
  /** What was counted since the disk was measured. */
  let sinceMeasured = 0;
  const largeLimit = Math.floor(limitBytes * (1 - SMALL_SHARE));

  function diskHasRoomFor(bytes: number): boolean {
    if (space === undefined) return true;
    const kept = Math.min(KEPT_FREE_BYTES, space.total * KEPT_FREE_SHARE);
    return space.free - Math.max(0, sinceMeasured) - bytes >= kept;
  }

  return {
    count(bytes) {
      own += bytes;
      sinceMeasured += bytes;
    },
    hasRoomFor: (bytes, isLarge) =>
      own + others + bytes <= (isLarge ? largeLimit : limitBytes) && diskHasRoomFor(bytes),
    async measure(otherBytes) {
      others = otherBytes;
      const measured = await diskSpace(dir).catch(() => undefined);
      space = measured ?? space;
      sinceMeasured = 0;
    },
    bytes: () => own + others,
    freeBytes: () => space?.free,
  };
}
