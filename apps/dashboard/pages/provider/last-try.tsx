import type { Provider } from '../../src/api/contract/provider.ts';
import { Time } from '../parts/time.tsx';

/** Says above all else that the last comparison failed, and why, until one has ended well. */
export function LastTry({ failure }: { failure: Provider['last_failure'] }) {
  if (failure === null) return null;
  return (
    <p class="last-try" role="status">
      <strong>
        The last try failed <Time at={failure.at} />:
      </strong>{' '}
      <bdi>{failure.error ?? 'its operation does not say why.'}</bdi>{' '}
      <a href={`/operations?operation=${failure.id}`}>Open the operation</a>
    </p>
  );
}
