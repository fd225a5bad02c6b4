import { mkdtemp, open, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { untilSeen } from '../support/until-seen.ts';
import type { App } from './app.ts';
import { growthOf, sumOf } from './evidence.ts';
import type { Fault } from './fault.ts';
import { untilHealthy } from './health.ts';
import { restart } from './process-faults.ts';
import { boundFiles, lastLine, setReadOnly } from './mounts.ts';
import type { SystemUnderTest } from './system-under-test.ts';

const LASTS_MS = 4000;

async function unlessAllowed(attempt: () => Promise<void>, what: string): Promise<string | undefined> {
  return attempt().then(
    () => undefined,
    (error: unknown) => `${what} (${lastLine(error)})`,
  );
}

async function boundAll({ receivers }: SystemUnderTest, bytes: number | undefined): Promise<void> {
  await Promise.all(receivers.map((receiver) => boundFiles(receiver.pid(), bytes)));
}

/** Groups that no journal took. */
const failures = ({ receivers }: SystemUnderTest) => sumOf(receivers, 'landline_journal_errors_total');

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

const MEBIBYTE = 1024 * 1024;
/** So little that a receiver fills it while it is looked at. */
const SMALL_LIMIT_BYTES = 16 * MEBIBYTE;
/** Of a disk of this size a twentieth is more than what comes until a receiver looks again. */
const FILLER_BYTES = 128 * MEBIBYTE;
/** How long a receiver is given to fill its journal, to use it, or to make room in it, in ms. */
const FILL_LIMIT_MS = 180_000;
const ROOM_LIMIT_MS = 20_000;
const HEAL_LIMIT_MS = 60_000;
/** What a disk that is nearly full has left, as a share. */
const NEARLY_FULL_FREE = 0.05;

/** Lets the receivers have another journal for a while; it is empty when they leave it, for nobody takes it over. */
async function withJournal(
  system: SystemUnderTest,
  env: Readonly<Record<string, string>>,
  work: (start: (receiver: App) => Promise<void>) => Promise<void>,
): Promise<void> {
  const { receivers } = system;
  await Promise.all(receivers.map((receiver) => receiver.stop()));
  try {
    await work((receiver) => receiver.start({ env }));
  } finally {
    for (const receiver of receivers.filter((each) => !each.isRunning())) {
      // oxlint-disable-next-line no-await-in-loop -- seldom any
      await receiver.start({ env });
    }
    await untilHealthy(system, HEAL_LIMIT_MS);
    for (const receiver of receivers) {
      // oxlint-disable-next-line no-await-in-loop -- one of them serves
      await restart(receiver);
    }
  }
}

const pendingBytes = (receiver: App) => sumOf([receiver], 'landline_journal_pending_bytes');
const journalBytes = (receiver: App) => sumOf([receiver], 'landline_journal_bytes');

/** Requests that a receiver turned away because neither Redis nor the journal took them. */
const turnedAway = (receiver: App) => sumOf([receiver], 'landline_events_rejected_total', 'code="unavailable"');

/** One receiver fills the folder with what Redis has, and is sent no more; another comes, out of Redis' reach, and needs room there. */
async function needRoom(system: SystemUnderTest): Promise<void> {
  const { receivers, links, folder } = system;
  const [first, second] = receivers;
  const [toFirst, line] = [links['sender-receiver'][0], links['receiver-Redis'][1]];
  if (first === undefined || second === undefined || toFirst === undefined || line === undefined)
    throw new Error('There are no two receivers.');
  const env = { JOURNAL_DIR: join(folder, 'journal-small'), JOURNAL_LIMIT_BYTES: String(SMALL_LIMIT_BYTES) };
  await withJournal(system, env, async (start) => {
    await start(first);
    const isFull = async () => (await journalBytes(first)) >= SMALL_LIMIT_BYTES * 0.75;
    await untilSeen('a receiver fills the journal with what Redis has', isFull, FILL_LIMIT_MS);
    const cut = [line, toFirst];
    for (const each of cut) {
      each.refuse(true);
      each.reset();
    }
    try {
      await start(second);
      await untilSeen('the other has room for a quarter of the limit', () => hasRoom(second), FILL_LIMIT_MS);
    } finally {
      for (const each of cut) each.refuse(false);
    }
  });
  await rm(env.JOURNAL_DIR, { recursive: true });
}

/** @throws When it turns events away although what Redis has could make room. */
async function hasRoom(receiver: App): Promise<boolean> {
  const refused = await turnedAway(receiver);
  if (refused > 0)
    throw new Error(`${receiver.name} turned ${refused} events away, and the journal is full of what Redis has.`);
  return (await pendingBytes(receiver)) >= SMALL_LIMIT_BYTES / 4;
}

/** The journal lies on a disk that is made nearly full; it must give back what Redis has, and take events all the same. */
async function nearlyFill(system: SystemUnderTest): Promise<void> {
  const { receivers, journalDisk } = system;
  if ('reason' in journalDisk) throw new Error(journalDisk.reason);
  const env = { JOURNAL_DIR: join(journalDisk.path, 'journal') };
  const filler = join(journalDisk.path, 'filler');
  await writeFile(filler, Buffer.alloc(FILLER_BYTES));
  await withJournal(system, env, async (start) => {
    await Promise.all(receivers.map(start));
    const bytes = async () => Math.max(...(await Promise.all(receivers.map(journalBytes))));
    const hasBytes = async () => (await bytes()) >= SMALL_LIMIT_BYTES;
    await untilSeen('the journal holds what Redis has', hasBytes, FILL_LIMIT_MS);
    const hasFailed = await growthOf(() => failures(system));
    await journalDisk.fill(NEARLY_FULL_FREE);
    try {
      await untilSeen('the journal gives way', async () => (await bytes()) < SMALL_LIMIT_BYTES / 2, ROOM_LIMIT_MS);
    } finally {
      await journalDisk.empty();
    }
    if (await hasFailed()) throw new Error('The journal did not take every group while its disk was nearly full.');
  });
  await rm(env.JOURNAL_DIR, { recursive: true });
  await rm(filler);
}

/** Faults of the journal's disk; events are then in Redis alone. */
export const JOURNAL_FAULTS: readonly Fault[] = [
  {
    name: 'journal disk full',
    how: 'no file of the receivers may grow any more (prlimit --fsize), for 4 s',
    unless: (system) => unlessAllowed(() => boundAll(system, undefined), 'prlimit is missing or not allowed'),
    evidence: failures,
    async inject(system) {
      try {
        await boundAll(system, 1);
        await wait(LASTS_MS);
      } finally {
        await boundAll(system, undefined);
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
  {
    name: 'journal full of what Redis has, and another receiver needs it',
    how: 'both share a journal of 16 MiB; the first fills it with what Redis has and is sent no more, the other starts out of Redis’ reach, and must have room for 4 MiB',
    isLong: true,
    inject: needRoom,
  },
  {
    name: 'journal disk nearly full',
    how: 'it lies on a small disk (tmpfs) of which a twentieth is left: it must give back what Redis has, and take every group',
    isLong: true,
    unless: ({ journalDisk }) => ('reason' in journalDisk ? journalDisk.reason : undefined),
    inject: nearlyFill,
  },
];
