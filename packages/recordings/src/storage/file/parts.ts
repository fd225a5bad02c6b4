import { hash, randomBytes } from 'node:crypto';
import { open, stat, type FileHandle } from 'node:fs/promises';
import { join } from 'node:path';
import { makeFolder } from '@landline/held-folder';
import { ifMissing, namesIn, removeFile } from '@landline/held-folder/files';

/** The folder of files that are being written. It is on the disk of the recordings, so that a file is put in place without a copy. */
const PARTS = '.parts';

/** The age at which nobody writes a part any more, in ms. A process that was killed has left it. */
const LEFT_OVER_MS = 24 * 60 * 60 * 1000;

/** Half of a part's name: the parts of one content for one path have the same. */
export function partMark(path: string, sha256: string): string {
  return hash('sha256', `${path}\0${sha256}`, 'hex').slice(0, 12);
}

/**
 * Writes a content into a new file and fsyncs it. Returns its path.
 *
 * @param mark  Of `partMark`; by default one that no other part has.
 * @throws the disk's error, or the content's; then no file is left
 */
export async function writePart(
  root: string,
  content: AsyncIterable<Buffer>,
  mark: string = randomBytes(6).toString('hex'),
): Promise<string> {
  const folder = join(root, PARTS);
  await makeFolder(folder);
  const path = join(folder, `${mark}${randomBytes(6).toString('hex')}.part`);
  const handle = await open(path, 'wx', 0o600);
  try {
    for await (const bytes of content) await writeAll(handle, bytes);
    await handle.sync();
  } catch (error) {
    await handle.close().catch(() => undefined);
    await removeFile(path).catch(() => undefined);
    throw error;
  }
  await handle.close();
  return path;
}

/** Removes the parts with a mark, whose content is in place: a process that was killed left them, or another one writes the same. */
export async function removeParts(root: string, mark: string): Promise<void> {
  const folder = join(root, PARTS);
  const names = (await namesIn(folder)).filter((name) => name.startsWith(mark) && name.endsWith('.part'));
  await Promise.all(names.map((name) => removeFile(join(folder, name))));
}

/** Removes the parts that killed processes have left. A part that is being written is younger. @throws the disk's error */
export async function removeLeftOvers(root: string): Promise<void> {
  const folder = join(root, PARTS);
  for (const name of await namesIn(folder)) {
    if (!/^[0-9a-f]{24}\.part$/.test(name)) continue;
    const path = join(folder, name);
    // oxlint-disable-next-line no-await-in-loop -- seldom any
    const found = await stat(path).catch(ifMissing(undefined));
    // oxlint-disable-next-line no-await-in-loop -- seldom any
    if (found !== undefined && Date.now() - found.mtimeMs > LEFT_OVER_MS) await removeFile(path);
  }
}

/** A nearly full disk takes a part of a write without an error. */
async function writeAll(handle: FileHandle, bytes: Buffer): Promise<void> {
  for (let rest = bytes; rest.length > 0;) {
    // oxlint-disable-next-line no-await-in-loop -- the bytes are written in their order
    const { bytesWritten } = await handle.write(rest);
    rest = rest.subarray(bytesWritten);
  }
}
