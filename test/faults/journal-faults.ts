import { mkdtemp, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import type { Fault } from './fault.ts';
import { boundFiles, lastLine, setReadOnly } from './mounts.ts';
import type { Rig } from './rig.ts';

const LASTS_MS = 4000;

async function unlessAllowed(attempt: () => Promise<void>, what: string): Promise<string | undefined> {
  return attempt().then(
    () => undefined,
    (error: unknown) => `${what} (${lastLine(error)})`,
  );
}

async function boundAll({ receivers }: Rig, bytes: number | undefined): Promise<void> {
  await Promise.all(receivers.map((receiver) => boundFiles(receiver.pid(), bytes)));
}

/** Faults of the journal's disk; events are then in Redis alone. */
export const JOURNAL_FAULTS: readonly Fault[] = [
  {
    name: 'journal disk full',
    how: 'no file of the receivers may grow any more (prlimit --fsize), for 4 s',
    unless: (rig) => unlessAllowed(() => boundAll(rig, undefined), 'prlimit is missing or not allowed'),
    async inject(rig) {
      await boundAll(rig, 1);
      try {
        await wait(LASTS_MS);
      } finally {
        await boundAll(rig, undefined);
      }
    },
  },
  {
    name: 'journal read-only',
    how: 'nothing in its folder can be written or made (chattr +i), for 4 s',
    unless: ({ folder }) =>
      unlessAllowed(async () => {
        const tried = await mkdtemp(join(folder, 'try-'));
        await setReadOnly(tried, true);
        await setReadOnly(tried, false);
        await rm(tried, { recursive: true });
      }, 'chattr is missing, not allowed, or not known to this file system'),
    async inject({ journalDir }) {
      await setReadOnly(journalDir, true);
      try {
        await wait(LASTS_MS);
      } finally {
        await setReadOnly(journalDir, false);
      }
    },
  },
  {
    name: 'journal removed',
    how: 'its folder with all that is in it (rm -r) under load',
    async inject({ journalDir }) {
      await rm(journalDir, { recursive: true, force: true, maxRetries: 10, retryDelay: 10 });
      // It is noticed within a second.
      await wait(2000);
    },
  },
];
