import { relative } from 'node:path';
import { parseArgs } from 'node:util';
import { counted } from '@landline/operations';
import { listJournal, verifyJournalFile, type JournalDamage } from '@landline/journal';
import type { JournalContext } from './journal-context.ts';
import { verifySpool } from './spool.ts';

/**
 * `landline journal verify`: reads and checks every record of every file, and prints a line for each file. So it does with every
 * body of the spool.
 *
 * @returns The exit code: 1 when a file is damaged in the middle, or a body of the spool is, else 0. A torn end is no damage: no sender got a 200 for that record.
 */
export async function verifyJournal(args: string[], { dir, spoolDir, print }: JournalContext): Promise<number> {
  parseArgs({ args, options: {} });
  const total = { files: 0, records: 0, events: 0, damaged: 0 };
  for (const { path } of await listJournal(dir)) {
    // oxlint-disable-next-line no-await-in-loop -- a line for each file, as it is read
    const { records, events, damage } = await verifyJournalFile(path);
    total.files += 1;
    total.records += records;
    total.events += events;
    total.damaged += damage.filter(({ isTorn }) => !isTorn).length;
    const found = damage.length === 0 ? 'intact' : damage.map(describeDamage).join(', ');
    print(`${relative(dir, path)}: ${counted(records, 'record')}, ${counted(events, 'event')}, ${found}`);
  }
  print(
    `${counted(total.files, 'file')}, ${counted(total.records, 'record')}, ${counted(total.events, 'event')} in ${dir}.`,
  );
  const damagedBodies = await verifySpool({ spoolDir, print });
  if (total.damaged === 0) return damagedBodies === 0 ? 0 : 1;
  print(
    `${counted(total.damaged, 'damaged part')}: what was there can come from Redis alone. What follows them is enqueued.`,
  );
  return 1;
}

/** Describes a damaged part of a file: its kind, and its first and last byte. */
export function describeDamage({ from, to, isTorn, fault }: JournalDamage): string {
  if (fault !== undefined) return `NOT READABLE by this version: bytes ${from} to ${to} (${fault})`;
  return `${isTorn ? 'torn at the end' : 'DAMAGED'}: bytes ${from} to ${to}`;
}
