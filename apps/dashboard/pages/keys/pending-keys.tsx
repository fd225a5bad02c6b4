import { keyGroups, boundKeys, pendingKey } from './use-keys.ts';
import { secondKeys } from './key-pairs.ts';

/** Says in the corner that a first key waits for its second, and what that may be. */
export function PendingKeys() {
  const first = pendingKey.value;
  const seconds = first === '' ? [] : secondKeys(first, boundKeys(keyGroups.value));
  return (
    <div class="pending-keys" role="status" aria-live="polite">
      {first !== '' && (
        <p>
          <kbd>{first}</kbd> then{' '}
          {seconds.map((key) => (
            <kbd key={key}>{key}</kbd>
          ))}
        </p>
      )}
    </div>
  );
}
