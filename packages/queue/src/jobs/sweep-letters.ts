import { deadEventId } from './dead-letter-id.ts';

/** Letters that are shown at once. */
const PAGE = 1_000;

/** A letter that rests in `failed`. */
export interface RestingLetter {
  /** The event's ledger id, a uuid. */
  id: string;
  /** When it was laid, or tried in vain for the last time, in unix ms. */
  laidAt: number;
}

/** What letters are swept with. */
export interface SweepOptions {
  choose: (letters: RestingLetter[]) => Promise<string[]>;
  /** Reads job ids and their scores in turn, the oldest first: from `start` to `end`, both included. */
  read: (start: number, end: number) => Promise<string[]>;
  /** Removes the letter of an event; returns 1 where it was there and no worker has it. */
  remove: (id: string) => Promise<number>;
}

/** Shows the letters that rest, and removes those that are chosen. Returns how many it removed. */
export async function sweepLetters({ choose, read, remove }: SweepOptions): Promise<number> {
  let removed = 0;
  // oxlint-disable no-await-in-loop -- page after page
  for (let start = 0; ;) {
    const page = lettersOf(await read(start, start + PAGE - 1));
    const letters = page.filter(({ id }) => UUID.test(id));
    const chosen = letters.length === 0 ? [] : await choose(letters);
    const gone = (await Promise.all(chosen.map(remove))).reduce((sum, count) => sum + count, 0);
    removed += gone;
    // The others move up to the places of those that are gone.
    start += page.length - gone;
    if (page.length < PAGE) return removed;
  }
  // oxlint-enable no-await-in-loop
}

const UUID = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

function lettersOf(answer: readonly string[]): RestingLetter[] {
  return answer.flatMap((jobId, i) =>
    i % 2 === 0 ? [{ id: deadEventId(jobId) ?? '', laidAt: Number(answer[i + 1]) }] : [],
  );
}
