import { useState } from 'preact/hooks';
import type { EventDetail as Detail, EventItem } from '../../src/api/contract/events.ts';
import { useApi } from '../api/use-api.ts';
import { useKeys } from '../keys/use-keys.ts';
import { CopyButton } from '../parts/copy-button.tsx';
import { Failed, Loading, Stale } from '../parts/states.tsx';
import { Tag } from '../parts/tag.tsx';
import { Bytes, Count, Time } from '../parts/time.tsx';
import { EventBody } from './event-body.tsx';
import { outcomeTone } from './event-words.ts';

/** How often a dead event is read again, in milliseconds: a replay may have brought it to life. */
const DEAD_MS = 5_000;

interface EventDetailProps {
  id: string;
  /** Whether `r` is about this event: it is, while none is selected. */
  isReplayKey: boolean;
  onReplay: (event: EventItem) => void;
}

/** One event, beside the list: what became of it, why it is dead, and its body. */
export function EventDetail({ id, isReplayKey, onReplay }: EventDetailProps) {
  const [isDead, setDead] = useState(false);
  const { data, previous, error, reload } = useApi<Detail>(`/events/${encodeURIComponent(id)}`, {
    everyMs: isDead ? DEAD_MS : 0,
  });
  if (data && (data.outcome === 'dead') !== isDead) setDead(!isDead);
  const replay = { does: 'Replay the open event', run: () => data && onReplay(data) };
  useKeys(isReplayKey ? { r: replay } : {});
  // While the next one loads the one before stands there, dimmed: nothing jumps when one moves by j and k.
  const event = data ?? previous;
  if (error && (!event || error.status === 404)) return <Failed error={error} retry={reload} />;
  if (!event) return <Loading what="the event" />;
  return (
    <div class="event-detail" data-stale={!data || undefined} aria-busy={!data}>
      {error && <Stale error={error} retry={reload} />}
      <h2 class="detail-title">
        <bdi>{event.type ?? 'An event without a type'}</bdi>
      </h2>
      <div class="event-actions">
        <Tag tone={outcomeTone(event.outcome)}>{event.outcome}</Tag>
        <button type="button" class="button button-small" disabled={!data} onClick={() => data && onReplay(data)}>
          Replay…
        </button>
      </div>
      {event.error && <Fault error={event.error} />}
      <EventFacts event={event} />
      {event.recordings.length > 0 && <Recordings event={event} />}
      <EventBody key={event.id} event={event} />
    </div>
  );
}

function Fault({ error }: { error: NonNullable<Detail['error']> }) {
  return (
    <div class="event-fault">
      <p>
        <a href={`/events?${new URLSearchParams({ error: error.code })}`} title="Events with this fault">
          <code>{error.code}</code>
        </a>{' '}
        after <Count n={error.attempts} /> {error.attempts === 1 ? 'attempt' : 'attempts'}
      </p>
      <p dir="auto" class="event-fault-text">
        {error.message}
      </p>
    </div>
  );
}

function EventFacts({ event }: { event: Detail }) {
  const { conversation_id: conversation } = event;
  return (
    <dl class="facts">
      <dt>Event</dt>
      <dd>
        <code>{event.id}</code>
        <CopyButton small text={event.id} label="Copy the event’s id" />
      </dd>
      <dt>Conversation</dt>
      <dd>
        {conversation === null ? (
          <span class="nothing">–</span>
        ) : (
          <>
            <a href={`/conversations/${encodeURIComponent(conversation)}`}>
              <bdi>{conversation}</bdi>
            </a>
            <CopyButton small text={conversation} label="Copy the conversation’s id" />
          </>
        )}
      </dd>
      <dt>Happened</dt>
      <dd>
        <Time at={event.event_at} />
      </dd>
      <dt>Received</dt>
      <dd>
        <Time at={event.received_at} /> by {event.origin}
      </dd>
      <dt>Applied</dt>
      <dd>
        <Time at={event.applied_at} />
      </dd>
      {event.event_key !== null && (
        <>
          <dt>Key</dt>
          <dd>
            <bdi>{event.event_key}</bdi>
          </dd>
        </>
      )}
      <dt>Size</dt>
      <dd>
        <Bytes count={event.body_bytes} />
        {event.whole_bytes !== event.body_bytes && (
          <>
            {', with its audio '}
            <Bytes count={event.whole_bytes} />
          </>
        )}
      </dd>
    </dl>
  );
}

function Recordings({ event }: { event: Detail }) {
  return (
    <section class="section">
      <h3>Recordings</h3>
      <ul class="event-recordings">
        {event.recordings.map((recording) => (
          <li key={recording.sha256}>
            {recording.content_type}, <Bytes count={recording.bytes} />
            {recording.deleted_at !== null && (
              <>
                , deleted <Time at={recording.deleted_at} />
              </>
            )}
            {recording.href !== null && <audio controls preload="none" src={recording.href} aria-label="Recording" />}
          </li>
        ))}
      </ul>
    </section>
  );
}
