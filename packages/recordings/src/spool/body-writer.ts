import { open, rename, type FileHandle } from 'node:fs/promises';
import { removeFile, syncFolder } from '@landline/held-folder/files';
import { spoolError, SpoolError } from './errors.ts';
import { encodeFooter, type BodyFacts } from './footer.ts';
import { readHead } from './read-head.ts';
import type { SpoolRoom } from './spool-room.ts';
import { spooledBody, type SpooledBody } from './spooled-body.ts';
import type { Turns } from './turns.ts';

/** How many bytes gather before they are written. */
const WRITE_BYTES = 256 * 1024;

/** So many small pieces are joined: each costs a hundred bytes or more beside its own, and a sender may send single bytes. */
const GATHER = 256;

/** After so many bytes the file is synced, so that the sync before the 200 has little left to write. */
const SYNC_BYTES = 8 * 1024 * 1024;

/** Writes one body as it arrives. Use it from one place: one `write` at a time. */
export interface BodyWriter {
  /** How many bytes were handed over. */
  readonly bytes: number;
  /** Resolves when more bytes may come. @throws SpoolError: the body cannot be kept, call `discard` */
  write(chunk: Buffer): Promise<void>;
  /** Resolves when the body and its facts are on the disk, for good. @throws SpoolError: the file is removed */
  keep(facts: BodyFacts): Promise<SpooledBody>;
  /**
   * Reads the first bytes of a body of which no write is under way. The reading begins at once, so `discard` may be called right after. Rejects as
   * the disk does.
   */
  head(bytes: number): Promise<Buffer>;
  /** Removes the file. Never rejects. */
  discard(): Promise<void>;
}

/**
 * Makes room for a piece of a body: has other bodies that arrive discarded, until `hasRoom` says that the piece fits. Where it still does
 * not fit, the body is refused.
 */
export type MakeRoom = (hasRoom: () => boolean) => void;

/** What a writer works with. */
export interface WriterOptions {
  /** The folder of this process. */
  folder: string;
  /** Of the file, without the folder and the extension. */
  name: string;
  /** Whether the body arrives, and is verified only when it is whole. A small one is verified before. */
  isLarge: boolean;
  room: SpoolRoom;
  makeRoom?: MakeRoom | undefined;
  /** Lets few writers use the disk at once. */
  turns: Turns;
  /** Called with a body that is kept. */
  onKept: (body: SpooledBody) => void;
  /** Called when the file of a kept body was removed. */
  onRemoved: (body: SpooledBody) => void;
}

interface Writing extends WriterOptions {
  readonly part: string;
  handle: FileHandle | undefined;
  pending: Buffer[];
  pendingBytes: number;
  /** How many pieces were added since pieces were last joined, and their bytes. */
  latest: number;
  latestBytes: number;
  /** What the room was told, and whether it was told that these bytes are not verified. */
  counted: number;
  isArriving: boolean;
  unsynced: number;
  bytes: number;
  /** The write under way. */
  flushing: Promise<void>;
}

/** Begins a file; the disk has it with the first bytes that are written. */
export function beginBody(options: WriterOptions): BodyWriter {
  const writing: Writing = {
    ...options,
    part: `${options.folder}/${options.name}.part`,
    handle: undefined,
    pending: [],
    pendingBytes: 0,
    latest: 0,
    latestBytes: 0,
    counted: 0,
    isArriving: options.isLarge,
    unsynced: 0,
    bytes: 0,
    flushing: Promise.resolve(),
  };
  return {
    get bytes() {
      return writing.bytes;
    },
    write: (chunk) => write(writing, chunk),
    keep: (facts) => keep(writing, facts),
    head: (bytes) => readHead(writing, bytes),
    discard: () => discard(writing),
  };
}

async function write(writing: Writing, chunk: Buffer): Promise<void> {
  takeRoom(writing, chunk.length);
  writing.bytes += chunk.length;
  gather(writing, chunk);
  if (writing.pendingBytes >= WRITE_BYTES) await flush(writing);
}

function gather(writing: Writing, chunk: Buffer): void {
  writing.pending.push(chunk);
  writing.pendingBytes += chunk.length;
  writing.latest += 1;
  writing.latestBytes += chunk.length;
  if (writing.latest < GATHER) return;
  if (writing.latestBytes < WRITE_BYTES / 4) writing.pending.push(Buffer.concat(writing.pending.splice(-GATHER)));
  dropLatest(writing);
}

