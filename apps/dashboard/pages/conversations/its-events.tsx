import type { EventItem } from '../../src/api/contract/events.ts';
import { useApi } from '../api/use-api.ts';
import { outcomeTone } from '../events/event-words.ts';
import { Failed, Loading } from '../parts/states.tsx';
import { Tag } from '../parts/tag.tsx';
import { Time } from '../parts/time.tsx';

/** How many are listed here; the page Events has the rest. */
const MOST = 30;

/** The events that a conversation was made from, newest first, each a link. */
export function ItsEvents({ id }: { id: string }) {
  const words = new URLSearchParams({ conversation: id });
  const { data, error, reload } = useApi<{ items: EventItem[]; next: string | null }>(`/events?${words}&limit=${MOST}`);
  if (error) return <Failed error={error} retry={reload} />;
  if (!data) return <Loading what="events" />;
  return (
    <>
      {data.items.length === 0 && (
        <p class="about-hint">The ledger has no event of it: none ever came, or they were deleted since.</p>
      )}
      <ul class="its-events" aria-label="Events">
        {data.items.map((event) => (
          <li key={event.id}>
            <a href={`/events?${words}&event=${event.id}`}>{event.type ?? 'no type'}</a>
            {event.outcome !== 'applied' && <Tag tone={outcomeTone(event.outcome)}>{event.outcome}</Tag>}
            <Time at={event.received_at} />
          </li>
        ))}
      </ul>
      {data.items.length > 0 && (
        <p>
          <a href={`/events?${words}`}>{data.next === null ? 'Open them in Events' : 'Open all of them in Events'}</a>
        </p>
      )}
    </>
  );
}
