import type { FailureGroupItem } from '../../src/api/contract/failures.ts';
import { Sparkline } from '../parts/sparkline.tsx';
import { Tag } from '../parts/tag.tsx';
import { Count, Time } from '../parts/time.tsx';

interface FailureGroupProps {
  group: FailureGroupItem;
  /** Whether the address names it. */
  isOpen: boolean;
  onReplay: () => void;
  onMark: () => void;
}

/** Events that fail alike: what fails, how many, since when, and what can be done. */
export function FailureGroup({ group, isOpen, onReplay, onMark }: FailureGroupProps) {
  const { fingerprint, code, pattern, example } = group;
  const isKnown = group.known_at !== null;
  const events = `/events?${new URLSearchParams({ fingerprint })}`;
  return (
    <li
      id={`group-${fingerprint}`}
      class="failure"
      data-open={isOpen || undefined}
      tabIndex={-1}
      aria-label={`${code}: ${pattern}`}
    >
      <div class="failure-what">
        <p class="failure-head">
          <Tag tone={isKnown ? 'quiet' : 'bad'}>{code}</Tag>
          <Types types={group.types} />
        </p>
        <p class="failure-pattern" dir="auto">
          {pattern}
        </p>
        {example.message !== pattern && (
          <p class="failure-example">
            <a href={`${events}&event=${example.id}`}>Example</a>: <bdi>{example.message}</bdi>
          </p>
        )}
        {isKnown && (
          <p class="failure-mark">
            Known since <Time at={group.known_at} />
            {group.known_by !== null && ` (${group.known_by})`}. It comes back when it happens again.
          </p>
        )}
      </div>
      <div class="failure-figures">
        <p class="failure-count">
          <Count n={group.count} /> <span>{group.count === 1 ? 'event' : 'events'}</span>
        </p>
        <Sparkline values={group.hours} label="in the last 24 hours, by hour" />
        <p class="failure-times">
          <span>
            last <Time at={group.last_at} />
          </span>
          <span>
            first <Time at={group.first_at} />
          </span>
        </p>
      </div>
      <div class="failure-actions">
        <button type="button" class="button button-small" onClick={onReplay}>
          Replay…
        </button>
        <a class="button button-small failure-events" href={events}>
          Open events
        </a>
        <button type="button" class="button button-small" aria-pressed={isKnown} onClick={onMark}>
          {isKnown ? 'Take mark back' : 'Mark as known'}
        </button>
      </div>
    </li>
  );
}

function Types({ types }: { types: Readonly<Record<string, number>> }) {
  const all = Object.entries(types).sort(([, one], [, other]) => other - one);
  return (
    <>
      {all.slice(0, 4).map(([type, count]) => (
        <span key={type} class="failure-type">
          <bdi>{type === '' ? 'no type' : type}</bdi>
          {all.length > 1 && (
            <>
              {' '}
              <Count n={count} />
            </>
          )}
        </span>
      ))}
      {all.length > 4 && (
        <span class="failure-type">{all.length === 5 ? 'one more type' : `${all.length - 4} more types`}</span>
      )}
    </>
  );
}
