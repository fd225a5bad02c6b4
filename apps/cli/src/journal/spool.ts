import { relative } from 'node:path';
import { counted } from '@landline/operations';
import { fetchedSpool, listSpool, verifySpoolFile, type SpoolFile } from '@landline/recordings';
import { formatTable } from '../format-table.ts';
import type { JournalContext } from './journal-context.ts';

/** Returns a row for each file of the spool, for `journal list`. */
function rowOf(dir: string, { path, begunAt, bytes, state, eventId, isHeld }: SpoolFile) {
  return {
    file: relative(dir, path),
    from: new Date(begunAt).toISOString().replace(/\.\d+/, ''),
    bytes,
    state,
    event: eventId ?? '',
    held: isHeld ? 'yes' : 'no',
  };
}

/** Lists what waits at receivers, and at workers that fetch audio. */
async function listBoth(spoolDir: string): Promise<SpoolFile[]> {
  const lists = await Promise.all([spoolDir, fetchedSpool(spoolDir)].map(listSpool));
  return lists.flat().sort((a, b) => a.begunAt - b.begunAt);
}

/**
 * Prints a row for each file of the spool, the oldest first; nothing where there is none. `waiting`: a verified body that is
 * not stored and enqueued yet; `arriving`: a body whose sender has no 200.
 */
export async function printSpool({
  spoolDir,
  print,
  width,
}: Pick<JournalContext, 'spoolDir' | 'print' | 'width'>): Promise<void> {
  const files = await listBoth(spoolDir);
  if (files.length === 0) return;
  print(`${spoolDir}:`);
  print(
    formatTable(
      files.map((file) => rowOf(spoolDir, file)),
      width,
    ),
  );
}

/** Reads and hashes every waiting body of the spool, and prints a line for each. Returns how many are damaged. */
export async function verifySpool({ spoolDir, print }: Pick<JournalContext, 'spoolDir' | 'print'>): Promise<number> {
  const files = await listBoth(spoolDir);
  let damaged = 0;
  for (const { path, bytes, state } of files) {
    const name = relative(spoolDir, path);
    // oxlint-disable-next-line no-await-in-loop -- a line for each file, as it is read
    const isIntact = state === 'arriving' || (state === 'waiting' && (await verifySpoolFile(path)) !== false);
    damaged += Number(!isIntact);
    print(`${name}: ${bytes} bytes, ${isIntact ? (state === 'arriving' ? 'arriving' : 'intact') : 'DAMAGED'}`);
  }
  if (files.length > 0) print(`${counted(files.length, 'file')} in ${spoolDir}.`);
  if (damaged > 0) print(`${counted(damaged, 'damaged body')}: fetch their events from ElevenLabs.`);
  return damaged;
}
