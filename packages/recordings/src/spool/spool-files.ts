import { isGone, isMissing } from '@landline/held-folder/files';
import { damagedError, spoolError, type SpoolError } from './errors.ts';
import type { SpoolRoom } from './spool-room.ts';
import { BODY_FILE, fileBytes, readFacts, setAside, spooledBody, type SpooledBody } from './spooled-body.ts';

/** The files in the folder of this process, except those of bodies that arrive. */
export interface SpoolFiles {
  readonly room: SpoolRoom;
  /** The verified bodies, by the paths of their files. */
  readonly bodies: Map<string, SpooledBody>;
  /** Paths of files that cannot be read any more. Each has the function that gives the file's room back once a person has removed it. */
  readonly damaged: Map<string, () => void | Promise<void>>;
  /** Files of ended processes that lie in the folder and were not read yet. */
  readonly arrived: string[];
  /** Called with each body that waits. */
  onBody: (body: SpooledBody) => void;
  onError: (error: Error) => void;
}

/** Adds a body that waits. */
export function addBody({ bodies, onBody }: SpoolFiles, body: SpooledBody): void {
  bodies.set(body.path, body);
  onBody(body);
}

/** Sets a body aside that cannot be read any more. @throws the disk's error */
export async function setBodyAside({ bodies, damaged, onError }: SpoolFiles, body: SpooledBody): Promise<void> {
  const { path, facts } = body;
  damaged.set(await setAside(path), () => body.remove());
  bodies.delete(path);
  onError(damagedError(path, facts.eventId));
}

/** Forgets the damaged files that a person has removed. @throws the disk's error */
export async function forgetRemoved({ damaged }: SpoolFiles): Promise<void> {
  for (const [path, giveRoomBack] of damaged) {
    // oxlint-disable-next-line no-await-in-loop -- one after the other: there are few
    if (!(await isGone(path))) continue;
    damaged.delete(path);
    // oxlint-disable-next-line no-await-in-loop -- as above
    await giveRoomBack();
  }
}

/** Reads the files that were taken over. One that the disk does not give now stays for the next check, and keeps no other waiting. */
export async function readArrived(files: SpoolFiles): Promise<SpoolError | undefined> {
  const { arrived } = files;
  let fault: SpoolError | undefined;
  for (const path of arrived.splice(0)) {
    try {
      // oxlint-disable-next-line no-await-in-loop -- one after the other: an ended process leaves few
      await arrive(files, path);
    } catch (error) {
      // A person may have removed it.
      if (isMissing(error)) continue;
      arrived.push(path);
      fault ??= spoolError(error);
    }
  }
  return fault;
}

async function arrive(files: SpoolFiles, path: string): Promise<void> {
  const { room, bodies, damaged, onError } = files;
  const bytes = await fileBytes(path);
  const facts = BODY_FILE.test(path.slice(path.lastIndexOf('/') + 1)) ? await readFacts(path) : undefined;
  if (facts === undefined) {
    damaged.set(path.endsWith('.damaged') ? path : await setAside(path), () => room.count(-bytes));
    room.count(bytes);
    onError(damagedError(path, 'unknown'));
    return;
  }
  // Once: a file that could not be read a moment ago arrives again.
  room.count(bytes);
  const body = spooledBody(path, facts, () => {
    room.count(-bytes);
    bodies.delete(path);
  });
  addBody(files, body);
}
