import { mkdtemp, open, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { sumOf } from './evidence.ts';
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

/** Groups that no journal took. */
const failures = ({ receivers }: Rig) => sumOf(receivers, 'landline_journal_errors_total');

/** @throws When nothing can be made read-only there, or an open file is written to all the same. */
async function tryReadOnly(folder: string): Promise<void> {
  const tried = await mkdtemp(join(folder, 'try-'));
  const file = await open(join(tried, 'file'), 'w');
  try {
    await setReadOnly(tried, true);
    const isWritten = await file.write('.').then(
      () => true,
      () => false,
    );
    if (isWritten) throw new Error('an open file is still written to');
  } finally {
    await file.close();
    await setReadOnly(tried, false).catch(() => undefined);
    await rm(tried, { recursive: true });
  }
}

/** Faults of the journal's disk; events are then in Redis alone. */
export const JOURNAL_FAULTS: readonly Fault[] = [
  {
    name: 'journal disk full',
    how: 'no file of the receivers may grow any more (prlimit --fsize), for 4 s',
    unless: (rig) => unlessAllowed(() => boundAll(rig, undefined), 'prlimit is missing or not allowed'),
    evidence: failures,
    async inject(rig) {
      try {
        await boundAll(rig, 1);
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
      unlessAllowed(() => tryReadOnly(folder), 'chattr is missing, not allowed, or not known to this file system'),
    evidence: failures,
    async inject({ journalDir }) {
      try {
        await setReadOnly(journalDir, true);
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
