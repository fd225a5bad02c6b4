import { open, rename, type FileHandle } from 'node:fs/promises';
import { removeFile, syncFolder } from '@landline/held-folder/files';
import { spoolError, SpoolError } from './errors.ts';
import { encodeFooter, type BodyFacts } from './footer.ts';
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
  /** Removes the file. Never rejects. */
  discard(): Promise<void>;
}

/** What a writer works with. */
export interface WriterOptions {
  /** The folder of this process. */
  folder: string;
  /** Of the file, without the folder and the extension. */
  name: string;
  isLarge: boolean;
  room: SpoolRoom;
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
  /** What the room was told. */
  counted: number;
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
    discard: () => discard(writing),
  };
}

async function write(writing: Writing, chunk: Buffer): Promise<void> {
  const { room, isLarge } = writing;
  if (!room.hasRoomFor(chunk.length, isLarge)) throw fullError();
  count(writing, chunk.length);
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

function fullError(): SpoolError {
  return new SpoolError(
    'full',
    'The spool is full: SPOOL_LIMIT_BYTES, or the disk of SPOOL_DIR, has no room for the body.',
  );
}

function count(writing: Writing, bytes: number): void {
  writing.room.count(bytes);
  writing.counted += bytes;
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
    writing.handle ??= await open(writing.part, 'wx', 0o600);
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
  writing.pending = [];
  writing.pendingBytes = 0;
  // Else a file that is being opened would stay.
  await writing.flushing.catch(() => undefined);
  await close(writing).catch(() => undefined);
  // A file that cannot be removed is removed by the process that takes the folder over.
  await removeFile(writing.part).catch(() => undefined);
  writing.room.count(-writing.counted);
  writing.counted = 0;
}
