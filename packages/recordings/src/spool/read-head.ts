import type { FileHandle } from 'node:fs/promises';

/** A body under way: the file, where there is one, and what is not written yet. */
export interface Written {
  handle: FileHandle | undefined;
  pending: readonly Buffer[];
}

/** Reads the first bytes of a body under way. The reading begins at once; closing the file waits for it. Rejects as the disk does. */
export async function readHead({ handle, pending }: Written, bytes: number): Promise<Buffer> {
  if (handle === undefined) return Buffer.concat(pending).subarray(0, bytes);
  const head = Buffer.alloc(bytes);
  const { bytesRead } = await handle.read(head, 0, bytes, 0);
  return head.subarray(0, bytesRead);
}
