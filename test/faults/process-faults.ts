import { readdir, readlink, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import type { App } from './app.ts';
import { anyOf, between, type Fault } from './fault.ts';
import { boundFiles, lastLine } from './mounts.ts';
import type { Link } from './link.ts';
import type { Line, Rig } from './rig.ts';

/** How long a crashed process is away before somebody starts it again, in ms. */
const AWAY_MS = 500;
/** How long something that ought to happen under load is waited for, in ms. */
const MOMENT_LIMIT_MS = 10_000;
/** Longer than a job's lock (10 s) and the look for jobs without one (5 s) together. */
const FROZEN_MS = 17_000;

/** The command by which BullMQ adds a job, and that by which Prisma commits, as they stand on the wire. */
export const ADD_JOB = 'evalsha';
export const COMMIT = 'COMMIT';

async function crashAndRestart(app: App): Promise<void> {
  await app.crash();
  await wait(AWAY_MS);
  await app.start();
}

/** It leaves in order; when it does not, it is started again all the same. */
async function restart(app: App): Promise<void> {
  try {
    await app.stop();
  } finally {
    await app.start();
  }
}

/** One of the apps by chance, with its own link. */
function withLink(rig: Rig, apps: readonly App[], line: Line): [App, Link] {
  const app = anyOf(rig, apps);
  const link = rig.links[line][apps.indexOf(app)];
  if (link === undefined) throw new Error(`${app.name} has no link of ${line}.`);
  return [app, link];
}

/** Breaks a connection at a named moment; @throws when that does not come, for a fault that did not happen was not survived. */
export async function breakAt(link: Link, match: string, where: 'mid-command' | 'before-answer'): Promise<void> {
  const timer = new AbortController();
  const late = wait(MOMENT_LIMIT_MS, 'late' as const, { signal: timer.signal });
  const outcome = await Promise.race([link.breakAt(match, where), late]);
  timer.abort();
  link.disarm();
  late.catch(() => undefined);
  if (outcome === 'late') throw new Error(`Nobody sent ${match}.`);
}

/** Receivers lose Redis for a while, so that there is something to catch up with. */
export async function withBacklog(rig: Rig, ms: number): Promise<void> {
  const links = rig.links['receiver-Redis'];
  for (const link of links) {
    link.refuse(true);
    link.reset();
  }
  await wait(ms);
  for (const link of links) link.refuse(false);
}

/** So much the file still grows before it is full, in bytes: more than a burst brings while the bound is being set. */
const ROOM_BYTES = 100_000;
/** How long that is waited for, in ms: where the bound was too late, the journal goes on in another file. */
const GROWTH_LIMIT_MS = 4000;
const TEAR_LIMIT_MS = 20_000;

/** Crashes a receiver whose file ends in half a record, because that was all that its disk took. */
async function crashInWrite(rig: Rig): Promise<void> {
  const receiver = anyOf(rig, rig.receivers);
  try {
    await tearRecord(rig, receiver);
  } finally {
    await crashAndRestart(receiver);
  }
}

/** Resolves when a file ends exactly at its bound, which lies in no record's end but by the rarest chance. */
async function tearRecord(rig: Rig, receiver: App): Promise<void> {
  const deadline = performance.now() + TEAR_LIMIT_MS;
  for (let room = ROOM_BYTES; performance.now() < deadline; room *= 2) {
    // oxlint-disable no-await-in-loop -- where the file outgrew the bound before that was set: again, with more room
    const file = await newestFile(rig.journalDir, receiver.pid());
    const end = (await stat(file)).size + between(rig, room, room + 400);
    await boundFiles(receiver.pid(), end);
    const tooLate = performance.now() + GROWTH_LIMIT_MS;
    let { size } = await stat(file);
    for (; size < end && performance.now() < tooLate; { size } = await stat(file)) await wait(1);
    if (size === end) return;
    await boundFiles(receiver.pid(), undefined);
    // oxlint-enable no-await-in-loop
  }
  throw new Error('It never came to a record written in part.');
}

/** The file that a process writes to: of those it has open, the last of the journal. */
async function newestFile(journalDir: string, pid: number): Promise<string> {
  const open = await readdir(`/proc/${pid}/fd`);
  const files = await Promise.all(open.map((fd) => readlink(join('/proc', String(pid), 'fd', fd)).catch(() => '')));
  const own = files.filter((file) => file.startsWith(journalDir) && file.endsWith('.log'));
  const file = own.sort((a, b) => (a.split('/').at(-1) ?? '').localeCompare(b.split('/').at(-1) ?? '')).at(-1);
  if (file === undefined) throw new Error('The receiver has no file of the journal open.');
  return file;
}

async function canBoundFiles(rig: Rig): Promise<string | undefined> {
  if (process.platform !== 'linux') return 'the size of files can be bounded on Linux only';
  return boundFiles(rig.receivers[0]?.pid() ?? 0, undefined).then(
    () => undefined,
    (error: unknown) => `prlimit is missing or not allowed (${lastLine(error)})`,
  );
}

/** Faults of receivers and workers as processes. */
export const PROCESS_FAULTS: readonly Fault[] = [
  {
    name: 'receiver killed',
    how: 'SIGKILL at a random moment; started again half a second later',
    async inject(rig) {
      await wait(between(rig, 0, 500));
      await crashAndRestart(anyOf(rig, rig.receivers));
    },
  },
  {
    name: 'worker killed',
    how: 'SIGKILL at a random moment; started again half a second later',
    async inject(rig) {
      await wait(between(rig, 0, 500));
      await crashAndRestart(anyOf(rig, rig.workers));
    },
  },
  {
    name: 'receiver killed after the Redis write, before the answer',
    how: `the proxy sees a job being added (${ADD_JOB.toUpperCase()}), lets it through, holds the answer back, SIGKILL`,
    async inject(rig) {
      const [receiver, link] = withLink(rig, rig.receivers, 'receiver-Redis');
      await breakAt(link, ADD_JOB, 'before-answer');
      await crashAndRestart(receiver);
    },
  },
  {
    name: 'worker killed after the commit, before the job is finished',
    how: 'the proxy sees a COMMIT, lets it through, holds the answer back, SIGKILL',
    async inject(rig) {
      const [worker, link] = withLink(rig, rig.workers, 'worker-Postgres');
      await breakAt(link, COMMIT, 'before-answer');
      await crashAndRestart(worker);
    },
  },
  {
    name: 'receiver killed in the middle of a journal write',
    how: 'its files may not grow past the middle of the next record; SIGKILL when that is reached: a torn record is left',
    unless: canBoundFiles,
    inject: crashInWrite,
  },
  {
    name: 'receiver killed while it catches up',
    how: 'Redis is out of its reach for three seconds; SIGKILL shortly after it is back',
    async inject(rig) {
      await withBacklog(rig, 3000);
      // The first look at a Redis that is back takes up to a second.
      const [receiver, link] = withLink(rig, rig.receivers, 'receiver-Redis');
      await breakAt(link, ADD_JOB, 'before-answer');
      await crashAndRestart(receiver);
    },
  },
  {
    name: 'worker frozen until its jobs are taken over',
    how: 'SIGSTOP for 17 s, longer than its locks last; then both have the same jobs',
    async inject(rig) {
      const worker = anyOf(rig, rig.workers);
      worker.kill('SIGSTOP');
      try {
        await wait(FROZEN_MS);
      } finally {
        worker.kill('SIGCONT');
      }
    },
  },
  {
    name: 'receiver frozen for 3 s',
    how: 'SIGSTOP, SIGCONT',
    async inject(rig) {
      const receiver = anyOf(rig, rig.receivers);
      receiver.kill('SIGSTOP');
      try {
        await wait(3000);
      } finally {
        receiver.kill('SIGCONT');
      }
    },
  },
  {
    name: 'SIGTERM of everything in turn',
    how: 'each receiver and worker leaves in order, and is started again before the next',
    async inject(rig) {
      for (const app of [...rig.receivers, ...rig.workers]) {
        // oxlint-disable-next-line no-await-in-loop -- in turn
        await restart(app);
      }
    },
  },
  {
    name: 'clock of a receiver two hours off',
    how: 'a preload shifts the time of one receiver by two hours, ahead or behind: it refuses what it is sent',
    async inject(rig) {
      const receiver = anyOf(rig, rig.receivers);
      const seconds = anyOf(rig, [-7200, 7200]);
      const preload = `data:text/javascript,const now=Date.now;Date.now=()=>now()+${seconds * 1000}`;
      await receiver.stop();
      await receiver.start({ nodeArguments: ['--import', preload] });
      await wait(2000);
      await restart(receiver);
    },
  },
  {
    name: 'clock of the sender two hours off',
    how: 'a third of the requests is signed two hours ahead or behind; they are refused, the others are not',
    async inject(rig) {
      rig.sender.misdate({ seconds: anyOf(rig, [-7200, 7200]), share: 1 / 3 });
      await wait(2000);
      rig.sender.misdate(undefined);
    },
  },
];
