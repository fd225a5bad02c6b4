import { readDiskSpace, type DiskSpace } from '@landline/held-folder/disk-space';

/** The share of the limit that only small bodies may use. */
const SMALL_SHARE = 1 / 8;

/** The share of the large bodies' room that those may use which are not verified yet: strangers can send such bodies. */
const ARRIVING_SHARE = 1 / 2;

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

/** Returns how many bytes the largest body of an empty spool may have. @param limitBytes  `SPOOL_LIMIT_BYTES` */
export function largestBody(limitBytes: number): number {
  return Math.floor(limitBytes * (1 - SMALL_SHARE));
}

/** Counts what the spool holds, as it arrives. */
export interface SpoolRoom {
  /** Counts bytes that this process wrote; a negative number gives them back. */
  count(bytes: number): void;
  /** Counts which of these bytes are of bodies that are not verified yet; a negative number: they are verified now, or given back. */
  countArriving(bytes: number): void;
  /** Tells whether so many bytes more may come for a small body. */
  hasRoomForSmall(bytes: number): boolean;
  /**
   * Tells whether so many bytes more may come for a body that arrives and has `held` so far. Bodies that arrive have half of the room
   * for large bodies, shared by the processes of the folder; one that arrives alone may have all of it.
   */
  mayArrive(bytes: number, held: number): boolean;
  /** Tells whether a large body of so many bytes had room if no other arrived in this process. */
  hasRoomAlone(bytes: number): boolean;
  /** Notes what the folders of other processes hold, and measures the disk. */
  measure(others: OtherProcesses): Promise<void>;
  /** All bytes of the folder, as far as this process knows. */
  bytes(): number;
  /** Free bytes of the disk; undefined where the system does not say. */
  freeBytes(): number | undefined;
}

/** The other processes of a spool's folder. */
export interface OtherProcesses {
  /** What their folders hold, those of ended processes included. */
  bytes: number;
  /** How many of them are alive. */
  alive: number;
}

/** Makes the room of a spool of which this process holds nothing. */
export function createRoom({ dir, limitBytes, diskSpace = readDiskSpace }: RoomOptions): SpoolRoom {
  let own = 0;
  let arriving = 0;
  let others: OtherProcesses = { bytes: 0, alive: 0 };
  let space: DiskSpace | undefined;
  /** What was counted since the disk was measured; below 0 where more was given back. */
  let sinceMeasured = 0;
  const largeLimit = largestBody(limitBytes);

  function hasRoom(bytes: number, limit: number): boolean {
    return own + others.bytes + bytes <= limit && diskHasRoomFor(bytes);
  }

  function diskHasRoomFor(bytes: number): boolean {
    if (space === undefined) return true;
    const kept = Math.min(KEPT_FREE_BYTES, space.total * KEPT_FREE_SHARE);
    return space.free - sinceMeasured - bytes >= kept;
  }

  return {
    count(bytes) {
      own += bytes;
      sinceMeasured += bytes;
    },
    countArriving: (bytes) => void (arriving += bytes),
    hasRoomForSmall: (bytes) => hasRoom(bytes, limitBytes),
    mayArrive(bytes, held) {
      const arrivingLimit = (largeLimit * ARRIVING_SHARE) / (1 + others.alive);
      return hasRoom(bytes, largeLimit) && (arriving === held || arriving + bytes <= arrivingLimit);
    },
    hasRoomAlone: (bytes) => hasRoom(bytes - arriving, largeLimit),
    async measure(found) {
      others = found;
      const measured = await diskSpace(dir).catch(() => undefined);
      space = measured ?? space;
      sinceMeasured = 0;
    },
    bytes: () => own + others.bytes,
    freeBytes: () => space?.free,
  };
}
