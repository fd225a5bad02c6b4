import { rename } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { otherFolders, removeFolder, type OwnFolder } from '@landline/held-folder';
import { ifMissing, isMissing, namesIn, sizeOf, syncFolder } from '@landline/held-folder/files';
import type { OtherProcesses } from './spool-room.ts';
import { BODY_FILE, DAMAGED_FILE, PART_FILE } from './spooled-body.ts';

/** How to take over. */
export interface TakeOverOptions {
  /** `SPOOL_DIR` */
  dir: string;
  folder: Pick<OwnFolder, 'path' | 'owner'>;
  /** Called with the path of each file that is in `folder` now. */
  onTaken: (path: string) => void;
  onError: (error: Error) => void;
}

/**
 * Takes over the folders of ended processes: their verified bodies move into `folder`. Files whose sender got no 200 are
 * removed. Where two processes do so at once, each file moves once, to one of them.
 */
export async function takeOver({ dir, folder, onTaken, onError }: TakeOverOptions): Promise<void> {
  for (const { path, isHeld } of await otherFolders(dir, folder.owner)) {
    if (isHeld) continue;
    // oxlint-disable-next-line no-await-in-loop -- one folder after the other
    await takeFolder(path, folder.path, onTaken).catch((error: unknown) =>
      onError(new Error(`The spool's folder ${path} stays for now and is tried again: ${String(error)}`)),
    );
  }
}

async function takeFolder(dead: string, folder: string, onTaken: (path: string) => void): Promise<void> {
  const names = (await namesIn(dead)).filter((name) => BODY_FILE.test(name) || DAMAGED_FILE.test(name)).sort();
  let isTaken = false;
  for (const name of names) {
    const path = join(folder, basename(name));
    // oxlint-disable-next-line no-await-in-loop -- in the order of their age
    const isOurs = await rename(join(dead, name), path).then(
      () => true,
      (error: unknown) => {
        // Another process has taken it.
        if (isMissing(error)) return false;
        throw error;
      },
    );
    if (!isOurs) continue;
    isTaken = true;
    // At once: where a later step fails, the next check finds no more of this file in the folder of the ended process.
    onTaken(path);
  }
  // The names must be on the disk here before the old folder is removed.
  if (isTaken) await syncFolder(folder);
  await removeFolder(dead, { isDispensable: (name) => name === 'lock' || PART_FILE.test(name) }).catch(
    ifMissing(undefined),
  );
}

/** Returns what the folders of other processes hold, and how many of these processes are alive. @throws the disk's error */
export async function otherProcesses(dir: string, owner: string): Promise<OtherProcesses> {
  const found = { bytes: 0, alive: 0 };
  for (const { path, isHeld } of await otherFolders(dir, owner)) {
    if (isHeld) found.alive += 1;
    for (const name of await namesIn(path)) found.bytes += await sizeOf(join(path, name));
  }
  return found;
}
