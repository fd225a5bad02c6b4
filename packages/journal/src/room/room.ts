import type { Clock } from '../clock.ts';
import type { CurrentSegment } from '../current-segment.ts';
import { JournalUnavailableError } from '../errors.ts';
import { inTime } from '../in-time.ts';
import type { SegmentList } from '../segment/segment-list.ts';
import { createOthersAsker, type OthersAsker } from './ask-others.ts';
import { bytesInFolders } from './folder-size.ts';
import type { Pressure } from './pressure.ts';

/** What must be free before a journal that was full takes groups again, in bytes. */
const FREE_AGAIN_BYTES = 64 * 1024;

/** What the room needs. */
export interface RoomOptions {
  /** The journal's folder, its limit in bytes, and the size at which a segment is closed. */
  dir: string;
  limitBytes: number;
  segmentBytes: number;
  writeTimeoutMs: number;
  clock: Clock;
  segments: SegmentList;
  current: Pick<CurrentSegment, 'get' | 'folder' | 'begin' | 'isInTheWay'>;
  pressure: Pressure;
  /** Whether age is no reason to remove a segment: nobody knows yet whether Redis has what was taken over. */
  keepsOld: () => boolean;
  onError: (error: unknown) => void;
}

/** The room that a journal has under its limit, which all processes of its folder share. */
export interface Room {
  /**
   * Takes room for a group, and makes it where there is none: Redis' events give way. Give it back when the group is written or refused.
   *
   * @throws JournalUnavailableError where the limit is used up by what Redis lacks
   */
  take(bytes: number): Promise<void>;
  giveBack(bytes: number): void;
  /** Another process has no room: removes what Redis has. */
  freeForOthers(bytes: number): Promise<void>;
  /** Measures what the others have and what the disk has, and removes what is too old or too much. */
  enforceLimits(): Promise<void>;
  /** A segment came from another process: it is counted with ours from now on. */
  countAsOwn(bytes: number): void;
  isFull(): boolean;
  /** Whether Redis' events have to give way. */
  isShort(): boolean;
  /** Of all files in the folder, in bytes. */
  usedBytes(): number;
}

interface State {
  /** Nothing is left under the limit. */
  isFull: boolean;
  /** Of files that are no segments of this process. */
  otherBytes: number;
  /** Of groups that are being written. */
  underWayBytes: number;
}

/** Makes the room of a journal. */
export function createRoom(options: RoomOptions): Room {
  const { dir, clock, segments, current, pressure, onError } = options;
  const state: State = { isFull: false, otherBytes: 0, underWayBytes: 0 };
  const others = createOthersAsker({ dir, clock, measure: measureOthers });

  async function measureOthers(): Promise<void> {
    state.otherBytes = Math.max(0, (await bytesInFolders(dir)) - segments.bytes());
  }

  return {
    async take(bytes) {
      if (!takeWhereFree(state, options, bytes)) await makeAndTake(state, { ...options, others }, bytes);
    },
    giveBack: (bytes) => void (state.underWayBytes -= bytes),
    async freeForOthers(bytes) {
      const freed = await segments.free(bytes, current.get());
      if (freed >= bytes || !current.isInTheWay()) return;
      await current.begin();
      await segments.free(bytes - freed, current.get());
    },
    async enforceLimits() {
      await measureOthers().catch(onError);
      await pressure.look().catch(onError);
      make(state, options, { bytes: state.isFull ? FREE_AGAIN_BYTES : 0, downTo: pressure.downTo() });
    },
    countAsOwn: (bytes) => void (state.otherBytes = Math.max(0, state.otherBytes - bytes)),
    isFull: () => state.isFull,
    isShort: () => segments.bytes() + state.otherBytes > pressure.downTo(),
    usedBytes: () => segments.bytes() + state.otherBytes,
  };
}

/** Takes room for a group where there is some: from here on it counts. */
function takeWhereFree(state: State, options: RoomOptions, bytes: number): boolean {
  const { segments, limitBytes } = options;
  const used = segments.bytes() + state.otherBytes + state.underWayBytes;
  const hasRoom = (!state.isFull && used + bytes <= limitBytes) || make(state, options, { bytes, downTo: limitBytes });
  if (hasRoom) state.underWayBytes += bytes;
  return hasRoom;
}

function make(state: State, options: RoomOptions, { bytes, downTo }: { bytes: number; downTo: number }): boolean {
  const { segments, current, keepsOld } = options;
  const { otherBytes, underWayBytes } = state;
  const held = { otherBytes, current: current.get(), keepsOld: keepsOld(), downTo };
  state.isFull = !segments.makeRoom(bytes + underWayBytes, held);
  return !state.isFull;
}

/** Redis' events may be in the way in two places: the current segment, then another is begun; another process's folder, then that is asked. */
async function makeAndTake(state: State, options: RoomOptions & { others: OthersAsker }, bytes: number): Promise<void> {
  const { current, others, segmentBytes, writeTimeoutMs, onError } = options;
  // `begin` fails where the disk does; the next tick tells why.
  if (current.isInTheWay())
    await inTime(
      current.begin().catch(() => undefined),
      writeTimeoutMs,
    );
  if (takeWhereFree(state, options, bytes)) return;
  const owner = current.folder()?.owner;
  const asking = owner === undefined ? Promise.resolve() : others.ask(owner, Math.max(bytes, segmentBytes));
  await inTime(asking.catch(onError), writeTimeoutMs);
  if (takeWhereFree(state, options, bytes)) return;
  others.rest();
  throw new JournalUnavailableError(
    'The journal is full of groups that Redis does not have yet (JOURNAL_LIMIT_BYTES).',
  );
}
