import type { ConversationItem } from '../../src/api/contract/conversations.ts';
import { completenessWords, isNoteworthy } from '../parts/completeness-words.ts';
import { Tag } from '../parts/tag.tsx';
import { Count, Duration, Time } from '../parts/time.tsx';
import { isLive, outcomeTone, plainWord, statusTone, titleOf } from './conversation-words.ts';

/** A conversation in the list: what it was about, with whom, how it went, and when. */
export function ConversationRow({ item }: { item: ConversationItem }) {
  const who = item.external_number ?? item.user_id;
  return (
    <div class="call-row" data-erased={item.erased_at !== null || undefined}>
      <span class="call-row-what">
        <bdi class="call-row-title">{titleOf(item)}</bdi>
        <span class="call-row-summary" dir="auto">
          {item.summary ?? item.id}
        </span>
      </span>
      <span class="call-row-who">
        <bdi>{who ?? '–'}</bdi>
        <span class="call-row-quiet">
          {[item.channel && plainWord(item.channel), item.direction, item.language].filter(Boolean).join(' · ')}
        </span>
      </span>
      <span class="call-row-size">
        {isLive(item.status) ? (
          <span class="call-row-live">going on</span>
        ) : (
          <Duration seconds={item.duration_seconds} />
        )}
        <span class="call-row-quiet">
          <Count n={item.messages} /> {item.messages === 1 ? 'turn' : 'turns'}
          {item.has_recording ? ' · audio' : ''}
        </span>
      </span>
      <span class="call-row-state">
        <Tag tone={statusTone(item.status)}>{plainWord(item.status)}</Tag>
        {item.call_successful !== null && (
          <Tag tone={outcomeTone(item.call_successful)}>{plainWord(item.call_successful)}</Tag>
        )}
        {isNoteworthy(item.completeness) && (
          <Tag tone={completenessWords(item.completeness).tone}>{item.completeness}</Tag>
        )}
      </span>
      <span class="call-row-when">
        <Time at={item.started_at} />
      </span>
    </div>
  );
}
