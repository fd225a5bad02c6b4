import { hash } from 'node:crypto';
import type { SeededRandom } from '../support/seeded-random.ts';
import type { DescribedEvent } from '../support/described-event.ts';
import { SET_EVENTS, loadEvents, type LoadOptions } from '../support/load-events.ts';
import { largeEvent } from './large-events.ts';
import type { SentEvents } from './sent-events.ts';

/** An event on its way to be sent. */
export interface Delivery {
  event: number;
  body: Buffer;
}

/** One delivery in five is a repeat. */
const REPEATS_PER_EVENT = 1 / 4;
/** One delivery in so many is of a large event. */
const LARGE_ONE_IN = 1000;
/** Of the sets from here on one event each is sent, by itself. */
const FIRST_SINGLE = 1_000_000;

/** What Postgres refuses, by a constraint of the suite's own; see system-under-test.ts. */
export const POISONOUS = 'poisonous words';

/** Makes mixed events without end: calls with all that comes after them, one delivery in five a repeat, shuffled. */
export interface EventLoad {
  next: () => Delivery;
  /** Makes a new event that `next` never gives, for the caller to send. */
  single: () => Buffer;
  /** Makes a new large event that `next` never gives, for the caller to send. */
  large: () => Delivery;
  /** From now on one event in so many cannot be applied; undefined: none. */
  poison: (oneIn: number | undefined) => void;
  /** All events that `next` gives, some of the last set not yet, with what they say; a set after another, made anew. Without those that cannot be applied. */
  events: () => Iterable<DescribedEvent[]>;
}

/** What a load is made of. */
export interface EventLoadOptions extends LoadOptions {
  random: SeededRandom;
  /** Where each event is noted. */
  sent: SentEvents;
}

/** Makes a load. It is shuffled set by set. */
export function createEventLoad({ run, seed, random, sent }: EventLoadOptions): EventLoad {
  let waiting: Delivery[] = [];
  let last: Delivery[] = [];
  let sets = 0;
  let singles = 0;
  let larges = 0;
  let given = 0;
  let oneIn: number | undefined;
  let poisons = 0;
  const makeSet = (number: number) => loadEvents({ run, seed }, number);
  const makeSingle = (number: number) => makeSet(FIRST_SINGLE + number).slice(0, 1);

  function nextSet(): Delivery[] {
    const fresh = makeSet(sets++).map(({ body }) => deliveryOf(Buffer.from(body), false));
    const poisonous = oneIn === undefined ? 0 : Math.ceil(SET_EVENTS / oneIn);
    for (let i = 0; i < poisonous; i++) fresh.push(deliveryOf(poisonBody(`${run}_${poisons++}`, random), true));
    // Some repeats follow close behind, some an age later.
    const repeats = random.shuffled([...last, ...fresh]).slice(0, fresh.length * REPEATS_PER_EVENT);
    last = fresh;
    return random.shuffled([...fresh, ...repeats]);
  }

  function nextLarge(): Delivery {
    return deliveryOf(Buffer.from(largeEvent({ run, seed }, larges++).body), false);
  }

  function deliveryOf(body: Buffer, isPoison: boolean): Delivery {
    return { event: sent.add(idOf(body), isPoison), body };
  }

  return {
    next() {
      if (++given % LARGE_ONE_IN === 0) return nextLarge();
      const delivery = waiting.pop();
      if (delivery !== undefined) return delivery;
      waiting = nextSet();
      return this.next();
    },
    single: () => Buffer.from(makeSingle(singles++)[0]?.body ?? ''),
    large: nextLarge,
    poison: (rate) => void (oneIn = rate),
    *events() {
      for (let number = 0; number < sets; number++) yield makeSet(number);
      for (let number = 0; number < singles; number++) yield makeSingle(number);
      for (let number = 0; number < larges; number++) yield [largeEvent({ run, seed }, number)];
    },
  };
}

/** The idempotency key as bytes. */
export function idOf(body: Uint8Array): Buffer {
  return hash('sha256', body, 'buffer').subarray(0, 16);
}

/** An event that makes no sense to us, to Postgres, or to anybody. */
function poisonBody(name: string, random: SeededRandom): Buffer {
  const data = { conversation_id: `conv_poison_${name}` };
  const bodies = [
    `{"type":"conversation.message","data":{"conversation_id":"conv_poison_${name}"`,
    JSON.stringify({ type: 'conversation.message', data: { message: `nobody's ${name}` } }),
    JSON.stringify({ type: 'post_call_transcription', data: { ...data, transcript: 'none' } }),
    // With an id: without one, and without a time, each of its deliveries would be an event of its own.
    JSON.stringify({
      type: 'conversation.message',
      data: { ...data, message_id: name, role: 'user', message: POISONOUS },
    }),
  ];
  return Buffer.from(bodies[random.below(bodies.length)] ?? '');
}
