import { holdFolder, removeUnfinished, type OwnFolder } from '@landline/held-folder';
import type { DiskSpace } from '@landline/held-folder/disk-space';
import { isGone, isMissing } from '@landline/held-folder/files';
import { beginBody, type BodyWriter } from './body-writer.ts';
import { damagedError, spoolError, SpoolError } from './errors.ts';
import { createRoom, type SpoolRoom } from './spool-room.ts';
import { BODY_FILE, fileBytes, newName, readFacts, setAside, spooledBody, type SpooledBody } from './spooled-body.ts';
import { bytesOfOthers, takeOver } from './take-over.ts';
import { createTurns } from './turns.ts';

/** How often the spool looks for folders of ended processes and for room on the disk, in ms. */
const CHECK_MS = 2_000;

/** How many writes to the disk run at once. Node has four threads for files, and the journal needs some of them. */
const WRITES_AT_ONCE = 2;

/** How to make a spool. */
export interface SpoolOptions {
  /** `SPOOL_DIR` */
  dir: string;
  /** `SPOOL_LIMIT_BYTES`: of everything in the folder, that of other processes included. */
  limitBytes: number;
  /** Called with each body that waits: one that was just kept, or one that an ended process left. */
  onBody: (body: SpooledBody) => void;
  /** Called with each new trouble, once until it is over. */
  onError: (error: Error) => void;
  /** Called when the spool takes bodies again. */
  onReady: () => void;
  /** Reads the disk's space; the default asks the system. */
  diskSpace?: (path: string) => Promise<DiskSpace>;
  checkMs?: number;
}

/** What a spool holds. */
export interface SpoolStats {
  /** Verified bodies of this process. */
  files: number;
  /** All bytes in the folder, as far as this process knows. */
  bytes: number;
  /** When the oldest of the verified bodies was received, in unix ms; undefined where there is none. */
  oldestAt: number | undefined;
  /** Files that cannot be read any more and wait for a person. */
  damagedFiles: number;
  diskFreeBytes: number | undefined;
}

/** Keeps large bodies on the disk until they are stored and enqueued. */
export interface Spool {
  /** Makes and holds a folder of this process, and takes over those of ended ones. Resolves also where the disk refuses, and goes on trying. */
  open(): Promise<void>;
  /** Tells whether a body of so many bytes more has room now. */
  hasRoomFor(bytes: number): boolean;
  /** Begins a body. `isLarge`: it may not use the share that is kept for small ones. @throws SpoolError where the folder cannot be used */
  begin(options: { isLarge: boolean }): BodyWriter;
  /** Sets a body aside that cannot be read any more. */
  setAside(body: SpooledBody): Promise<void>;
  status(): 'ready' | 'failed';
  stats(): SpoolStats;
  /** Releases the folder; what is in it stays for the next process. */
  close(): Promise<void>;
}

interface State extends SpoolOptions {
  readonly room: SpoolRoom;
  readonly bodies: Map<string, SpooledBody>;
  readonly unfinished: Map<string, number>;
  damaged: Set<string>;
  own: OwnFolder | undefined;
  /** Files of ended processes that lie in the own folder and were not read yet. */
  readonly arrived: string[];
  /** The troubles that were reported last: of a write, and of a check of the folder. Undefined where there is none. */
  readonly trouble: Record<'write' | 'check', string | undefined>;
  isClosed: boolean;
}

/** Makes a spool. */
export function createSpool(options: SpoolOptions): Spool {
  const state: State = {
    ...options,
    room: createRoom(options),
    bodies: new Map(),
    unfinished: new Map(),
    damaged: new Set(),
    own: undefined,
    arrived: [],
    trouble: { write: undefined, check: undefined },
    isClosed: false,
  };
  const turns = createTurns(WRITES_AT_ONCE);
  let checking: Promise<void> | undefined;
  let timer: NodeJS.Timeout | undefined;

  function check(): Promise<void> {
    checking ??= checkOnce(state).finally(() => (checking = undefined));
    return checking;
  }

  return {
    async open() {
      await check();
      timer = setInterval(() => void check(), options.checkMs ?? CHECK_MS).unref();
    },
    hasRoomFor: (bytes) => state.own !== undefined && state.room.hasRoomFor(bytes, true),
    begin({ isLarge }) {
      if (state.own === undefined || state.isClosed) {
        throw new SpoolError('failed', 'The spool in SPOOL_DIR takes no bodies: its folder cannot be used.');
      }
      const body = beginBody({
        folder: state.own.path,
        name: newName(),
        isLarge,
        room: state.room,
        turns,
        onKept: (kept) => take(state, kept),
        onRemoved: ({ path }) => state.bodies.delete(path),
      });
      return reporting(body, state);
    },
    async setAside({ path, facts }) {
      state.damaged.add(await setAside(path));
      state.bodies.delete(path);
      state.onError(damagedError(path, facts.eventId));
    },
    status: () => (state.own === undefined || hasTrouble(state) ? 'failed' : 'ready'),
    stats: () => statsOf(state),
    async close() {
      state.isClosed = true;
      clearInterval(timer);
      await checking;
      await state.own?.release();
    },
  };
}

