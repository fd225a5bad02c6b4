import { holdFolder, removeUnfinished, type OwnFolder } from '@landline/held-folder';
import type { DiskSpace } from '@landline/held-folder/disk-space';
import { isGone } from '@landline/held-folder/files';
import { beginBody, type BodyWriter, type MakeRoom } from './body-writer.ts';
import { spoolError, SpoolError } from './errors.ts';
import { addBody, forgetRemoved, readArrived, setBodyAside, type SpoolFiles } from './spool-files.ts';
import { createRoom } from './spool-room.ts';
import { newName, type SpooledBody } from './spooled-body.ts';
import { otherProcesses, takeOver } from './take-over.ts';
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

/** How to begin a body. */
export interface BeginOptions {
  /** Whether it arrives, and is verified only when it is whole: then it may not use the room that is kept for small and for verified bodies. */
  isLarge: boolean;
  /** Called where a piece of a large body has no room. */
  makeRoom?: MakeRoom;
}

/** Keeps large bodies on the disk until they are stored and enqueued. */
export interface Spool {
  /** Makes and holds a folder of this process, and takes over those of ended ones. Resolves also where the disk refuses, and goes on trying. */
  open(): Promise<void>;
  /** Tells whether a large body of so many bytes has room, now or once bodies that arrive make room for it. */
  hasRoomFor(bytes: number): boolean;
  /** Begins a body. @throws SpoolError where the folder cannot be used */
  begin(options: BeginOptions): BodyWriter;
  /** Tells whether the body of an event waits here. */
  holds(eventId: string): boolean;
  /** Sets a body aside that cannot be read any more. */
  setAside(body: SpooledBody): Promise<void>;
  status(): 'ready' | 'failed';
  stats(): SpoolStats;
  /** Releases the folder; what is in it stays for the next process. */
  close(): Promise<void>;
}

interface State extends SpoolOptions, SpoolFiles {
  readonly unfinished: Map<string, number>;
  own: OwnFolder | undefined;
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
    damaged: new Map(),
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
    hasRoomFor: (bytes) => state.own !== undefined && state.room.hasRoomAlone(bytes),
    begin({ isLarge, makeRoom }) {
      if (state.own === undefined || state.isClosed) {
        throw new SpoolError('failed', 'The spool in SPOOL_DIR takes no bodies: its folder cannot be used.');
      }
      const body = beginBody({
        folder: state.own.path,
        name: newName(),
        isLarge,
        room: state.room,
        makeRoom,
        turns,
        onKept: (kept) => addBody(state, kept),
        onRemoved: ({ path }) => state.bodies.delete(path),
      });
      return reporting(body, state);
    },
    holds: (eventId) => [...state.bodies.values()].some(({ facts }) => facts.eventId === eventId),
    setAside: (body) => setBodyAside(state, body),
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
  // A stranger can bring that about, and verified bodies have room.
  if (error.code === 'crowded') throw error;
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
    const fault = await readArrived(state);
    await forgetRemoved(state);
    await room.measure(await otherProcesses(dir, state.own.owner));
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
