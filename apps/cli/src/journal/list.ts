import { relative } from 'node:path';
import { parseArgs } from 'node:util';
import { listJournal } from '@landline/journal';
import { formatTable } from '../format-table.ts';
import type { JournalContext } from './journal-context.ts';

/**
 * `landline journal list`: a row for each file, oldest first. Times are in UTC; `not enqueued` counts records; `held`: its process lives.
 * Files that nobody holds are taken over by the next receiver.
 */
export async function printJournal(args: string[], { dir, print, width }: JournalContext): Promise<number> {
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
  return 0;
}

function toSecond(at: number): string {
  return new Date(at).toISOString().replace(/\.\d+/, '');
}
