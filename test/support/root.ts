import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';

/** The repository's folder, seen from a source file or from the build of a suite. */
export const ROOT = folderWith('package-lock.json', import.meta.dirname);

/** The innermost folder around `folder`, itself included, that holds a file of this name. */
function folderWith(name: string, folder: string): string {
  if (existsSync(join(folder, name))) return folder;
  if (folder === dirname(folder)) throw new Error(`No folder around ${import.meta.dirname} holds ${name}.`);
  return folderWith(name, dirname(folder));
}
