import { addCounts, NOTHING_COUNTED, type EventCounts } from './event-counts.ts';
import type { EventFilter } from './event-filter.ts';
import type { EventPosition } from './filter-conditions.ts';
import type { FoundEvent } from './found-event.ts';
import type { Ledger, SizedEvent } from './ledger.ts';
import { textMatcher } from './text-matcher.ts';

/** Events of a page: the first answer comes soon, and later pages cost fewer statements. */
const FIRST_PAGE = 64;
const PAGE = 512;

/** Bodies that are read at once, in bytes; a larger one is read alone. */
const CHUNK_BYTES = 4 * 1024 * 1024;

/** What to search. */
export interface SearchOptions {
  filter: EventFilter & { text: string };
  order?: 'newest' | 'oldest';
  /** Only events behind this one, in that order. */
  after?: EventPosition | undefined;
  /** Begins no part when this is aborted. */
  signal?: AbortSignal;
}

/** One part of a search. */
export interface SearchStep {
  /** The events of this part that have the text, in order. */
  found: FoundEvent[];
  /** How many events were looked at. */
  looked: number;
  /** How many of them have no body any more. */
  withoutBody: number;
  /** Everything up to here was looked at. */
  position: EventPosition;
}

/**
 * Looks for a text in the bodies of the events that match, part after part. It reads the next part while it looks at this one.
 *
 * @returns  Whether all events were looked at; false where the signal came first.
 * @throws   StoreError
 */
export async function* searchText(
  ledger: Pick<Ledger, 'page' | 'bodies'>,
  { filter, order = 'newest', after, signal }: SearchOptions,
): AsyncGenerator<SearchStep, boolean> {
  const matches = textMatcher(filter.text);
  const parts = readParts(ledger, { filter, order, after });
  let next = parts.next();
  try {
    for (;;) {
      const part = await next;
      if (part.done) return true;
      if (signal?.aborted) return false;
      next = parts.next();
      // Awaited in the next turn; until then a failure must not count as unhandled.
      next.catch(() => undefined);
      yield look(part.value, matches);
    }
  } finally {
    await next.catch(() => undefined);
  }
}

interface Part {
  events: SizedEvent[];
  bodies: ReadonlyMap<string, Uint8Array | undefined>;
}

async function* readParts(
  ledger: Pick<Ledger, 'page' | 'bodies'>,
  { filter, order, after: first }: Pick<SearchOptions, 'filter' | 'after'> & Required<Pick<SearchOptions, 'order'>>,
): AsyncGenerator<Part, undefined> {
  let after = first;
  for (let limit = FIRST_PAGE; ; limit = PAGE) {
    const page = await ledger.page(filter, { order, after, limit });
    for (const events of chunksOf(page)) {
      const ids = events.flatMap(({ id, storedBytes }) => (storedBytes === null ? [] : [id]));
      const bodies = ids.length === 0 ? [] : await ledger.bodies(ids);
      yield { events, bodies: new Map(bodies.map(({ id, body }) => [id, body])) };
    }
    after = page.at(-1);
    if (page.length < limit) return undefined;
  }
}

/** Cuts a page into chunks whose bodies are read at once. */
export function chunksOf<T extends Pick<SizedEvent, 'storedBytes'>>(
  page: readonly T[],
  most = { events: Infinity, bytes: CHUNK_BYTES },
): T[][] {
  const chunks: T[][] = [];
  let bytes = 0;
  for (const event of page) {
    const last = chunks.at(-1);
    const size = event.storedBytes ?? 0;
    if (last === undefined || last.length >= most.events || bytes + size > most.bytes) {
      chunks.push([event]);
      bytes = size;
    } else {
      last.push(event);
      bytes += size;
    }
  }
  return chunks;
}

function look({ events, bodies }: Part, matches: (body: Uint8Array) => boolean): SearchStep {
  const found = events.filter(({ id }) => {
    const body = bodies.get(id);
    return body !== undefined && matches(body);
  });
  const withoutBody = events.filter(({ id }) => bodies.get(id) === undefined).length;
  const { receivedAt, id } = events.at(-1) ?? { receivedAt: 0, id: '' };
  return { found, looked: events.length, withoutBody, position: { receivedAt, id } };
}

/** Counts the events that match, `text` included. Each step tells how many were looked at until then. */
export async function countMatching(
  ledger: Pick<Ledger, 'count' | 'page' | 'bodies'>,
  filter: EventFilter,
  onLooked: (looked: number) => void = () => undefined,
): Promise<EventCounts> {
  const { text } = filter;
  if (text === undefined) return ledger.count(filter);
  let counts = NOTHING_COUNTED;
  let looked = 0;
  for await (const step of searchText(ledger, { filter: { ...filter, text }, order: 'oldest' })) {
    looked += step.looked;
    onLooked(looked);
    for (const { type, outcome, receivedAt } of step.found) {
      counts = addCounts(counts, { type, outcome, events: 1, first: receivedAt, last: receivedAt });
    }
  }
  return counts;
}
