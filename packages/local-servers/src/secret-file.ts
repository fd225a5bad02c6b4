import { randomBytes } from 'node:crypto';
import { readFile, rename, writeFile } from 'node:fs/promises';

/**
 * Reads the secret in `file`. Where there is none, it makes a secret of 32 random bytes (hex) and writes that to `file`, with mode 600.
 *
 * @param adopt  Puts a new secret into effect, for example in the server. It is called before the file is written. A run cut short in
 *               between leaves no file, and the next run makes another secret.
 * @returns      The secret.
 * @throws       When the file cannot be read or written; what `adopt` throws.
 */
export async function readOrMakeSecret(file: string, adopt?: (secret: string) => Promise<void>): Promise<string> {
  const kept = await readKeptSecret(file);
  if (kept !== undefined) return kept;
  const secret = makeSecret();
  await adopt?.(secret);
  await keepSecret(file, secret);
  return secret;
}

/**
 * Reads the secret in `file`, without white space around it.
 *
 * @returns The secret; undefined where the file is missing or empty.
 * @throws  When the file exists and cannot be read.
 */
export async function readKeptSecret(file: string): Promise<string | undefined> {
  const text = await readFile(file, 'utf8').catch(emptyIfMissing);
  return text.trim() || undefined;
}

/** Makes a secret of 32 random bytes, in hex. */
export function makeSecret(): string {
  return randomBytes(32).toString('hex');
}

/** Writes a secret to `file`, with mode 600. A process that reads the file meanwhile gets the old secret or the new one. */
export async function keepSecret(file: string, secret: string): Promise<void> {
  await writeFile(`${file}.new`, `${secret}\n`, { mode: 0o600 });
  await rename(`${file}.new`, file);
}

function emptyIfMissing(error: unknown): string {
  if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return '';
  throw error;
}
