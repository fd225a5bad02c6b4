import { randomBytes } from 'node:crypto';
import { open, rename, stat } from 'node:fs/promises';
import { isMissing, removeFile } from '@landline/held-folder/files';
import type { ReadRange } from '../split/split-source.ts';
import { DamagedBodyError, MissingBodyError } from './errors.ts';
import { decodeFacts, factBytes, MAX_FACT_BYTES, TAIL_BYTES, type BodyFacts } from './footer.ts';

/** How many bytes of a body are read at once. */
const READ_BYTES = 256 * 1024;

/** A verified body that waits on the disk. */
export interface SpooledBody {
  readonly facts: BodyFacts;
  /** Of its file, which has the body, and its facts behind it. */
  readonly path: string;
  read: ReadRange;
  /** Removes the file. Call it when the event is durable elsewhere. */
  remove(): Promise<void>;
}

/** Returns the name of a new file, without its extension. */
export function newName(): string {
  return `${String(Date.now()).padStart(15, '0')}-${randomBytes(6).toString('hex')}`;
}

/** The name of a file whose body was verified: the time of its receipt, and a random part. */
export const BODY_FILE = /^(\d{15})-[0-9a-f]{12}\.body$/;

/** The name of a file whose body has not arrived in full, or was not verified: its sender got no 200. */
export const PART_FILE = /^\d{15}-[0-9a-f]{12}\.part$/;

/** The name of a file that was verified once, and is not readable any more. Only a person removes it. */
export const DAMAGED_FILE = /^\d{15}-[0-9a-f]{12}\.damaged$/;

/** Makes the handle of a body whose facts are known. `onRemoved` is called once, after its file was removed. */
export function spooledBody(path: string, facts: BodyFacts, onRemoved?: () => void): SpooledBody {
  let isRemoved = false;
  return {
    facts,
    path,
    read: (from, to) => readRange(path, from, to),
    async remove() {
      await removeFile(path);
      if (!isRemoved) onRemoved?.();
      isRemoved = true;
    },
  };
}

/** Reads the facts of a verified body's file. Returns undefined where the file is damaged. @throws the disk's error */
export async function readFacts(path: string): Promise<BodyFacts | undefined> {
  const handle = await open(path, 'r');
  try {
    const { size } = await handle.stat();
    const tail = await readAt(handle, size - TAIL_BYTES, TAIL_BYTES);
    const length = factBytes(tail);
    if (length === undefined || length > MAX_FACT_BYTES) return undefined;
    const facts = decodeFacts(await readAt(handle, size - TAIL_BYTES - length, length), tail);
    return facts?.bytes === size - TAIL_BYTES - length ? facts : undefined;
  } finally {
    await handle.close();
  }
}

/** Gives a damaged file its other name, so that it is not tried again. Returns the new path. */
export async function setAside(path: string): Promise<string> {
  const aside = path.replace(/\.body$/, '.damaged');
  await rename(path, aside);
  return aside;
}

/** Returns a file's size in bytes. @throws the disk's error */
export async function fileBytes(path: string): Promise<number> {
  return (await stat(path)).size;
}

type Handle = Awaited<ReturnType<typeof open>>;

async function readAt(handle: Handle, position: number, length: number): Promise<Buffer> {
  if (position < 0 || length <= 0) return Buffer.alloc(0);
  const { bytesRead, buffer } = await handle.read(Buffer.alloc(length), 0, length, position);
  return buffer.subarray(0, bytesRead);
}

/** Yields each piece in a buffer of its own: the reader may keep it. @throws DamagedBodyError, MissingBodyError */
async function* readRange(path: string, from: number, to: number): AsyncGenerator<Buffer> {
  const handle = await open(path, 'r').catch((cause: unknown) => {
    throw isMissing(cause) ? new MissingBodyError(`${path} is gone.`, { cause }) : cause;
  });
  try {
    for (let at = from; at < to;) {
      // oxlint-disable-next-line no-await-in-loop -- piece after piece
      const piece = await readAt(handle, at, Math.min(READ_BYTES, to - at));
      if (piece.length === 0) throw new DamagedBodyError(`${path} ends at byte ${at}, before ${to}.`);
      at += piece.length;
      yield piece;
    }
  } finally {
    await handle.close();
  }
}
