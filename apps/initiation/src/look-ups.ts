import type { FoundCaller, Reader } from '@landline/store';
import type { AwayBecause, DatabaseGate } from './database-gate.ts';

/** How long what was found is good for, in ms, from the question on. Longer, and a call that has just ended would not show. */
const KEPT_MS = 200;

/** Numbers of which an answer is kept. */
const MOST_KEPT = 1_000;

/** What came of a look-up. */
export type LookUp = { found: FoundCaller } | { because: AwayBecause | 'internal_error' };

/** Looks callers up: one question at a time for each number. */
export interface LookUps {
  /** Never rejects. While the database is away the answer is there at once. */
  ask(number: string): Promise<LookUp>;
  /** Forgets what was found. */
  forget(): void;
}

/** What look-ups are made of. */
export interface LookUpOptions {
  reader: Pick<Reader, 'findCaller'>;
  gate: Pick<DatabaseGate, 'closedBecause' | 'close' | 'fail'>;
  /** How long a look-up may take, in ms. After that the database counts as slow, and is asked by the gate alone until it is not. */
  limitMs: number;
}

/** Makes look-ups. A telephone system that sends all its calls from one number costs five queries a second. */
export function createLookUps({ reader, gate, limitMs }: LookUpOptions): LookUps {
  const kept = new Map<string, Promise<LookUp>>();

  function begin(number: string): Promise<LookUp> {
    const asked = performance.now();
    const lookUp = lookUpOnce(number);
    kept.set(number, lookUp);
    const forget = () => {
      if (kept.get(number) === lookUp) kept.delete(number);
    };
    const [oldest] = kept.size > MOST_KEPT ? kept.keys() : [];
    if (oldest !== undefined) kept.delete(oldest);
    const keep = (result: LookUp): void => {
      const leftMs = 'found' in result ? asked + KEPT_MS - performance.now() : 0;
      if (leftMs > 0) setTimeout(forget, leftMs).unref();
      else forget();
    };
    void lookUp.then(keep);
    return lookUp;
  }

  async function lookUpOnce(number: string): Promise<LookUp> {
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

  return {
    async ask(number) {
      const because = gate.closedBecause();
      if (because !== undefined) return { because };
      return kept.get(number) ?? begin(number);
    },
    forget: () => kept.clear(),
  };
}
