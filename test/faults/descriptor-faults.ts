import { Agent } from 'node:http';
import { setTimeout as wait } from 'node:timers/promises';
import { get } from '../support/post.ts';
import { untilSeen } from '../support/until-seen.ts';
import type { App } from './app.ts';
import type { Fault } from './fault.ts';
import { boundDescriptors, lastLine } from './mounts.ts';
import type { Line } from './link.ts';
import type { SystemUnderTest } from './system-under-test.ts';
import { leaveJournal } from './without-redis.ts';

const LASTS_MS = 4000;
/** A receiver looks for journals that nobody holds every 10 s. */
const LOOK_MS = 12_000;
const ANSWER_LIMIT_MS = 1000;

async function unless({ receivers }: SystemUnderTest): Promise<string | undefined> {
  const attempts = receivers.map((receiver) => boundDescriptors(receiver.pid(), false));
  return Promise.all(attempts).then(
    () => undefined,
    (error: unknown) => `prlimit is missing or not allowed (${lastLine(error)})`,
  );
}

/** Lets processes open no file and take no connection, whatever `work` does. */
async function withoutDescriptors(apps: readonly App[], work: () => Promise<void>): Promise<void> {
  try {
    await Promise.all(apps.map((app) => boundDescriptors(app.pid(), true)));
    await Promise.all(apps.map(untilNoneIsTaken));
    await work();
  } finally {
    await Promise.all(apps.filter((app) => app.isRunning()).map((app) => boundDescriptors(app.pid(), false)));
  }
}

/** A new connection shows it; those that there are go on. */
function untilNoneIsTaken(app: App): Promise<void> {
  return untilSeen(`${app.name} takes no connection`, () =>
    get(`http://127.0.0.1:${app.port}/health/live`, {
      agent: new Agent({ keepAlive: false }),
      limitMs: ANSWER_LIMIT_MS,
    }).then(
      () => false,
      () => true,
    ),
  );
}

/** With their connections of one line cut, so that they need a descriptor. */
function exhaust(system: SystemUnderTest, apps: readonly App[], line: Line): Promise<void> {
  return withoutDescriptors(apps, async () => {
    for (const link of system.links[line]) link.reset();
    await wait(LASTS_MS);
  });
}

/** Faults of processes that may open no more descriptors. */
export const DESCRIPTOR_FAULTS: readonly Fault[] = [
  {
    name: 'receivers out of descriptors',
    how: 'prlimit --nofile lets both open no file and no connection for 4 s, and their connections to Redis are reset',
    unless,
    inject: (system) => exhaust(system, system.receivers, 'receiver-Redis'),
  },
  {
    name: 'workers out of descriptors',
    how: 'prlimit --nofile lets both open no connection for 4 s, and their connections to Postgres are reset',
    unless,
    inject: (system) => exhaust(system, system.workers, 'worker-Postgres'),
  },
  {
    name: 'receiver killed while the other is out of descriptors',
    how: 'out of Redis’ reach for 2,000 events; SIGKILL; the other looks for journals, and can open none (prlimit --nofile), for 12 s; then it must take over',
    unless,
    inject: (system) =>
      leaveJournal(system, async ({ other, crash, untilTakenOver }) => {
        await withoutDescriptors([other], async () => {
          await crash();
          await wait(LOOK_MS);
        });
        await untilTakenOver();
      }),
  },
];
