import type { FoundCaller, Reader } from '@landline/store';
import type { AwayBecause, DatabaseGate } from './database-gate.ts';

/** How long a result is kept after its query began, in ms. With more, an answer would lack a call that has just ended. */
const KEPT_MS = 200;

/** How many results are kept at most, one for each number. */
const MOST_KEPT = 1_000;

/** The result of a look-up: what was found, or why nothing could be. */
export type LookUp = { found: FoundCaller } | { because: AwayBecause | 'internal_error' };

/** Finds callers, with one query at a time for each number. */
export interface LookUps {
  /** Finds a caller by number. It never rejects, and resolves at once while the database is away. */
  ask(number: string): Promise<LookUp>;
  /** Forgets every result. */
  forget(): void;
}

/** Dependencies and limits of `createLookUps`. */
export interface LookUpOptions {
  reader: Pick<Reader, 'findCaller'>;
  gate: Pick<DatabaseGate, 'closedBecause' | 'close' | 'fail'>;
  /** How long a query may take, in ms. After that the database counts as slow, and the gate alone queries it until it answers. */
  limitMs: number;
}

/** The results of the latest queries, and the queries under way, by number; oldest first. */
type Kept = Map<string, Promise<LookUp>>;

/** Makes look-ups. A telephone system that sends all its calls from one number costs five queries a second. */
export function createLookUps(options: LookUpOptions): LookUps {
  const kept: Kept = new Map();
  return {
    async ask(number) {
      const because = options.gate.closedBecause();
      if (because !== undefined) return { because };
      return kept.get(number) ?? keep(kept, number, findInTime(options, number));
    },
    forget: () => kept.clear(),
  };
}

/** Keeps a query that begins now, and its result until it is `KEPT_MS` old. A fault is not kept: the next caller gets a query. */
function keep(kept: Kept, number: string, lookUp: Promise<LookUp>): Promise<LookUp> {
  const forgetAt = performance.now() + KEPT_MS;
  kept.set(number, lookUp);
  const [oldest] = kept.size > MOST_KEPT ? kept.keys() : [];
  if (oldest !== undefined) kept.delete(oldest);
  const forget = () => {
    if (kept.get(number) === lookUp) kept.delete(number);
  };
  const forgetInTime = (result: LookUp): void => {
    const leftMs = 'found' in result ? forgetAt - performance.now() : 0;
    if (leftMs > 0) setTimeout(forget, leftMs).unref();
    else forget();
  };
  void lookUp.then(forgetInTime);
  return lookUp;
}

/** Queries the database, and closes the gate where the query fails by the database's fault or takes longer than `limitMs`. */
async function findInTime({ reader, gate, limitMs }: LookUpOptions, number: string): Promise<LookUp> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<LookUp>((resolve) => {
    timer = setTimeout(() => {
      gate.close('database_slow');
      resolve({ because: 'database_slow' });
    }, limitMs);
  });
  const found = reader.findCaller(number).then(
    (caller): LookUp => ({ found: caller }),
    (error: unknown): LookUp => ({ because: gate.fail(error) }),
  );
  return Promise.race([found, late]).finally(() => clearTimeout(timer));
}
