import { rmdir } from 'node:fs/promises';
import { join } from 'node:path';
import { ifMissing, namesIn, removeFile, type ListFolder } from './files.ts';

/** Which files a folder may be removed with. */
export interface RemoveOptions {
  /** Tells by a file's name whether Landline made it and needs it no longer. */
  isDispensable: (name: string) => boolean;
  list?: ListFolder;
}

/**
 * Removes the folder of an ended process. It removes only dispensable files, each by its name, so a wrong listing cannot
 * cost events.
 *
 * @throws the disk's error; the folder stays where it cannot be listed, or holds another file
 */
export async function removeFolder(folder: string, { isDispensable, list = namesIn }: RemoveOptions): Promise<void> {
  const names = await list(folder);
  const foreign = names.find((name) => !isDispensable(name));
  if (foreign !== undefined) {
    throw new Error(
      `The folder ${folder} is done with and stays, because Landline did not make ${foreign} in it. Move that elsewhere.`,
    );
  }
  await Promise.all(names.map((name) => removeFile(join(folder, name))));
  await rmdir(folder).catch(ifMissing(undefined));
}
