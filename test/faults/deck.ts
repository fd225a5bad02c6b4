import { hash } from 'node:crypto';
import type { SeededRandom } from '../support/seeded-random.ts';
import type { DescribedEvent } from '../support/described-event.ts';
import { SET_EVENTS, loadEvents, type LoadOptions } from '../support/load-events.ts';
import type { SentEvents } from './sent-events.ts';

/** An event on its way to be sent. */
export interface Delivery {
  event: number;
  body: Buffer;
}

/** One delivery in five is a repeat. */
const REPEATS_PER_EVENT = 1 / 4;
/** The sets from here on are not dealt: of each one event is, by itself. */
const FIRST_SINGLE = 1_000_000;

/** What Postgres refuses, by a constraint of the suite's own; see rig.ts. */
export const POISONOUS = 'poisonous words';

/** Deals mixed events without end: calls with all that comes after them, one delivery in five a repeat, shuffled. */
export interface Deck {
  next: () => Delivery;
  /** A new event that is in no deck, to be sent by whoever asks. */
  single: () => Buffer;
  /** From now on one event in so many cannot be applied; undefined: none. */
  poison: (oneIn: number | undefined) => void;
  /** Every event that was dealt, some of the last not yet, with what it tells; a set after another, made anew. Poison is not among them. */
  told: () => Iterable<DescribedEvent[]>;
}

export interface DeckOptions extends LoadOptions {
  random: SeededRandom;
  /** Where each event is noted. */
  sent: SentEvents;
}

/** Makes a deck. */
export function createDeck({ run, seed, random, sent }: DeckOptions): Deck {
  let cards: Delivery[] = [];
  let last: Delivery[] = [];
  let decks = 0;
  let singles = 0;
  let oneIn: number | undefined;
  let poisons = 0;
  const makeSet = (number: number) => loadEvents({ run, seed }, number);
  const makeSingle = (number: number) => makeSet(FIRST_SINGLE + number).slice(0, 1);

  function shuffle(): Delivery[] {
    const fresh = makeSet(decks++).map(({ body }) => delivery(Buffer.from(body), false));
    const poisonous = oneIn === undefined ? 0 : Math.ceil(SET_EVENTS / oneIn);
    for (let i = 0; i < poisonous; i++) fresh.push(delivery(poisonBody(`${run}_${poisons++}`, random), true));
    // Some repeats follow close behind, some an age later.
    const repeats = random.shuffled([...last, ...fresh]).slice(0, fresh.length * REPEATS_PER_EVENT);
    last = fresh;
    return random.shuffled([...fresh, ...repeats]);
  }

  function delivery(body: Buffer, isPoison: boolean): Delivery {
    return { event: sent.add(idOf(body), isPoison), body };
  }

  return {
    next() {
      const card = cards.pop();
      if (card !== undefined) return card;
      cards = shuffle();
      return this.next();
    },
    single: () => Buffer.from(makeSingle(singles++)[0]?.body ?? ''),
    poison: (rate) => void (oneIn = rate),
    *told() {
      for (let number = 0; number < decks; number++) yield makeSet(number);
      for (let number = 0; number < singles; number++) yield makeSingle(number);
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
