import { rmdir } from 'node:fs/promises';
import { join } from 'node:path';
import { ifMissing, namesIn, removeFile, type ListFolder } from '../files.ts';
import { holdsSomething } from '../segment/format.ts';

/** What a process puts into its folder beside segments: its socket, its notes and the marks. */
const DISPENSABLE = /^(lock|notes\.json(\.new)?|.*\.log\.mark(\.new)?)$/;

/**
 * Removes the folder of a process that is gone, unless there is something to keep in it. Only files that Landline made are removed, each
 * by its name, so a folder that was read wrongly cannot take events with it.
 *
 * @throws the disk's error; where the folder cannot be listed, or holds a file that Landline did not make, it stays
 */
export async function removeFolder(folder: string, list: ListFolder = namesIn): Promise<void> {
  const names = await list(folder);
  if (holdsSomething(names)) return;
  const strange = names.find((name) => !DISPENSABLE.test(name));
  if (strange !== undefined) {
    throw new Error(
      `The journal's folder ${folder} is done with and stays, because Landline did not make ${strange} in it. Move that elsewhere.`,
    );
  }
  await Promise.all(names.map((name) => removeFile(join(folder, name))));
  await rmdir(folder).catch(ifMissing(undefined));
}
