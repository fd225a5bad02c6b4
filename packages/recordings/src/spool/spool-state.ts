import { join } from 'node:path';
import { holdFolder, otherFolders, removeUnfinished, type OwnFolder } from '@landline/held-folder';
import { isGone, namesIn, sizeOf } from '@landline/held-folder/files';
import { spoolError } from './errors.ts';
import type { SpoolRoom } from './spool-room.ts';
import type { SpoolOptions } from './spool-options.ts';
import { BODY_FILE, fileBytes, readFacts, setAside, spooledBody, type SpooledBody } from './spooled-body.ts';
import { takeOver } from './take-over.ts';

/** A spool and what it knows. */
export interface State extends SpoolOptions {
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

/** Tells whether a trouble was reported that is not over. */
export function hasTrouble({ trouble }: State): boolean {
  return trouble.write !== undefined || trouble.check !== undefined;
}

/** Reports a trouble, unless it was the last one reported. @throws SpoolError always */
export function fail(state: State, source: 'write' | 'check', cause: unknown): never {
  const error = spoolError(cause);
  if (state.trouble[source] !== error.message && !state.isClosed) {
    state.trouble[source] = error.message;
    state.onError(error);
  }
  throw error;
}

/** Notes that the trouble of a source is over, and reports when none is left. */
export function recover(state: State, source: 'write' | 'check'): void {
  const had = state.trouble[source] !== undefined;
  state.trouble[source] = undefined;
  if (had && !hasTrouble(state)) state.onReady();
}

/** Takes a body that waits. */
export function take(state: State, body: SpooledBody): void {
  state.bodies.set(body.path, body);
  state.onBody(body);
}

/** Holds the folder where that was not possible before, takes over, and measures. Never rejects. */
export async function checkOnce(state: State): Promise<void> {
  const { dir, unfinished, room, onError, arrived } = state;
  try {
    await leaveLostFolder(state);
    state.own ??= await holdFolder(dir);
    await removeUnfinished(dir, unfinished, performance.now());
    await takeOver({ dir, folder: state.own, onTaken: (path) => arrived.push(path), onError });
    for (let path = arrived[0]; path !== undefined; path = arrived[0]) {
      // oxlint-disable-next-line no-await-in-loop -- one after the other: an ended process leaves few
      await arrive(state, path);
      arrived.shift();
    }
    await room.measure(await bytesOfOthers(dir, state.own.owner));
    recover(state, 'check');
  } catch (error) {
    reportCheck(state, error);
  }
}

/** Gives up the own folder where somebody has removed it, so that a new one is made. */
async function leaveLostFolder(state: State): Promise<void> {
  const { own } = state;
  if (own === undefined || !(await isGone(own.path))) return;
  state.own = undefined;
  await own.release();
}

/** Reports why a check failed. The next check tries again. */
function reportCheck(state: State, error: unknown): void {
  try {
    fail(state, 'check', error);
  } catch {
    // It is reported.
  }
}

async function arrive(state: State, path: string): Promise<void> {
  const { room } = state;
  const bytes = await fileBytes(path);
  room.count(bytes);
  const facts = BODY_FILE.test(path.slice(path.lastIndexOf('/') + 1)) ? await readFacts(path) : undefined;
  if (facts === undefined) {
    state.damaged.add(path.endsWith('.damaged') ? path : await setAside(path));
    state.onError(damagedError(path, 'unknown'));
    return;
  }
  const body = spooledBody(path, facts, () => {
    room.count(-bytes);
    state.bodies.delete(path);
  });
  take(state, body);
}

/** Returns the error for a body that cannot be read any more. */
export function damagedError(path: string, eventId: string): Error {
  return new Error(
    `The spool's file ${path} (event ${eventId}) is damaged or gone. What is left of it is set aside as ….damaged: look at its disk, and fetch the event from the provider`,
  );
}

async function bytesOfOthers(dir: string, owner: string): Promise<number> {
  let sum = 0;
  for (const { path } of await otherFolders(dir, owner)) {
    for (const name of await namesIn(path)) sum += await sizeOf(join(path, name));
  }
  return sum;
}
