import type { Provider } from '../../src/api/contract/provider.ts';
import { completenessHref, completenessWords } from '../parts/completeness-words.ts';
import { countText } from '../parts/relative-time.ts';
import { Tag } from '../parts/tag.tsx';
import { Time } from '../parts/time.tsx';

/** What is counted, the worst first. */
const KINDS = ['missing', 'unfetchable', 'waiting', 'open'] as const;

/** How far the API counts: one more says that there are more. */
const MOST_COUNTED = 10_000;

function boundedText(n: number): string {
  return n > MOST_COUNTED ? `${countText(MOST_COUNTED)}+` : countText(n);
}

/** How many conversations are not complete, each count a link to them. */
export function Completeness({ provider }: { provider: Provider }) {
  const { completeness, reconciled_at: at, is_reconciling: isRunning, runs } = provider;
  return (
    <section class="provider-completeness" aria-labelledby="completeness">
      <h2 id="completeness">Completeness {isRunning && <Tag tone="live">comparing now</Tag>}</h2>
      <p class="quiet">
        {at !== null && (
          <>
            Compared with ElevenLabs’ list <Time at={at} />.
          </>
        )}
        {at === null && runs.length > 0 && 'None of the last comparisons has ended well.'}
        {at === null && runs.length === 0 && 'The conversations were never compared with ElevenLabs’ list.'}
      </p>
      <ul class="completeness-counts">
        {KINDS.map((kind) => (
          <li key={kind}>
            <a href={completenessHref(kind)}>
              <strong class={`number${kind === 'missing' && completeness.missing > 0 ? ' completeness-bad' : ''}`}>
                {boundedText(completeness[kind])}
              </strong>{' '}
              <span class="completeness-name">{kind}</span>
              <span class="quiet">{completenessWords(kind).says}</span>
            </a>
          </li>
        ))}
      </ul>
    </section>
  );
}
