import { useCallback, useEffect, useRef, useState } from 'preact/hooks';
import { asApiError, get, type ApiError } from './client.ts';
import { addPage, holdFirstPage, mergeFirstPage, type Listed, type Page } from './merge-pages.ts';
import { paceAfterScroll, type ListPace, type Scrolled } from '../parts/list-pace.ts';
import { startPolling, type Turn } from './poll.ts';

/** How far a search got until its time was over. */
export interface TimedOut {
  looked: number;
  /** Everything that is newer was looked at. */
  back_to: string | null;
}

export interface Pages<Item> {
  items: readonly Item[];
  /** The last first page whole: some routes tell more than items. */
  first: unknown;
  next: string | null;
  isLoading: boolean;
  error: ApiError | undefined;
  timedOut: TimedOut | undefined;
  more: () => void;
  reload: () => void;
  isFollowing: boolean;
  /** How many new items wait while one does not follow. */
  waiting: number;
  follow: () => void;
  pause: () => void;
  scrolled: (to: Scrolled) => void;
}

interface State<Item> {
  path: string | null;
  list: Listed<Item>;
  first: unknown;
  error: ApiError | undefined;
  timedOut: TimedOut | undefined;
}

/** What a list asks for. */
interface Asking<Item> {
  everyMs: number;
  keyOf: (item: Item) => string;
}

/** A page, and how far the API got with it. */
interface Read<Item> {
  page: Page<Item>;
  timedOut: TimedOut | undefined;
}

/** Whether a fault is a page as well: that of a search whose time was over. Where nothing was looked at, the database hangs, and it is a fault. */
function isTimedOutPage<Item>(body: unknown): body is Page<Item> & TimedOut {
  if (typeof body !== 'object' || body === null || !('items' in body) || !('looked' in body)) return false;
  return Array.isArray(body.items) && typeof body.looked === 'number' && body.looked > 0;
}

/** Reads a page. An answer of 504 that has items is a page as well: one that says how far the search got. */
async function readPage<Item>(path: string, signal: AbortSignal): Promise<Read<Item>> {
  try {
    return { page: await get<Page<Item>>(path, { signal }), timedOut: undefined };
  } catch (error) {
    const { status, body } = asApiError(error);
    if (signal.aborted || status !== 504 || !isTimedOutPage<Item>(body)) throw error;
    return { page: body, timedOut: { looked: body.looked, back_to: body.back_to } };
  }
}

function emptyState<Item>(): State<Item> {
  const list = { items: [], next: null, waiting: [] };
  return { path: null, list, first: undefined, error: undefined, timedOut: undefined };
}

/** A path that goes on where the list ends. */
function pathBehind(path: string, next: string): string {
  return `${path}${path.includes('?') ? '&' : '?'}cursor=${encodeURIComponent(next)}`;
}

/** What a first page makes of a list: its beginning, or, where one does not follow, what waits. */
function withFirst<Item>(
  old: State<Item>,
  { page, timedOut }: Read<Item>,
  how: { path: string; isFollowing: boolean; keyOf: (item: Item) => string },
): State<Item> {
  const { path, isFollowing, keyOf } = how;
  const isOther = old.path !== path;
  // What a search found until its time was over is the whole of what there is.
  if (isOther || timedOut) {
    return { path, first: page, list: { ...page, waiting: [] }, error: undefined, timedOut };
  }
  const merge = isFollowing || old.list.items.length === 0 ? mergeFirstPage : holdFirstPage;
  const list = merge(old.list, page, keyOf);
  return { path, first: page, list, error: undefined, timedOut: old.timedOut };
}

/** Reads the next page of a list, one at a time. */
function useMore<Item>(
  path: string,
  state: State<Item>,
  { setState, keyOf }: { setState: (change: (old: State<Item>) => State<Item>) => void; keyOf: (item: Item) => string },
): { more: () => void; isMore: boolean } {
  const [isMore, setMore] = useState(false);
  const under = useRef<AbortController>(undefined);
  useEffect(
    () => () => {
      under.current?.abort();
      under.current = undefined;
      setMore(false);
    },
    [path],
  );
  function more(): void {
    const { next } = state.list;
    if (under.current || next === null || state.path !== path) return;
    const abort = new AbortController();
    under.current = abort;
    setMore(true);
    readPage<Item>(pathBehind(path, next), abort.signal)
      .then(({ page, timedOut }) =>
        // Where the list has been begun anew meanwhile, this page is not the next one any more.
        setState((old) =>
          old.path === path && old.list.next === next
            ? { ...old, list: addPage(old.list, page, keyOf), error: undefined, timedOut }
            : old,
        ),
      )
      .catch((error: unknown) => {
        if (!abort.signal.aborted) setState((old) => ({ ...old, error: asApiError(error) }));
      })
      .finally(() => {
        if (under.current !== abort) return;
        under.current = undefined;
        setMore(false);
      });
  }
  return { more, isMore };
}

/** Whether a list follows what comes in. `pace` has it at once, before the page is drawn anew. `onFollow` reads what has come. */
function usePace(path: string, onFollow: () => void) {
  const [isFollowing, setFollowing] = useState(true);
  const pace = useRef<ListPace>('follows');
  const take = useCallback((next: ListPace) => {
    const goesOn = next === 'follows' && pace.current !== 'follows';
    pace.current = next;
    setFollowing(next === 'follows');
    if (goesOn) onFollow();
  }, []);
  useEffect(() => {
    pace.current = 'follows';
    setFollowing(true);
  }, [path]);
  const follow = useCallback(() => take('follows'), []);
  const pause = useCallback(() => take('paused by hand'), []);
  const scrolled = useCallback((to: Scrolled) => take(paceAfterScroll(pace.current, to)), []);
  return { pace, isFollowing, follow, pause, scrolled };
}

/**
 * Reads a list page by page, newest first. While one follows, the first page is read every `everyMs` and merged by key.
 *
 * @param path Below /api/v1, with its filter. Another path is another list; the old one stands until its first page is there.
 */
export function usePages<Item>(path: string, { everyMs, keyOf }: Asking<Item>): Pages<Item> {
  const [state, setState] = useState<State<Item>>(emptyState);
  const [round, setRound] = useState(0);
  const { pace, ...pacing } = usePace(path, () => setRound((n) => n + 1));
  const { more, isMore } = useMore(path, state, { setState, keyOf });
  useEffect(() => {
    async function run(signal: AbortSignal): Promise<Turn> {
      try {
        const read = await readPage<Item>(path, signal);
        if (signal.aborted) return 'last';
        setState((old) => withFirst(old, read, { path, isFollowing: pace.current === 'follows', keyOf }));
        // A search that ran out of time is not asked again by itself.
        return read.timedOut === undefined ? 'well' : 'last';
      } catch (error) {
        if (signal.aborted) return 'last';
        const fault = asApiError(error);
        setState((old) => ({ ...(old.path === path ? old : emptyState<Item>()), path, error: fault }));
        return fault;
      }
    }
    return startPolling({ everyMs, run });
    // `keyOf` is the same for every drawing of a page.
  }, [path, everyMs, round]);
  const reload = useCallback(() => setRound((n) => n + 1), []);
  const { list, first, error, timedOut } = state;
  return {
    items: list.items,
    first,
    next: list.next,
    isLoading: isMore || state.path !== path,
    error: state.path === path ? error : undefined,
    timedOut,
    more,
    reload,
    waiting: list.waiting.length,
    ...pacing,
  };
}