function statsOf({ bodies, room, damaged }: State): SpoolStats {
  let oldestAt: number | undefined;
  for (const { facts } of bodies.values()) oldestAt = Math.min(oldestAt ?? Infinity, facts.receivedAt);
  return {
    files: bodies.size,
    bytes: room.bytes(),
    oldestAt,
    damagedFiles: damaged.size,
    diskFreeBytes: room.freeBytes(),
  };
}

function take(state: State, body: SpooledBody): void {
  state.bodies.set(body.path, body);
  state.onBody(body);
}

function hasTrouble({ trouble }: State): boolean {
  return trouble.write !== undefined || trouble.check !== undefined;
}

/** Reports the first failed write, and the first that works again. */
function reporting(body: BodyWriter, state: State): BodyWriter {
  return {
    ...body,
    get bytes() {
      return body.bytes;
    },
    write: (chunk) => body.write(chunk).catch((error: unknown) => fail(state, 'write', error)),
    async keep(facts) {
      const kept = await body.keep(facts).catch((error: unknown) => fail(state, 'write', error));
      recover(state, 'write');
      return kept;
    },
  };
}

function fail(state: State, source: 'write' | 'check', cause: unknown): never {
  const error = spoolError(cause);
  if (state.trouble[source] !== error.message && !state.isClosed) {
    state.trouble[source] = error.message;
    state.onError(error);
  }
  throw error;
}

function recover(state: State, source: 'write' | 'check'): void {
  const had = state.trouble[source] !== undefined;
  state.trouble[source] = undefined;
  if (had && !hasTrouble(state)) state.onReady();
}

/** Holds the folder where that was not possible before, takes over, and measures. Never rejects. */
async function checkOnce(state: State): Promise<void> {
  const { dir, unfinished, room, onError, arrived } = state;
  try {
    // A person may have removed it.
    if (state.own !== undefined && (await isGone(state.own.path)))
      await state.own.release().then(() => (state.own = undefined));
    state.own ??= await holdFolder(dir);
    await removeUnfinished(dir, unfinished, performance.now());
    await takeOver({ dir, folder: state.own, onTaken: (path) => arrived.push(path), onError });
    const fault = await arriveAll(state);
    await room.measure(await bytesOfOthers(dir, state.own.owner));
    if (fault !== undefined) throw fault;
    recover(state, 'check');
  } catch (error) {
    reportCheck(state, error);
  }
}

/** Reports why a check failed. The next check tries again. */
function reportCheck(state: State, error: unknown): void {
  try {
    fail(state, 'check', error);
  } catch {
    // It is reported.
  }
}

/** Reads the files that were taken over. One that the disk does not give now stays for the next check, and keeps no other waiting. */
async function arriveAll(state: State): Promise<SpoolError | undefined> {
  let fault: SpoolError | undefined;
  for (const path of state.arrived.splice(0)) {
    try {
      // oxlint-disable-next-line no-await-in-loop -- one after the other: an ended process leaves few
      await arrive(state, path);
    } catch (error) {
      // A person may have removed it.
      if (isMissing(error)) continue;
      state.arrived.push(path);
      fault ??= spoolError(error);
    }
  }
  return fault;
}

async function arrive(state: State, path: string): Promise<void> {
  const { room } = state;
  const bytes = await fileBytes(path);
  const facts = BODY_FILE.test(path.slice(path.lastIndexOf('/') + 1)) ? await readFacts(path) : undefined;
  if (facts === undefined) {
    state.damaged.add(path.endsWith('.damaged') ? path : await setAside(path));
    room.count(bytes);
    state.onError(damagedError(path, 'unknown'));
    return;
  }
  // Once: a file that could not be read a moment ago arrives again.
  room.count(bytes);
  const body = spooledBody(path, facts, () => {
    room.count(-bytes);
    state.bodies.delete(path);
  });
  take(state, body);
}
