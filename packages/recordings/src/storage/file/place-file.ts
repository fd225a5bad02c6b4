import { link, rename, stat } from 'node:fs/promises';
import { ifMissing } from '@landline/held-folder/files';
import { systemCode } from './file-error.ts';

/** What `link` fails with where a file system has no hard links. */
const NO_LINKS = ['EPERM', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS', 'EMLINK', 'EINVAL'];

/** The one call that puts a file in place, so that a test can take it away. */
export type LinkFile = (from: string, to: string) => Promise<void>;

/**
 * Gives a file a second name, and never takes a name that is in use. The first name stays, unless the file system has no
 * hard links.
 *
 * @returns whether the file has the name; false: another file had it
 * @throws the disk's error
 */
export async function placeFile(from: string, to: string, linkFile: LinkFile = link): Promise<boolean> {
  try {
    await linkFile(from, to);
    return true;
  } catch (error) {
    const code = systemCode(error) ?? '';
    if (code === 'EEXIST') return false;
    // Another process put the same content in place, and removed what it took for a left-over.
    if (code === 'ENOENT' && (await isThere(to))) return false;
    if (!NO_LINKS.includes(code)) throw error;
  }
  // Another process may take the name in between; within this process, puts of one key follow each other.
  if (await isThere(to)) return false;
  await rename(from, to);
  return true;
}

async function isThere(path: string): Promise<boolean> {
  return (await stat(path).catch(ifMissing(undefined))) !== undefined;
}
