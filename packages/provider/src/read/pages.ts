import { ProviderError } from '../errors.ts';

/** Items of a page: the most that the provider gives. */
export const PAGE_SIZE = 100;

/** So many pages are read at most: with a hundred calls each, a million calls. */
const MAX_PAGES = 10_000;

/** So many pages in a row may be empty: a list that leaves items out may give some. */
const MAX_EMPTY = 100;

/** How a list says where it goes on. */
export interface Page<T> {
  items: T[];
  /** Undefined where the provider does not say. */
  hasMore: boolean | undefined;
  cursor: string | null;
}

/**
 * Reads a list page after page.
 *
 * @param what  The list, for messages.
 * @param read  Fetches the page at a cursor; the first one has none.
 * @throws      ProviderError `bad_answer` where the pages do not end, or do not say how they go on: a list that is cut off unseen would hide what is missing.
 */
export async function* pagesOf<T>(
  what: string,
  read: (cursor: string | undefined) => Promise<Page<T>>,
): AsyncGenerator<T[], void, undefined> {
  const cursors = new Set<string>();
  let cursor: string | undefined;
  let empty = 0;
  while (cursors.size < MAX_PAGES) {
    const page = await read(cursor);
    yield page.items;
    if (!(page.hasMore ?? page.cursor !== null)) return;
    empty = page.items.length === 0 ? empty + 1 : 0;
    if (empty > MAX_EMPTY) throw unreadable(what, `has more than ${MAX_EMPTY} empty pages in a row`);
    cursor = nextOf(what, page.cursor, cursors);
    cursors.add(cursor);
  }
  throw new ProviderError('bad_answer', `ElevenLabs' answer for ${what} has more than ${MAX_PAGES} pages.`);
}

function nextOf(what: string, cursor: string | null, cursors: ReadonlySet<string>): string {
  if (cursor === null) throw unreadable(what, 'says that there are more pages, but not where');
  if (cursors.has(cursor)) throw unreadable(what, 'leads back to a page that was read');
  return cursor;
}

function unreadable(what: string, fault: string): ProviderError {
  return new ProviderError('bad_answer', `ElevenLabs' answer for ${what} ${fault}, so it cannot be read to its end.`);
}
