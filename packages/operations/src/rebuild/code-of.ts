import { createHash } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';

/** The packages that decide what the tables hold. */
const FOLDING = ['@landline/webhook', '@landline/store'];

/** Names the code that folds events: a hash of its files. Two workers of different versions have different names. */
export async function codeOfFold(): Promise<string> {
  const hash = createHash('sha256');
  const { resolve } = createRequire(import.meta.url);
  for (const name of FOLDING) {
    const folder = dirname(resolve(name));
    // oxlint-disable no-await-in-loop -- in order
    const entries = await readdir(folder, { recursive: true, withFileTypes: true });
    const files = entries
      .filter((entry) => entry.isFile() && entry.name.endsWith('.js'))
      .map((entry) => join(entry.parentPath, entry.name));
    for (const file of files.toSorted()) hash.update(`${file.slice(folder.length)}\0`).update(await readFile(file));
    // oxlint-enable no-await-in-loop
  }
  return hash.digest('hex').slice(0, 16);
}
