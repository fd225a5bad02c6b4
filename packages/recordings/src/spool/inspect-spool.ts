import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { otherFolders } from '@landline/held-folder';
import { ifMissing, namesIn, sizeOf } from '@landline/held-folder/files';
import { DamagedBodyError, MissingBodyError } from './errors.ts';
import type { BodyFacts } from './footer.ts';
import { BODY_FILE, DAMAGED_FILE, PART_FILE, readFacts, spooledBody } from './spooled-body.ts';

/** A file of a spool on the disk. */
export interface SpoolFile {
  path: string;
  /** Whether the process that owns the file's folder is alive. */
  isHeld: boolean;
  /** When the file was begun, in unix ms. */
  begunAt: number;
  bytes: number;
  /**
   * - `waiting`: a verified body that is not stored and enqueued yet;
   * - `arriving`: a body whose sender has no 200 yet, or never got one;
   * - `damaged`: it was verified once, and cannot be read any more.
   */
  state: 'waiting' | 'arriving' | 'damaged';
  /** The event's ledger id, where the file is readable. */
  eventId: string | undefined;
}

/** Lists the files in a spool's folder, oldest first; none where there is no such folder. Changes nothing. */
export async function listSpool(dir: string): Promise<SpoolFile[]> {
  const folders = await otherFolders(dir).catch(ifMissing([]));
  const lists = await Promise.all(folders.map(({ path, isHeld }) => listFolder(path, isHeld)));
  return lists.flat().sort((a, b) => a.begunAt - b.begunAt);
}

async function listFolder(folder: string, isHeld: boolean): Promise<SpoolFile[]> {
  const names = (await namesIn(folder)).filter((name) => stateOf(name) !== undefined);
  const files = await Promise.all(
    names.map((name) => listFile(join(folder, name), name, isHeld).catch(ifMissing(undefined))),
  );
  return files.filter((file) => file !== undefined);
}

async function listFile(path: string, name: string, isHeld: boolean): Promise<SpoolFile> {
  const named = stateOf(name) ?? 'damaged';
  const facts = named === 'waiting' ? await readFacts(path) : undefined;
  const state = named === 'waiting' && facts === undefined ? 'damaged' : named;
  return {
    path,
    isHeld,
    begunAt: Number(name.slice(0, 15)),
    bytes: await sizeOf(path),
    state,
    eventId: facts?.eventId,
  };
}

function stateOf(name: string): SpoolFile['state'] | undefined {
  if (BODY_FILE.test(name)) return 'waiting';
  if (PART_FILE.test(name)) return 'arriving';
  return DAMAGED_FILE.test(name) ? 'damaged' : undefined;
}

/** Reads a waiting file and hashes its body. Returns whether it is what was received; undefined where the file is gone meanwhile. */
export async function verifySpoolFile(path: string): Promise<boolean | undefined> {
  try {
    const facts = await readFacts(path);
    return facts !== undefined && (await hashOf(path, facts)) === facts.sha256;
  } catch (error) {
    if (error instanceof DamagedBodyError) return false;
    if (error instanceof MissingBodyError) return undefined;
    return ifMissing(undefined)(error);
  }
}

async function hashOf(path: string, facts: BodyFacts): Promise<string> {
  const hash = createHash('sha256');
  for await (const piece of spooledBody(path, facts).read(0, facts.bytes)) hash.update(piece);
  return hash.digest('hex');
}
