import { hash } from 'node:crypto';
import { callEvents } from '../exactly-once/call-events.ts';
import type { SeededRandom } from '../support/seeded-random.ts';
import type { SentEvents } from './sent-events.ts';

/** An event on its way to be sent. */
export interface Delivery {
  event: number;
  body: Buffer;
}

/** New events in a deck. */
const DECK_EVENTS = 240;
/** One delivery in five is a repeat. */
const REPEATS = DECK_EVENTS / 4;

/** What Postgres refuses, by a constraint of the suite's own; see rig.ts. */
export const POISONOUS = 'poisonous words';

/** Deals mixed events without end: calls with all that comes after them, one delivery in five a repeat, shuffled. */
export interface Deck {
  next: () => Delivery;
  /** From now on one event in so many cannot be applied; undefined: none. */
  poison: (oneIn: number | undefined) => void;
}

/**
 * Makes a deck.
 *
 * @param run   A word that no other run has.
 * @param sent  Where each event is noted.
 */
export function createDeck(run: string, random: SeededRandom, sent: SentEvents): Deck {
  let cards: Delivery[] = [];
  let last: Delivery[] = [];
  let decks = 0;
  let oneIn: number | undefined;
  let poisons = 0;

  function shuffle(): Delivery[] {
    const name = `${run}_${decks++}`;
    // Were all calls of one user, they would wait for one row.
    const bodies = callEvents(DECK_EVENTS, random, name).map((body) =>
      Buffer.from(body.toString().replace('user_42', `user_${name}`)),
    );
    const fresh = bodies.map((body) => delivery(body, false));
    const poisonous = oneIn === undefined ? 0 : Math.ceil(DECK_EVENTS / oneIn);
    for (let i = 0; i < poisonous; i++) fresh.push(delivery(poisonBody(`${name}_${poisons++}`, random), true));
    // Some repeats follow close behind, some an age later.
    const repeats = random.shuffled([...last, ...fresh]).slice(0, REPEATS);
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
    poison: (rate) => void (oneIn = rate),
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
    JSON.stringify({ type: 'conversation.message', data: { ...data, role: 'user', message: POISONOUS } }),
  ];
  return Buffer.from(bodies[random.below(bodies.length)] ?? '');
}
