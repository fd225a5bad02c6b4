import { relative } from 'node:path';
import { parseArgs } from 'node:util';
import { listJournal } from '@landline/journal';
import { formatTable } from '../format-table.ts';
import type { JournalContext } from './journal-context.ts';
import { printSpool } from './spool.ts';

/**
 * `landline journal list`: prints a row for each file, the oldest first, and those of the spool. The times are in UTC.
 *
 * - `not enqueued` counts the records that Redis lacks.
 * - `held` says whether the process that writes the file is alive. The next receiver takes over the other files.
 *
 * @returns The exit code 0.
 */
export async function printJournal(args: string[], { dir, spoolDir, print, width }: JournalContext): Promise<number> {
  parseArgs({ args, options: {} });
  const files = await listJournal(dir);
  print(`${dir}:`);
  const rows = files.map(({ path, firstAt, lastAt, bytes, pendingRecords, isHeld }) => ({
    file: relative(dir, path),
    from: toSecond(firstAt),
    to: toSecond(lastAt),
    bytes,
    'not enqueued': pendingRecords,
    held: isHeld ? 'yes' : 'no',
  }));
  print(formatTable(rows, width));
  await printSpool({ spoolDir, print, width });
  return 0;
}

function toSecond(at: number): string {
  return new Date(at).toISOString().replace(/\.\d+/, '');
}