function dropLatest(writing: Writing): void {
  writing.latest = 0;
  writing.latestBytes = 0;
}

/** Counts a piece that is to come. @throws SpoolError where it has no room */
function takeRoom(writing: Writing, bytes: number): void {
  const { room, isLarge, makeRoom } = writing;
  const hasRoom = () => (isLarge ? room.mayArrive(bytes, writing.counted) : room.hasRoomForSmall(bytes));
  if (!hasRoom()) {
    const couldHaveRoom = isLarge && room.hasRoomAlone(writing.counted + bytes);
    if (couldHaveRoom) makeRoom?.(hasRoom);
    if (!hasRoom()) throw couldHaveRoom ? crowdedError() : fullError();
  }
  count(writing, bytes);
}

function fullError(): SpoolError {
  return new SpoolError(
    'full',
    'The spool is full: SPOOL_LIMIT_BYTES, or the disk of SPOOL_DIR, has no room for the body.',
  );
}

function crowdedError(): SpoolError {
  return new SpoolError('crowded', 'Bodies that arrive faster have the room of the spool for bodies that arrive.');
}

function count(writing: Writing, bytes: number): void {
  const { room, isArriving } = writing;
  room.count(bytes);
  if (isArriving) room.countArriving(bytes);
  writing.counted += bytes;
}

/** From now on its bytes count as those of a verified body. */
function countVerified(writing: Writing): void {
  if (writing.isArriving) writing.room.countArriving(-writing.counted);
  writing.isArriving = false;
}

function flush(writing: Writing): Promise<void> {
  writing.flushing = flushPending(writing);
  return writing.flushing;
}

async function flushPending(writing: Writing): Promise<void> {
  const { pending, pendingBytes, turns } = writing;
  if (pendingBytes === 0) return;
  writing.pending = [];
  writing.pendingBytes = 0;
  dropLatest(writing);
  const giveBack = await turns.take();
  try {
    writing.handle ??= await open(writing.part, 'wx+', 0o600);
    const { bytesWritten } = await writing.handle.writev(pending);
    if (bytesWritten !== pendingBytes) {
      // The rest of a short write: the disk says why when it is written again.
      const rest = Buffer.concat(pending).subarray(bytesWritten);
      await writing.handle.writeFile(rest);
    }
    writing.unsynced += pendingBytes;
    if (writing.unsynced >= SYNC_BYTES) {
      writing.unsynced = 0;
      await writing.handle.datasync();
    }
  } catch (error) {
    throw spoolError(error);
  } finally {
    giveBack();
  }
}

async function keep(writing: Writing, facts: BodyFacts): Promise<SpooledBody> {
  const { folder, name, room, onKept, onRemoved } = writing;
  const footer = encodeFooter(facts);
  const path = `${folder}/${name}.body`;
  countVerified(writing);
  try {
    count(writing, footer.length);
    gather(writing, footer);
    await flush(writing);
    await settle(writing, path);
  } catch (error) {
    await removeFile(path).catch(() => undefined);
    await discard(writing);
    throw spoolError(error);
  }
  const { counted } = writing;
  const body = spooledBody(path, facts, () => {
    room.count(-counted);
    onRemoved(body);
  });
  onKept(body);
  return body;
}

/** Brings the file and its name to the disk. In its turn: many bodies that end together would take all threads from the journal. */
async function settle(writing: Writing, path: string): Promise<void> {
  const giveBack = await writing.turns.take();
  try {
    await writing.handle?.sync();
    await close(writing);
    await rename(writing.part, path);
    await syncFolder(writing.folder);
  } finally {
    giveBack();
  }
}

async function close(writing: Writing): Promise<void> {
  const { handle } = writing;
  writing.handle = undefined;
  await handle?.close();
}

async function discard(writing: Writing): Promise<void> {
  // At once: the body may be discarded to make room for a piece that cannot wait for the disk.
  count(writing, -writing.counted);
  writing.pending = [];
  writing.pendingBytes = 0;
  // Else a file that is being opened would stay.
  await writing.flushing.catch(() => undefined);
  await close(writing).catch(() => undefined);
  // A file that cannot be removed is removed by the process that takes the folder over.
  await removeFile(writing.part).catch(() => undefined);
}
