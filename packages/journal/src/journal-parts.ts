import { createClock, type Clock } from './clock.ts';
import { createCurrentSegment, type CurrentSegment } from './current-segment.ts';
import type { JournalOptions } from './journal-options.ts';
import { createPendingTaker, type TakePending } from './pending/take-pending.ts';
import { createReporter } from './report-once.ts';
import { createPressure, type Pressure } from './room/pressure.ts';
import { answerRoomRequest } from './room/room-request.ts';
import { createRoom, type Room } from './room/room.ts';
import { createSegmentList, type SegmentList } from './segment/segment-list.ts';
import { createFolderWatch, type FolderWatch } from './takeover/folder-watch.ts';
import { createOwnNotes, type OwnNotes } from './takeover/own-notes.ts';
import { createTick, type Tick } from './tick.ts';

/**
 * The size at which a segment is closed, in bytes, or an eighth of the limit where that is less. Only whole segments
 * can be removed, so larger segments would keep more than the limit allows.
 */
const SEGMENT_BYTES = 64 * 1024 * 1024;

/** The time after which a write is given up, in ms, where the options name none. */
const WRITE_TIMEOUT_MS = 5000;

/** The parts of a journal. */
export interface Parts {
  clock: Clock;
  /** Passes an error to `onError`; the same message once an hour. */
  report: (thrown: unknown) => void;
  writeTimeoutMs: number;
  segments: SegmentList;
  current: CurrentSegment;
  pressure: Pressure;
  room: Room;
  notes: OwnNotes;
  watch: FolderWatch;
  takePending: TakePending;
  /** How often this process has made enqueued groups pending again. */
  redos: { count: number };
  tick: Tick;
}

/** Makes the parts of a journal. Parts that depend on each other get functions, because neither can be made first. */
export function createParts(options: JournalOptions): Parts {
  const { dir, limitBytes, retentionHours, writeTimeoutMs = WRITE_TIMEOUT_MS, now, elapsed, diskSpace } = options;
  const clock = createClock({ ...(now && { wall: now }), ...(elapsed && { elapsed }) });
  const report = createReporter((error) => options.onError?.(error), clock);
  const segmentBytes = Math.min(SEGMENT_BYTES, Math.floor(limitBytes / 8));
  const segments = createSegmentList({ limitBytes, retentionHours, clock, onError: report });
  const pressure = createPressure({ dir, limitBytes, ...(diskSpace && { diskSpace }), onLow: report });
  const notes = createOwnNotes();
  const shared = { dir, limitBytes, segmentBytes, writeTimeoutMs, clock, segments, onError: report };
  const current: CurrentSegment = createCurrentSegment({
    ...shared,
    isRoomShort: () => room.isShort(),
    serve: (socket) => answerRoomRequest(socket, (bytes) => room.freeForOthers(bytes).catch(report)),
    onFault: (cause) =>
      options.onError?.(new Error(`The journal in ${dir} takes nothing: ${cause.message}`, { cause })),
    onReady: () => options.onReady?.(),
  });
  const room: Room = createRoom({ ...shared, current, pressure, keepsExpired: () => notes.inherited().length > 0 });
  const watch = createFolderWatch({
    ...shared,
    notes,
    onTaken(segment) {
      // The segment's bytes must not count twice until `measureOthers` runs again.
      room.countAsOwn(segment.facts.bytes);
      segments.add(segment);
    },
  });
  const redos = { count: 0 };
  const takePending = createPendingTaker({
    clock,
    redos: () => redos.count,
    segments: () => segments.all(),
    current: () => current.get(),
    onError: report,
  });
  const tick = createTick(() => work({ segments, current, room, notes, watch, report }));
  return { clock, report, writeTimeoutMs, segments, pressure, notes, current, room, watch, takePending, redos, tick };
}

/** Does the work of a tick. A fault in the folder's maintenance does not stop the journal from taking groups. */
async function work(
  parts: Omit<Parts, 'tick' | 'clock' | 'takePending' | 'redos' | 'pressure' | 'writeTimeoutMs'>,
): Promise<void> {
  await parts.current.check();
  await maintainFolder(parts).catch(parts.report);
}

async function maintainFolder(parts: Pick<Parts, 'segments' | 'current' | 'room' | 'notes' | 'watch'>): Promise<void> {
  const { current, room, watch } = parts;
  const folder = current.folder();
  if (folder === undefined) return;
  await watch.check(folder);
  await room.enforceLimits();
  await writeDown(parts, folder.path);
}

/**
 * Writes the marks, then the notes. A process that takes over must see the notes until the marks that they ask for are
 * on the disk.
 */
export async function writeDown(
  { segments, notes, current }: Pick<Parts, 'segments' | 'current' | 'notes'>,
  folder: string,
): Promise<void> {
  await segments.writeMarks();
  await notes.write(folder);
  await segments.closeIdle(current.get());
}
