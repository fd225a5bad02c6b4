import { closeSync, openSync, readSync } from 'node:fs';

/**
 * The greatest size of a file that holds a secret, in bytes. A key or a URL has a few hundred bytes; a larger file is
 * the wrong one.
 */
const MAX_BYTES = 65_536;

/** An error for a secret that cannot be read. Its message names the variable and the path, never the file's content. */
export class SecretFileError extends Error {
  readonly code = 'secret_invalid';

  constructor(message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'SecretFileError';
  }
}

/**
 * Reads a secret from the variable `name`, or from the file that `<name>_FILE` names. An empty variable counts as not
 * set.
 *
 * @param name  For example `DATABASE_URL`.
 * @param env   `process.env`, or a test's own.
 * @returns     The value without the line breaks at the file's end; undefined where neither variable is set.
 * @throws      SecretFileError: both are set, or the file cannot be read, is empty, too large or no text.
 */
export function readSecret(name: string, env: Readonly<Record<string, string | undefined>>): string | undefined {
  const fileVariable = `${name}_FILE`;
  const value = env[name] || undefined;
  const path = env[fileVariable];
  if (!path) return value;
  if (value !== undefined) throw new SecretFileError(`${name} and ${fileVariable} are both set: keep one of them`);
  const text = decode(readBounded(path, fileVariable), `${fileVariable}: ${path}`);
  if (text === '') throw new SecretFileError(`${fileVariable}: ${path} is empty`);
  return text;
}

/**
 * Reads a file, and at most one byte more than the limit. So neither a huge file nor an endless device fills the
 * memory.
 */
function readBounded(path: string, fileVariable: string): Buffer {
  const bytes = Buffer.alloc(MAX_BYTES + 1);
  let length = 0;
  try {
    const file = openSync(path, 'r');
    try {
      for (let read = -1; read !== 0 && length < bytes.length; length += read) {
        read = readSync(file, bytes, length, bytes.length - length, null);
      }
    } finally {
      closeSync(file);
    }
  } catch (cause) {
    const reason = cause instanceof Error && 'code' in cause ? String(cause.code) : String(cause);
    throw new SecretFileError(
      `${fileVariable}: cannot read ${path} (${reason}). The file must be there, and the user that this process runs as must be able to read it`,
      { cause },
    );
  }
  if (length > MAX_BYTES) {
    throw new SecretFileError(`${fileVariable}: ${path} holds more than ${MAX_BYTES} bytes: it is the wrong file`);
  }
  return bytes.subarray(0, length);
}

/** Decodes UTF-8 without a byte order mark, and cuts the line breaks that editors and `echo` leave at the end. */
function decode(bytes: Buffer, where: string): string {
  if (bytes.includes(0)) throw new SecretFileError(`${where} is no text: it holds a NUL byte`);
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes).replace(/[\r\n]+$/, '');
  } catch {
    // Without the cause, because its message holds bytes of the secret.
    throw new SecretFileError(`${where} is no text in UTF-8`);
  }
}
