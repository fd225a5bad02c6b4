import type { Clock } from '../clock.ts';
import type { CurrentSegment } from '../current-segment.ts';
import { JournalUnavailableError } from '../errors.ts';
import { inTime } from '../in-time.ts';
import type { SegmentList } from '../segment/segment-list.ts';
import { createOthersAsker, type OthersAsker } from './ask-others.ts';
import { bytesInFolders } from './folder-size.ts';
import type { Pressure } from './pressure.ts';

/**
 * The room that must be free before a full journal takes groups again, in bytes. With less, the journal would be full
 * again at the next group.
 */
const FREE_AGAIN_BYTES = 64 * 1024;

/** The dependencies of the room. */
export interface RoomOptions {
  /** The journal's folder, its limit in bytes, and the size at which a segment is closed. */
  dir: string;
  limitBytes: number;
  segmentBytes: number;
  writeTimeoutMs: number;
  clock: Clock;
  segments: SegmentList;
  current: Pick<CurrentSegment, 'get' | 'folder' | 'begin' | 'couldFreeRoom'>;
  pressure: Pressure;
  /** Whether expired segments stay, because it is not known yet whether Redis has what was taken over. */
  keepsExpired: () => boolean;
  onError: (error: unknown) => void;
}

/** The room under the limit that all processes of a folder share. */
export interface Room {
  /**
   * Reserves room for a group. Where there is none, removes segments that Redis has. The caller calls `release` when
   * the group is written or refused.
   *
   * @throws JournalUnavailableError where groups that Redis lacks use up the limit
   */
  reserve(bytes: number): Promise<void>;
  release(bytes: number): void;
  /** Removes what Redis has, for another process that has no room. */
  freeForOthers(bytes: number): Promise<void>;
  /** Measures the others' files and the disk, and removes segments that are expired or exceed the target. */
  enforceLimits(): Promise<void>;
  /** Counts a segment that came from another process as ours from now on. */
  countAsOwn(bytes: number): void;
  isFull(): boolean;
  /** Whether segments that Redis has must be removed. */
  isShort(): boolean;
  /** The bytes of all files in the folder. */
  usedBytes(): number;
}

interface State {
  /** Whether nothing is left under the limit. */
  isFull: boolean;
  /** The bytes of files that are no segments of this process. */
  otherBytes: number;
  /** The bytes of groups that are being written. */
  reservedBytes: number;
}

/** Makes the room of a journal. */
export function createRoom(options: RoomOptions): Room {
  const { dir, clock, segments, current, pressure, onError } = options;
  const state: State = { isFull: false, otherBytes: 0, reservedBytes: 0 };
  const others = createOthersAsker({ dir, clock, measure: measureOthers });

  async function measureOthers(): Promise<void> {
    state.otherBytes = Math.max(0, (await bytesInFolders(dir)) - segments.bytes());
  }

  return {
    async reserve(bytes) {
      if (!reserveIfFree(state, options, bytes)) await makeRoomAndReserve(state, { ...options, others }, bytes);
    },
    release: (bytes) => void (state.reservedBytes -= bytes),
    async freeForOthers(bytes) {
      const freed = await segments.free(bytes, current.get());
      if (freed >= bytes || !current.couldFreeRoom()) return;
      await current.begin();
      await segments.free(bytes - freed, current.get());
    },
    async enforceLimits() {
      await measureOthers().catch(onError);
      await pressure.measure().catch(onError);
      makeRoom(state, options, { bytes: state.isFull ? FREE_AGAIN_BYTES : 0, targetBytes: pressure.targetBytes() });
    },
    countAsOwn: (bytes) => void (state.otherBytes = Math.max(0, state.otherBytes - bytes)),
    isFull: () => state.isFull,
    isShort: () => segments.bytes() + state.otherBytes > pressure.targetBytes(),
    usedBytes: () => segments.bytes() + state.otherBytes,
  };
}

/** Reserves room for a group where there is room. Returns whether it did. */
function reserveIfFree(state: State, options: RoomOptions, bytes: number): boolean {
  const { segments, limitBytes } = options;
  const used = segments.bytes() + state.otherBytes + state.reservedBytes;
  const hasRoom =
    (!state.isFull && used + bytes <= limitBytes) || makeRoom(state, options, { bytes, targetBytes: limitBytes });
  if (hasRoom) state.reservedBytes += bytes;
  return hasRoom;
}

function makeRoom(
  state: State,
  options: RoomOptions,
  { bytes, targetBytes }: { bytes: number; targetBytes: number },
): boolean {
  const { segments, current, keepsExpired } = options;
  const { otherBytes, reservedBytes } = state;
  const held = { otherBytes, current: current.get(), keepsExpired: keepsExpired(), targetBytes };
  state.isFull = !segments.makeRoom(bytes + reservedBytes, held);
  return !state.isFull;
}

/**
 * Frees room and reserves it. Segments that Redis has may be in two places:
 *
 * - the current segment: then another segment is begun;
 * - another process's folder: then that process is asked.
 */
async function makeRoomAndReserve(
  state: State,
  options: RoomOptions & { others: OthersAsker },
  bytes: number,
): Promise<void> {
  const { current, others, segmentBytes, writeTimeoutMs, onError } = options;
  // `begin` fails where the disk does. The next tick reports the reason.
  if (current.couldFreeRoom())
    await inTime(
      current.begin().catch(() => undefined),
      writeTimeoutMs,
    );
  if (reserveIfFree(state, options, bytes)) return;
  const owner = current.folder()?.owner;
  const asking = owner === undefined ? Promise.resolve() : others.ask(owner, Math.max(bytes, segmentBytes));
  await inTime(asking.catch(onError), writeTimeoutMs);
  if (reserveIfFree(state, options, bytes)) return;
  others.pause();
  throw new JournalUnavailableError(
    'The journal is full of groups that Redis does not have yet (JOURNAL_LIMIT_BYTES).',
  );
}
