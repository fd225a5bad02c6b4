import { join } from 'node:path';
import { namesIn, sizeOf } from '@landline/held-folder/files';
import { listFile } from '../inspect-journal.ts';
import { SEGMENT_FILE } from '../segment/format.ts';
import { otherFolders } from '@landline/held-folder';

/**
 * Counts the bytes in folders of ended processes that Redis lacks. An unreadable file counts whole.
 *
 * @throws the disk's error where a folder cannot be listed
 */
export async function unheldPendingBytes(journalDir: string, owner: string): Promise<number> {
  const unheld = (await otherFolders(journalDir, owner)).filter(({ isHeld }) => !isHeld);
  const names = await Promise.all(unheld.map(async ({ path }) => filesIn(path)));
  const sizes = await Promise.all(names.flat().map(pendingIn));
  return sizes.reduce((sum, size) => sum + size, 0);
}

async function filesIn(folder: string): Promise<string[]> {
  return (await namesIn(folder)).filter((name) => SEGMENT_FILE.test(name)).map((name) => join(folder, name));
}

async function pendingIn(path: string): Promise<number> {
  return listFile(path, false).then(
    ({ pendingBytes }) => pendingBytes,
    () => sizeOf(path),
  );
}
