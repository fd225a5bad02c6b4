import { audioUrl, recordingOf } from '@landline/operations';
import type { EventBeginning, FoundEvent, StoredRecording } from '@landline/store';
import { eventSchema, type EventDetail, type EventItem, type RecordingItem } from '../contract/events.ts';
import { boundedText, listedText } from '../bounded.ts';
import { iso, isoOrNull } from '../shown-time.ts';

type Listed = Omit<FoundEvent, 'bodyBytes'> & Pick<EventBeginning, 'bodyBytes'>;

/** How much of a fault's message lists show, in bytes: a page of 200 dead events stays below 300 KB in any script. */
const LISTED_BYTES = 600;

/** How much of it where an event is shown alone, in bytes. */
const SHOWN_BYTES = 64_000;

/** How much of an event's type, and of a fault's code, in bytes. */
const WORD_BYTES = 200;

/** An event as lists show it. */
export function shownEvent(event: Listed): EventItem {
  return {
    id: event.id,
    type: listedText(event.type, WORD_BYTES),
    event_key: event.eventKey,
    conversation_id: event.conversationId,
    outcome: eventSchema.shape.outcome.parse(event.outcome),
    error: event.error && {
      ...event.error,
      code: listedText(event.error.code, WORD_BYTES) ?? '',
      message: listedText(event.error.message, LISTED_BYTES) ?? '',
    },
    event_at: iso(event.eventAt),
    received_at: iso(event.receivedAt),
    applied_at: isoOrNull(event.appliedAt),
    origin: event.origin,
    body_bytes: event.bodyBytes,
  };
}

/** An event as it is shown alone. */
export function shownDetail(event: EventBeginning): EventDetail {
  return {
    ...shownEvent(event),
    error: event.error && { ...event.error, message: boundedText(event.error.message, SHOWN_BYTES) ?? '' },
    has_body: hasBody(event),
    whole_bytes: event.reference?.bytes ?? event.bodyBytes,
    recordings: event.recordings.map((row) => shownRecording(row, event.conversationId)),
  };
}

/** Whether the exact bytes can be had, as far as the ledger knows: see `wholeBody`. */
function hasBody(event: EventBeginning): boolean {
  const { beginning, bodyBytes, reference } = event;
  if (reference?.bodyUrl !== undefined) return true;
  if (beginning === undefined) return false;
  if (reference?.recording === undefined) return reference === undefined || reference.bytes === bodyBytes;
  const row = recordingOf(event);
  return (row === undefined || row.deletedAt === null) && audioUrl(row, reference) !== null;
}

/** A recording as the API shows it: where its file is, nobody need know. */
export function shownRecording(row: StoredRecording, conversationId: string | null): RecordingItem {
  const isThere = row.url !== null && row.deletedAt === null && conversationId !== null;
  return {
    sha256: row.sha256,
    event_id: row.eventId,
    content_type: row.contentType,
    bytes: row.bytes,
    created_at: iso(row.createdAt),
    stored_at: isoOrNull(row.storedAt),
    deleted_at: isoOrNull(row.deletedAt),
    href: isThere
      ? `/api/v1/conversations/${encodeURIComponent(conversationId)}/recordings/${encodeURIComponent(row.sha256)}`
      : null,
  };
}
