import { useCallback } from 'preact/hooks';
import { useLocation } from 'preact-iso/router';
import { changedQuery, type QueryChange } from './changed-query.ts';

/** The address's query, and what changes it: a link reproduces the view. `replace` leaves no step in the browser's history. */
export function useQuery(): [
  Readonly<Record<string, string>>,
  (change: QueryChange, options?: { replace?: boolean }) => void,
] {
  const { query, route } = useLocation();
  const change = useCallback(
    (words: QueryChange, { replace = false }: { replace?: boolean } = {}) => {
      const search = changedQuery(location.search, words);
      if (search !== location.search) route(location.pathname + search, replace);
    },
    [route],
  );
  return [query, change];
}
