import { setTimeout as wait } from 'node:timers/promises';
import { get } from '../support/post.ts';
import { untilSeen } from '../support/until-seen.ts';
import type { App } from './app.ts';
import { anyOf, type Fault } from './fault.ts';
import { failOver } from './redis-faults.ts';
import { REDIS_CLOCK, STEP_SECONDS, type SystemUnderTest } from './system-under-test.ts';
import { leaveJournal, slowCatchUp, untilCatchingUp, untilCaughtUp } from './without-redis.ts';

const LASTS_MS = 5000;
const BEAT_MS = 1000;
/** What is lost is enqueued again from ten seconds before the last beat on; this is older. */
const OLD_MS = 15_000;
/** So far a clock may be from where it was set, in seconds. */
const NEAR_SECONDS = 60;
const ANSWER_LIMIT_MS = 2000;

const unless: Fault['unless'] = ({ clocks }) => ('reason' in clocks ? clocks.reason : undefined);

/**
 * Steps clocks of these names, each by its own seconds; sets them right again, whatever `work` does. The sender signs as if it were a
 * step ago: a receiver takes no signature from its future.
 */
async function withSteps(
  { clocks, sender }: SystemUnderTest,
  steps: ReadonlyMap<string, number>,
  work: () => Promise<void>,
): Promise<void> {
  if ('reason' in clocks) throw new Error(clocks.reason);
  sender.misdate({ seconds: -STEP_SECONDS, share: 1 });
  try {
    await Promise.all([...steps].map(([name, seconds]) => clocks.set(name, seconds)));
    await work();
  } finally {
    await Promise.all([...steps.keys()].map((name) => clocks.set(name, 0)));
    sender.misdate(undefined);
  }
}

/** Waits until a process says by the date of its answers that its clock is that far off. */
function untilStepped(app: App, seconds: number): Promise<void> {
  return untilSeen(`the clock of ${app.name} is ${seconds} s off`, async () => {
    const { headers } = await get(`http://127.0.0.1:${app.port}/health/live`, { limitMs: ANSWER_LIMIT_MS });
    return isOff(Date.parse(headers.date ?? '') / 1000, seconds);
  });
}

const isOff = (told: number, seconds: number) => Math.abs(told - Date.now() / 1000 - seconds) < NEAR_SECONDS;

/** Each clock by itself ahead or back, under load, and right again. */
async function stepAll(system: SystemUnderTest, apps: readonly App[]): Promise<void> {
  const steps = new Map(apps.map(({ name }) => [name, anyOf(system, [-STEP_SECONDS, STEP_SECONDS])]));
  await withSteps(system, steps, async () => {
    await Promise.all(apps.map((app) => untilStepped(app, steps.get(app.name) ?? 0)));
    await wait(LASTS_MS);
  });
}

/** Redis loses what receivers enqueued after the fact, and noted by a clock that was set back. */
function failOverSetBack(system: SystemUnderTest): Promise<void> {
  const { clocks, receivers } = system;
  const steps = new Map(receivers.map(({ name }) => [name, -STEP_SECONDS]));
  return slowCatchUp(system, OLD_MS, () =>
    withSteps(system, new Map(receivers.map(({ name }) => [name, 0])), () =>
      failOver(system, {
        async before() {
          await untilCatchingUp(system);
          // A receiver leaves a beat each second.
          await wait(2 * BEAT_MS);
          if ('set' in clocks) await Promise.all([...steps].map(([name, seconds]) => clocks.set(name, seconds)));
          await Promise.all(receivers.map((receiver) => untilStepped(receiver, -STEP_SECONDS)));
        },
        meanwhile: () => untilCaughtUp(system),
      }),
    ),
  );
}

/** Faults of clocks that are set while the processes run. */
export const CLOCK_FAULTS: readonly Fault[] = [
  {
    name: 'clocks of the receivers step by three hours',
    how: 'a preloaded library shifts them while they run, each ahead or back, and sets them right after 5 s',
    unless,
    inject: (system) => stepAll(system, system.receivers),
  },
  {
    name: 'clocks of the workers step by three hours',
    how: 'a preloaded library shifts them while they run, each ahead or back, and sets them right after 5 s',
    unless,
    inject: (system) => stepAll(system, system.workers),
  },
  {
    name: 'clock of Redis steps by three hours',
    how: 'a preloaded library shifts it while it runs, ahead or back, and sets it right after 5 s',
    unless,
    async inject(system) {
      const seconds = anyOf(system, [-STEP_SECONDS, STEP_SECONDS]);
      await withSteps(system, new Map([[REDIS_CLOCK, seconds]]), async () => {
        const isStepped = async () => isOff(Number.parseInt(String(await system.redis.run(['TIME'])), 10), seconds);
        await untilSeen(`the clock of Redis is ${seconds} s off`, isStepped);
        await wait(LASTS_MS);
      });
    },
  },
  {
    name: 'receiver killed while the clock of the other is set back',
    how: 'out of Redis’ reach for 2,000 events; the other’s clock is set back by three hours; SIGKILL; the other must take over',
    unless,
    inject: (system) =>
      leaveJournal(system, ({ other, crash, untilTakenOver }) =>
        withSteps(system, new Map([[other.name, -STEP_SECONDS]]), async () => {
          await untilStepped(other, -STEP_SECONDS);
          await crash();
          await untilTakenOver();
        }),
      ),
  },
  {
    name: 'failover while the clocks of the receivers are set back',
    how: 'out of Redis’ reach for 2,000 events and 15 s; they catch up, slowly, and are set back by three hours; what they enqueue from then on the replica lacks that is promoted',
    unless,
    inject: failOverSetBack,
  },
];
