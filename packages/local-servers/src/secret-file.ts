import { randomBytes } from 'node:crypto';
import { readFile, rename, writeFile } from 'node:fs/promises';

/**
 * Reads the secret in `file`; when there is none, makes one of 32 random bytes (hex) and keeps it there with mode 600.
 *
 * @param adopt  Makes a new secret hold. It is called before the file is written: a run cut short in between leaves no
 *               file, and the next one makes another secret.
 */
export async function readOrMakeSecret(file: string, adopt?: (secret: string) => Promise<void>): Promise<string> {
  const kept = await readKeptSecret(file);
  if (kept !== undefined) return kept;
  const secret = makeSecret();
  await adopt?.(secret);
  await keepSecret(file, secret);
  return secret;
}

/** Reads the secret in `file`; undefined where there is none. */
export async function readKeptSecret(file: string): Promise<string | undefined> {
  const text = await readFile(file, 'utf8').catch(emptyIfMissing);
  return text.trim() || undefined;
}

/** Makes a secret of 32 random bytes, in hex. */
export function makeSecret(): string {
  return randomBytes(32).toString('hex');
}

/** Writes a secret to `file`, with mode 600; whoever reads it sees the old one or the new one. */
export async function keepSecret(file: string, secret: string): Promise<void> {
  await writeFile(`${file}.new`, `${secret}\n`, { mode: 0o600 });
  await rename(`${file}.new`, file);
}

function emptyIfMissing(error: unknown): string {
  if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return '';
  throw error;
}
