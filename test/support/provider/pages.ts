import { invalid, ok, refusal, type Answer } from './answers.ts';

/** Things that are answered page by page. */
export interface Paged<T> {
  /** The name of the list in the answer. */
  name: string;
  items: readonly T[];
  /** Where an item stands in the order; no two items have the same. */
  keyOf: (item: T) => string;
  direction: 'asc' | 'desc';
  print?: (item: T) => unknown;
}

const DEFAULT_SIZE = 30;
const MOST = 100;

/** Answers one page. A cursor holds the key of the last item, so that an item that comes meanwhile moves no other. */
export function pageOf<T>(query: URLSearchParams, { name, items, keyOf, direction, print }: Paged<T>): Answer {
  const size = Number(query.get('page_size') ?? DEFAULT_SIZE);
  if (!Number.isInteger(size) || size < 1) {
    return invalid(['query', 'page_size'], 'Input should be greater than or equal to 1', 'greater_than_equal');
  }
  if (size > MOST) {
    return invalid(['query', 'page_size'], `Input should be less than or equal to ${MOST}`, 'less_than_equal');
  }
  const cursor = query.get('cursor');
  const last = cursor === null ? undefined : readCursor(cursor);
  if (last === null) return refusal(400, 'invalid_cursor', 'The cursor is not valid.');
  const isAfter = (key: string): boolean => last === undefined || (direction === 'asc' ? key > last : key < last);
  const rest = items
    .map((item) => ({ key: keyOf(item), item }))
    .filter(({ key }) => isAfter(key))
    .toSorted((a, b) => (a.key < b.key === (direction === 'asc') ? -1 : 1));
  const page = rest.slice(0, size);
  const hasMore = rest.length > size;
  return ok({
    [name]: page.map(({ item }) => print?.(item) ?? item),
    next_cursor: hasMore ? writeCursor(page.at(-1)?.key ?? '') : null,
    has_more: hasMore,
  });
}

const SIGN = 'page:';

const writeCursor = (key: string): string => Buffer.from(SIGN + key).toString('base64url');

function readCursor(cursor: string): string | null {
  const text = Buffer.from(cursor, 'base64url').toString();
  return text.startsWith(SIGN) ? text.slice(SIGN.length) : null;
}
