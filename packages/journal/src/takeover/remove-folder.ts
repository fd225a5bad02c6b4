import { removeFolder as removeEndedFolder } from '@landline/held-folder';
import { namesIn, type ListFolder } from '@landline/held-folder/files';
import { hasFilesToKeep } from '../segment/format.ts';

/** The files that a process puts beside its segments: its socket, its notes and the marks. */
const DISPENSABLE = /^(lock|notes\.json(\.new)?|.*\.log\.mark(\.new)?)$/;

/**
 * Removes the folder of an ended process, unless a file in it must stay. It removes only files that Landline made.
 *
 * @throws the disk's error; the folder stays where it cannot be listed, or holds a file that Landline did not make
 */
export async function removeFolder(folder: string, list: ListFolder = namesIn): Promise<void> {
  const names = await list(folder);
  if (hasFilesToKeep(names)) return;
  await removeEndedFolder(folder, {
    isDispensable: (name) => DISPENSABLE.test(name),
    list: () => Promise.resolve(names),
  });
}
