import { access, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { untilSeen } from '../support/until-seen.ts';
import type { App } from './app.ts';
import { sumOf } from './evidence.ts';
import { anyOf, between, type Fault } from './fault.ts';
import { freezeUntilTakenOver } from './frozen-worker.ts';
import type { Link, Moment } from './link.ts';
import type { SystemUnderTest } from './system-under-test.ts';
import { midCatchUp, withLink } from './without-redis.ts';

/** How long a crashed process is away before somebody starts it again, in ms. */
const AWAY_MS = 500;
/** How long something that ought to happen under load is waited for, in ms. */
const MOMENT_LIMIT_MS = 60_000;
/** The command by which BullMQ adds a job. */
export const ADD_JOB: Moment = { name: 'EVALSHA', watch: () => (chunk) => chunk.includes('evalsha') };

/** The COMMIT of a transaction that wrote to the ledger: those by which a worker's readiness asks write nothing. */
export const COMMIT: Moment = {
  name: 'a COMMIT of events',
  watch() {
    let hasEvents = false;
    return (chunk) => {
      if (chunk.includes('BEGIN')) hasEvents = false;
      hasEvents ||= chunk.includes('INSERT INTO webhook_events');
      return hasEvents && chunk.includes('COMMIT');
    };
  },
};

/** Crashes it; somebody starts it again half a second later. */
export async function crashAndRestart(app: App): Promise<void> {
  await app.crash();
  await wait(AWAY_MS);
  await app.start();
}

/** It leaves in order; when it does not, it is started again all the same. */
export async function restart(app: App): Promise<void> {
  try {
    await app.stop();
  } finally {
    await app.start();
  }
}

/** Breaks a connection at a named moment; @throws when that does not come, for a fault that did not happen was not survived. */
export async function breakAt(link: Link, moment: Moment, where: 'mid-command' | 'before-answer'): Promise<void> {
  const timer = new AbortController();
  const late = wait(MOMENT_LIMIT_MS, 'late' as const, { signal: timer.signal });
  const outcome = await Promise.race([link.breakAt(moment, where), late]);
  timer.abort();
  link.disarm();
  late.catch(() => undefined);
  if (outcome === 'late') throw new Error(`Nobody sent ${moment.name}.`);
}

/** A preload of this text. */
function preload(text: string): readonly string[] {
  return ['--import', `data:text/javascript,${encodeURIComponent(text)}`];
}

/** How many writes of its journal a receiver ends before the one that it does not, at most. */
const MOST_WRITES = 50;

/**
 * Crashes a receiver in the middle of a write to its journal: its file has a part of the last record, by chance how much of it, and
 * the write does not return; `marker` tells. A bound on the file would not do: what a disk did not take whole is cut off again.
 */
async function crashInWrite(system: SystemUnderTest): Promise<void> {
  const receiver = anyOf(system, system.receivers);
  const [writes, share] = [system.random.below(MOST_WRITES), system.random.next()];
  const marker = join(system.folder, 'torn');
  const tear = `
    import { writeFileSync } from 'node:fs';
    import { open } from 'node:fs/promises';
    const file = await open(process.execPath);
    const handles = Object.getPrototypeOf(file);
    await file.close();
    const { writev } = handles;
    let left = ${writes};
    handles.writev = async function (records) {
      if (left-- > 0) return writev.call(this, records);
      const last = records.at(-1);
      const part = last.subarray(0, 1 + Math.floor(${share} * (last.length - 1)));
      await writev.call(this, [...records.slice(0, -1), part]);
      writeFileSync(${JSON.stringify(marker)}, '');
      return new Promise(() => undefined);
    };`;
  try {
    await receiver.stop();
    await receiver.start({ nodeArguments: preload(tear) });
    await untilSeen('a record is written in part', () => exists(marker));
  } finally {
    await crashAndRestart(receiver);
    await rm(marker, { force: true });
  }
}

async function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}

/** Further than any signature may be off. */
const DAY_SECONDS = 24 * 3600;

/** Requests that were refused for their time. */
const EXPIRED = ['landline_events_rejected_total', 'code="signature_expired"'] as const;

/** Faults of receivers and workers as processes. */
export const PROCESS_FAULTS: readonly Fault[] = [
  {
    name: 'receiver killed',
    how: 'SIGKILL at a random moment; started again half a second later',
    async inject(system) {
      await wait(between(system, 0, 500));
      await crashAndRestart(anyOf(system, system.receivers));
    },
  },
  {
    name: 'worker killed',
    how: 'SIGKILL at a random moment; started again half a second later',
    async inject(system) {
      await wait(between(system, 0, 500));
      await crashAndRestart(anyOf(system, system.workers));
    },
  },
  {
    name: 'receiver killed after the Redis write, before the answer',
    how: `the proxy sees a job being added (${ADD_JOB.name}), lets it through, holds the answer back, SIGKILL`,
    async inject(system) {
      const [receiver, link] = withLink(system, system.receivers, 'receiver-Redis');
      await breakAt(link, ADD_JOB, 'before-answer');
      await crashAndRestart(receiver);
    },
  },
  {
    name: 'worker killed after the commit, before the job is finished',
    how: 'the proxy sees a COMMIT of events, lets it through, holds the answer back, SIGKILL',
    async inject(system) {
      const [worker, link] = withLink(system, system.workers, 'worker-Postgres');
      await breakAt(link, COMMIT, 'before-answer');
      await crashAndRestart(worker);
    },
  },
  {
    name: 'receiver killed in the middle of a journal write',
    how: 'a preload lets one write take but a part of a record and never return; SIGKILL: a torn record is left',
    inject: crashInWrite,
  },
  {
    name: 'receiver killed while it catches up',
    how: 'out of Redis’ reach for 2,000 events; SIGKILL when it has enqueued part of them, and part is pending',
    inject: (system) => midCatchUp(system, crashAndRestart),
  },
  {
    name: 'worker frozen until its jobs are taken over',
    how: 'its line to Postgres is held, so that it has jobs; SIGSTOP until its locks are over and the other has every one of them',
    inject: freezeUntilTakenOver,
  },
  {
    name: 'receiver frozen for 3 s',
    how: 'SIGSTOP, SIGCONT',
    async inject(system) {
      const receiver = anyOf(system, system.receivers);
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
    async inject(system) {
      for (const app of [...system.receivers, ...system.workers]) {
        // oxlint-disable-next-line no-await-in-loop -- in turn
        await restart(app);
      }
    },
  },
  {
    name: 'clock of a receiver a day off',
    how: 'a preload shifts the time of one receiver by a day, ahead or behind: it refuses what it is sent',
    async inject(system) {
      const receiver = anyOf(system, system.receivers);
      const seconds = anyOf(system, [-DAY_SECONDS, DAY_SECONDS]);
      try {
        await receiver.stop();
        await receiver.start({
          nodeArguments: preload(`const now = Date.now; Date.now = () => now() + ${seconds * 1000}`),
        });
        await wait(2000);
        await untilSeen('it refuses', async () => (await sumOf([receiver], ...EXPIRED)) > 0);
      } finally {
        await restart(receiver);
      }
    },
  },
  {
    name: 'clock of the sender a day off',
    how: 'a third of the requests is signed a day ahead or behind; they are refused, the others are not',
    evidence: ({ receivers }) => sumOf(receivers, ...EXPIRED),
    async inject(system) {
      system.sender.misdate({ seconds: anyOf(system, [-DAY_SECONDS, DAY_SECONDS]), share: 1 / 3 });
      await wait(2000);
      system.sender.misdate(undefined);
    },
  },
];
