import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';

/** The repository's folder, also for code that runs from a build. */
export const ROOT = folderWith('package-lock.json', import.meta.dirname);

/** Returns the innermost folder that holds a file of this name: `folder` itself, or one around it. */
function folderWith(name: string, folder: string): string {
  if (existsSync(join(folder, name))) return folder;
  if (folder === dirname(folder)) throw new Error(`No folder around ${import.meta.dirname} holds ${name}.`);
  return folderWith(name, dirname(folder));
}
