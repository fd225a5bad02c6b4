import { randomBytes } from 'node:crypto';
import { readFile, rename, writeFile } from 'node:fs/promises';

/**
 * Reads the secret in `file`; when there is none, makes one of 32 random bytes (hex) and keeps it there with mode 600.
 *
 * @param adopt  Makes a new secret hold. It is called before the file is written: a run cut short in between leaves no
 *               file, and the next one makes another secret.
 */
export async function readOrMakeSecret(file: string, adopt?: (secret: string) => Promise<void>): Promise<string> {
  const kept = (await readFile(file, 'utf8').catch(emptyIfMissing)).trim();
  if (kept !== '') return kept;
  const secret = randomBytes(32).toString('hex');
  await adopt?.(secret);
  await writeFile(`${file}.new`, `${secret}\n`, { mode: 0o600 });
  await rename(`${file}.new`, file);
  return secret;
}

function emptyIfMissing(error: unknown): string {
  if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return '';
  throw error;
}
