import { useEffect, useRef } from 'preact/hooks';
import { Failed } from '../parts/states.tsx';
import { Count } from '../parts/time.tsx';
import type { SaidSoFar } from './use-said.ts';

/** How far before its end a reader gets the next part, in pixels. */
const AHEAD = '600px 0px';

/** The end of what was read of a long conversation: how much that is, and the next part. */
export function MoreTurns({ said }: { said: SaidSoFar }) {
  const { shown, all, hasMore, isLoading, error, more } = said;
  const end = useRef<HTMLDivElement>(null);
  const latest = useRef(said);
  latest.current = said;
  useEffect(() => {
    if (!end.current || !hasMore || error) return undefined;
    const options = { rootMargin: AHEAD, scrollMargin: AHEAD };
    // It is told at once where the end is in sight already, so each part makes a new one.
    const observer = new IntersectionObserver(
      (entries) => entries.at(-1)?.isIntersecting && latest.current.moreByItself(),
      options,
    );
    observer.observe(end.current);
    return () => observer.disconnect();
  }, [shown, hasMore, isLoading, error]);
  if (!hasMore && !error) return null;
  return (
    <div class="more-turns" ref={end}>
      <p role="status">
        Showing <Count n={shown} /> of <Count n={all} /> turns
      </p>
      {error ? (
        <Failed error={error} retry={more} />
      ) : (
        // It keeps the focus while it loads, so that one can go on by the keyboard.
        <button type="button" class="button" aria-disabled={isLoading} onClick={more}>
          {isLoading ? 'Loading…' : 'Show more turns'}
        </button>
      )}
    </div>
  );
}
