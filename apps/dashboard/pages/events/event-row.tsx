import type { EventItem } from '../../src/api/contract/events.ts';
import { Tag } from '../parts/tag.tsx';
import { Bytes, Time } from '../parts/time.tsx';
import { outcomeTone } from './event-words.ts';

/** An event in the list. Of a dead one, why. */
export function EventRow({ item, isSelected }: { item: EventItem; isSelected: boolean }) {
  return (
    <div class="event-row" data-selected={isSelected || undefined}>
      <span class="event-row-mark" aria-hidden="true">
        {isSelected ? '✓' : ''}
      </span>
      <span class="event-row-type">
        <bdi>{item.type ?? 'no type'}</bdi>
      </span>
      <span class="event-row-about">
        {item.error ? (
          <span class="event-row-error" dir="auto">
            {item.error.code}: {item.error.message}
          </span>
        ) : (
          <bdi>{item.conversation_id ?? '–'}</bdi>
        )}
      </span>
      <span class="event-row-size">
        <Bytes count={item.body_bytes} />
      </span>
      <span class="event-row-outcome">
        <Tag tone={outcomeTone(item.outcome)}>{item.outcome}</Tag>
      </span>
      <span class="event-row-when">
        <Time at={item.received_at} />
      </span>
    </div>
  );
}
