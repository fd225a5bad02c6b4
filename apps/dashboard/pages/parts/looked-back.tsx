import type { Pages } from '../api/use-pages.ts';
import { Count, Time } from './time.tsx';

interface LookedBackProps {
  pages: Pick<Pages<unknown>, 'timedOut' | 'next' | 'isLoading' | 'more' | 'items'>;
  /** What was looked at, such as "events". */
  what: string;
}

/** Tells how far a search got until its time was over, and lets it look further. Nobody takes it for the end of the list. */
export function LookedBack({ pages, what }: LookedBackProps) {
  const { timedOut, next, isLoading, more, items } = pages;
  if (!timedOut) return null;
  return (
    <div class="looked-back" role="status">
      <p>
        Looked back to <Time at={timedOut.back_to} /> (<Count n={timedOut.looked} /> {what}), found{' '}
        <Count n={items.length} />.
      </p>
      {next !== null && (
        <button type="button" class="button button-small" disabled={isLoading} onClick={more}>
          {isLoading ? 'Looking…' : 'Look further'}
        </button>
      )}
    </div>
  );
}
