import { recordingSchema, referenceSchema } from '@landline/webhook/delivery';
import type { DescribedEvent } from '../support/described-event.ts';
import { ledgerId } from '../support/reference-fold.ts';
import { RECEIVED as RECEIVED_ALONE } from '../support/wrong-rows.ts';

/** Selects also where the audio of an event is. */
export const RECEIVED = RECEIVED_ALONE.replace(' FROM webhook_events', ', body_reference FROM webhook_events');

/** Where the storage has the audio. It chose both itself; `compareObjects` checks the URL. */
const placeSchema = recordingSchema.pick({ url: true, storedAt: true });

/** Rows of one set, as Postgres has them. */
export interface Found {
  ledger: readonly Record<string, unknown>[];
  /** Of `conversation_recordings`. */
  recordings: readonly Record<string, unknown>[];
}

/**
 * Returns the events as the ledger must have them: without audio where the receiver cut it out of the body. The audio of a small body
 * stays in it where the spool did not take it.
 */
export function asStored<T extends DescribedEvent>(
  events: readonly T[],
  { ledger, recordings }: Found,
): (T | DescribedEvent)[] {
  const references = new Map(ledger.map((row) => [row['id'], row['body_reference']]));
  return events.map((event) => {
    const { success, data } = referenceSchema.safeParse(references.get(ledgerId(event.body)));
    const place = success ? placeSchema.safeParse(data.recording).data : undefined;
    return place === undefined ? keptLater(event, recordings) : withoutAudio(event, place);
  });
}

/** Of an event whose audio came through the queue at first, and was kept by another delivery of the same body, only the recording's row tells. */
function keptLater<T extends DescribedEvent>(event: T, recordings: Found['recordings']): T | DescribedEvent {
  const { body, facts } = event;
  if (facts?.recording === undefined) return event;
  const { sha256, bytes } = facts.recording;
  const id = ledgerId(body);
  const row = recordings.find((each) => each['event_id'] === id && each['sha256'] === sha256);
  const { url, stored_at: storedAt } = row ?? {};
  if (typeof url !== 'string' || typeof storedAt !== 'string') return event;
  return { ...event, facts: { ...facts, recording: { url, bytes, sha256, storedAt: Date.parse(storedAt) } } };
}

function withoutAudio<T extends DescribedEvent>(
  event: T,
  { url, storedAt }: { url: string | null; storedAt: number | null },
): T | DescribedEvent {
  const { body, facts } = event;
  const audio = /"full_audio":"([^"]*)"/.exec(body);
  if (audio === null || facts?.recording === undefined) return event;
  const at = audio.index + '"full_audio":"'.length;
  const { bytes, sha256 } = facts.recording;
  const reference = {
    eventId: ledgerId(body),
    bytes: Buffer.byteLength(body),
    recording: { at: Buffer.byteLength(body.slice(0, at)), bytes, sha256, contentType: 'audio/mpeg', url, storedAt },
  };
  const envelope = body.slice(0, at) + body.slice(at + (audio[1]?.length ?? 0));
  return { ...event, body: envelope, reference, facts: { ...facts, recording: { url, bytes, sha256, storedAt } } };
}
