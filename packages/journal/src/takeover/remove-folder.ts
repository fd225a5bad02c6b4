import { rmdir } from 'node:fs/promises';
import { join } from 'node:path';
import { ifMissing, namesIn, removeFile, type ListFolder } from '../files.ts';
import { hasFilesToKeep } from '../segment/format.ts';

/** The files that a process puts beside its segments: its socket, its notes and the marks. */
const DISPENSABLE = /^(lock|notes\.json(\.new)?|.*\.log\.mark(\.new)?)$/;

/**
 * Removes the folder of an ended process, unless a file in it must stay. It removes only files that Landline made, each
 * by its name, so a wrong listing cannot cost events.
 *
 * @throws the disk's error; the folder stays where it cannot be listed, or holds a file that Landline did not make
 */
export async function removeFolder(folder: string, list: ListFolder = namesIn): Promise<void> {
  const names = await list(folder);
  if (hasFilesToKeep(names)) return;
  const foreign = names.find((name) => !DISPENSABLE.test(name));
  if (foreign !== undefined) {
    throw new Error(
      `The journal's folder ${folder} is done with and stays, because Landline did not make ${foreign} in it. Move that elsewhere.`,
    );
  }
  await Promise.all(names.map((name) => removeFile(join(folder, name))));
  await rmdir(folder).catch(ifMissing(undefined));
}
