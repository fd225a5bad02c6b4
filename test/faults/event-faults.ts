import { setTimeout as wait } from 'node:timers/promises';
import { untilSeen } from '../support/until-seen.ts';
import { growthOf, sumOf } from './evidence.ts';
import type { Fault } from './fault.ts';
import { countLetters, untilLettersLie } from './health.ts';
import type { SystemUnderTest } from './system-under-test.ts';

const COPIES = 10_000;
/** A set of events is made every second or so: the next ones have it. */
const POISON_MS = 5000;
const LETTERS_LIMIT_MS = 120_000;
/** The journal enqueues again what is up to a minute older than the oldest job, and the dead events among that have letters by themselves. */
const OLD_LETTERS_MS = 75_000;

/** Calls `empty` when old letters rest in Redis, and waits until each dead event has its letter again. */
export async function emptyWhileLettersRest(system: SystemUnderTest, empty: () => Promise<void>): Promise<void> {
  const before = await countLetters(system);
  system.load.poison(50);
  try {
    await untilSeen('letters rest', async () => (await countLetters(system)) > before, LETTERS_LIMIT_MS);
  } finally {
    system.load.poison(undefined);
  }
  await wait(OLD_LETTERS_MS);
  await empty();
  await untilLettersLie(system, LETTERS_LIMIT_MS);
}

/** Faults of what is sent. */
export const EVENT_FAULTS: readonly Fault[] = [
  {
    name: 'poison, one event in fifty',
    how: 'no JSON, no conversation, a transcript that is none, and what a constraint of Postgres refuses, for 5 s',
    async inject({ load, workers }) {
      const hasKilled = await growthOf(() => sumOf(workers, 'landline_events_dead_total'));
      load.poison(50);
      try {
        await wait(POISON_MS);
        await untilSeen('an event is made a dead letter', hasKilled);
      } finally {
        load.poison(undefined);
      }
    },
  },
  {
    name: 'Redis emptied while dead letters rest',
    isLong: true,
    how: 'poison as above until letters rest in Redis, older than what the journal enqueues again; FLUSHALL; each dead event of the ledger must have its letter again within two minutes',
    inject: (system) => emptyWhileLettersRest(system, async () => void (await system.redis.run(['FLUSHALL']))),
  },
  {
    name: 'the same event 10,000 times',
    how: 'over all connections at once, on top of the load',
    inject: ({ sender, load }) => sender.repeat(load.single(), COPIES),
  },
];
