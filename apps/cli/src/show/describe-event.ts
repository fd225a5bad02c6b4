import { audioUrl, recordingOf } from '@landline/operations';
import type { StoredEvent } from '@landline/store';
import { showControls } from '../format-table.ts';

/** Describes an event for a person, a line for each fact. Times are in UTC. */
export function describeEvent(event: StoredEvent): string {
  const { error, reference } = event;
  const facts: [name: string, value: string | null | undefined][] = [
    ['id', event.id],
    ['type', event.type ?? 'unknown'],
    ['conversation', event.conversationId],
    ['event key', event.eventKey],
    ['outcome', event.outcome],
    ['error', error && `${error.code}: ${error.message} (${attempts(error.attempts)})`],
    ['event at', time(event.eventAt)],
    ['received at', time(event.receivedAt)],
    ['applied at', time(event.appliedAt)],
    ['origin', event.origin],
    ['body', bodyOf(event)],
    ['audio', audioOf(event)],
    ['whole body', reference?.bodyUrl],
  ];
  const given = facts.filter((fact): fact is [string, string] => typeof fact[1] === 'string');
  const width = Math.max(...given.map(([name]) => name.length));
  return given.map(([name, value]) => `${name.padEnd(width)}  ${showControls(value)}`).join('\n');
}

/** Returns an event as a JSON document, without its body. The names are those of the columns; times are ISO 8601 in UTC. */
export function eventDocument(event: StoredEvent): object {
  return {
    id: event.id,
    type: event.type,
    event_key: event.eventKey,
    conversation_id: event.conversationId,
    outcome: event.outcome,
    error: event.error,
    event_at: time(event.eventAt),
    received_at: time(event.receivedAt),
    applied_at: time(event.appliedAt),
    origin: event.origin,
    body_bytes: wholeBytes(event),
    body_kept: event.body !== undefined,
    body_reference: event.reference ?? null,
    recordings: event.recordings.map((recording) => ({
      event_id: recording.eventId,
      url: recording.url,
      content_type: recording.contentType,
      bytes: recording.bytes,
      sha256: recording.sha256,
      created_at: time(recording.createdAt),
      stored_at: time(recording.storedAt),
      deleted_at: time(recording.deletedAt),
    })),
  };
}

function time(ms: number): string;
function time(ms: number | null): string | null;
function time(ms: number | null): string | null {
  return ms === null ? null : new Date(ms).toISOString();
}

function attempts(count: number): string {
  return count === 1 ? '1 attempt' : `${count} attempts`;
}

function wholeBytes({ bodyBytes, reference }: StoredEvent): number {
  return reference?.bytes ?? bodyBytes;
}

function bodyOf(event: StoredEvent): string {
  const { body, bodyBytes, reference } = event;
  if (body === undefined) return `${wholeBytes(event)} bytes, which the ledger does not keep any more`;
  const inLedger = reference === undefined ? '' : `, ${bodyBytes} of them in the ledger`;
  return `${wholeBytes(event)} bytes${inLedger}`;
}

/** Says where the audio is; undefined for an event without audio. */
function audioOf(event: StoredEvent): string | undefined {
  const { reference } = event;
  const row = recordingOf(event);
  const audio = row ?? reference?.recording;
  if (audio === undefined) return undefined;
  const facts = `${audio.bytes} bytes of ${audio.contentType}, SHA-256 ${audio.sha256}`;
  if (row !== undefined && row.deletedAt !== null) return `deleted at ${time(row.deletedAt)}, ${facts}`;
  const elsewhere = reference === undefined ? 'in the body' : 'not kept, because RECORDINGS_URL was not set';
  return `${audioUrl(row, reference) ?? elsewhere}, ${facts}`;
}
