import { setTimeout as wait } from 'node:timers/promises';
import { exampleBody } from '../../apps/cli/src/example-events.ts';
import { growthOf, sumOf, untilSeen } from './evidence.ts';
import type { Fault } from './fault.ts';

const COPIES = 10_000;
/** A deck is shuffled every second or so: the next ones have it. */
const POISON_MS = 5000;

/** Faults of what is sent. */
export const EVENT_FAULTS: readonly Fault[] = [
  {
    name: 'poison, one event in fifty',
    how: 'no JSON, no conversation, a transcript that is none, and what a constraint of Postgres refuses, for 5 s',
    async inject({ deck, workers }) {
      const hasKilled = await growthOf(() => sumOf(workers, 'landline_events_dead_total'));
      deck.poison(50);
      try {
        await wait(POISON_MS);
        await untilSeen('an event is made a dead letter', hasKilled);
      } finally {
        deck.poison(undefined);
      }
    },
  },
  {
    name: 'the same event 10,000 times',
    how: 'over all connections at once, on top of the load',
    inject: ({ sender, random }) => sender.repeat(exampleBody('live', `same_${random.next()}`, 1, new Date()), COPIES),
  },
];
