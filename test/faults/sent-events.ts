/** What the sender knows of an event, as bits: it may have been delivered several times. */
const ACCEPTED = 1;
const REFUSED = 2;
const UNKNOWN = 4;
const POISON = 8;

const ID_BYTES = 16;

/** What came back of a delivery: `unknown` when nothing did. */
export type Answer = 'accepted' | 'refused' | 'unknown';

/** What the sender knows of one event. */
export interface SentEvent {
  /** Its id in the ledger. */
  id: string;
  isAccepted: boolean;
  /** Every delivery of it was refused. */
  isRefused: boolean;
  isPoison: boolean;
  /** During which period it was first accepted. */
  period: number;
}

/** Answers within a period: of deliveries, but `accepted` is of events, the first time each. */
export interface Counts {
  accepted: number;
  refused: number;
  unknown: number;
}

/** The sender's own ledger. It holds millions: 19 bytes for each event. */
export interface SentEvents {
  /** Notes an event that is going to be sent; answers its number. */
  add: (id: Uint8Array, isPoison: boolean) => number;
  /** Notes what became of a delivery. */
  note: (event: number, answer: Answer) => void;
  count: () => number;
  get: (event: number) => SentEvent;
  /** Answers from now on belong to another period; answers its number. */
  nextPeriod: () => number;
  counts: (period: number) => Counts;
  /** Events that were accepted and have not been seen in the tables, those accepted first at the front. */
  unseen: (limit: number) => number[];
  unseenCount: () => number;
  seen: (event: number) => void;
  /** Tells events accepted before from those accepted after. */
  mark: () => number;
  /** Whether all that was accepted before the mark has been seen. */
  isSeenUpTo: (mark: number) => boolean;
}

/** Makes an empty ledger. */
export function createSentEvents(): SentEvents {
  let ids = Buffer.alloc(ID_BYTES * 1024);
  let flags = new Uint8Array(1024);
  let periods = new Uint16Array(1024);
  let count = 0;
  let accepted = 0;
  let current: Counts = { accepted: 0, refused: 0, unknown: 0 };
  const counts = [current];
  /** When each was accepted, as a number in turn; in that order. */
  const unseen = new Map<number, number>();

  function grow(): void {
    const size = flags.length * 2;
    ids = Buffer.concat([ids], size * ID_BYTES);
    const [oldFlags, oldPeriods] = [flags, periods];
    flags = new Uint8Array(size);
    periods = new Uint16Array(size);
    flags.set(oldFlags);
    periods.set(oldPeriods);
  }

  return {
    add(id, isPoison) {
      if (count === flags.length) grow();
      ids.set(id.subarray(0, ID_BYTES), count * ID_BYTES);
      flags[count] = isPoison ? POISON : 0;
      return count++;
    },
    note(event, answer) {
      const before = flags[event] ?? 0;
      if (answer !== 'accepted') current[answer] += 1;
      else if ((before & ACCEPTED) === 0) {
        current.accepted += 1;
        periods[event] = counts.length - 1;
        unseen.set(event, accepted++);
      }
      flags[event] = before | { accepted: ACCEPTED, refused: REFUSED, unknown: UNKNOWN }[answer];
    },
    count: () => count,
    get(event) {
      const known = flags[event] ?? 0;
      const hex = ids.toString('hex', event * ID_BYTES, (event + 1) * ID_BYTES);
      return {
        id: hex.replace(/^(.{8})(.{4})(.{4})(.{4})/, '$1-$2-$3-$4-'),
        isAccepted: (known & ACCEPTED) !== 0,
        isRefused: (known & (ACCEPTED | REFUSED | UNKNOWN)) === REFUSED,
        isPoison: (known & POISON) !== 0,
        period: periods[event] ?? 0,
      };
    },
    nextPeriod() {
      current = { accepted: 0, refused: 0, unknown: 0 };
      return counts.push(current) - 1;
    },
    counts: (period) => counts[period] ?? { accepted: 0, refused: 0, unknown: 0 },
    unseen(limit) {
      const events: number[] = [];
      for (const event of unseen.keys()) {
        if (events.length >= limit) break;
        events.push(event);
      }
      return events;
    },
    unseenCount: () => unseen.size,
    seen: (event) => void unseen.delete(event),
    mark: () => accepted,
    isSeenUpTo: (mark) => (unseen.values().next().value ?? Infinity) >= mark,
  };
}
