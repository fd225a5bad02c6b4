import { randomBytes } from 'node:crypto';
import { ifMissing } from '@landline/held-folder/files';
import { beginBody, type BodyWriter } from './body-writer.ts';
import { SpoolError } from './errors.ts';
import type { SpoolOptions } from './spool-options.ts';
import { createRoom } from './spool-room.ts';
import { checkOnce, damagedError, fail, hasTrouble, recover, take, type State } from './spool-state.ts';
import { setAside, type SpooledBody } from './spooled-body.ts';
import { createTurns } from './turns.ts';

/** How often the spool looks for folders of ended processes and for room on the disk, in ms. */
const CHECK_MS = 2_000;

/** How many writes to the disk run at once. Node has four threads for files, and the journal needs some of them. */
const WRITES_AT_ONCE = 2;

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
    async setAside(body) {
      const { path, facts } = body;
      const aside = await setAside(path).catch(ifMissing(undefined));
      if (aside === undefined) await body.remove();
      else state.damaged.add(aside);
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

function newName(): string {
  return `${String(Date.now()).padStart(15, '0')}-${randomBytes(6).toString('hex')}`;
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
