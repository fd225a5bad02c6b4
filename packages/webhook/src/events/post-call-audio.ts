import { hash } from 'node:crypto';
import { readAudioText } from '../audio.ts';
import type { Changes, RecordingChange } from '../changes.ts';
import { latestClock } from '../clock.ts';
import { changesOf, registersOf, type EventContext } from '../event-context.ts';

/** The provider sends MP3. */
const CONTENT_TYPE = 'audio/mpeg';

/** What the texts of audio that decode are made of: letters of base64 or base64url, white space, and padding at the end. */
const BASE64 = /^[A-Za-z0-9+/_\-\s]*(?:=[=\s]*)?$/;

/**
 * Handles post_call_audio: the call's recording exists. The audio is in the storage, or in the ledger's body where the body is whole.
 */
export function postCallAudio(event: EventContext): Changes {
  const { fields, eventAt } = event;
  const changes = changesOf(event, 'final', 'ended');
  const audio = readAudioText(fields) ?? '';
  const cutOut = event.recording;
  const recording = {
    available: cutOut !== undefined || audio !== '',
    format: 'mp3',
    size_bytes: cutOut?.bytes ?? Buffer.byteLength(audio, 'base64'),
  };
  const rest = fields.rest();
  // In an envelope the text of the audio is empty. A whole body whose text is empty keeps that field, as it always did.
  if (cutOut !== undefined) delete rest['full_audio'];
  changes.conversation.metadata = registersOf({ ...rest, recording }, latestClock('final', eventAt, event));
  const facts = cutOut === undefined ? factsOf(audio) : factsOfCutOut(cutOut);
  if (facts !== undefined) {
    const { conversationId: conversation_id, id: event_id } = event;
    changes.recordings.push({ conversation_id, event_id, created_at: eventAt, ...facts });
  }
  return changes;
}

type Facts = Omit<RecordingChange, 'conversation_id' | 'event_id' | 'created_at'>;

function factsOfCutOut({ url, contentType, bytes, sha256, storedAt }: NonNullable<EventContext['recording']>): Facts {
  return { url, content_type: contentType, bytes, sha256, stored_at: storedAt };
}

/** Returns the facts of audio that stands in the body; undefined where the text holds none. */
function factsOf(text: string): Facts | undefined {
  if (!BASE64.test(text)) return undefined;
  const audio = Buffer.from(text, 'base64');
  if (audio.length === 0) return undefined;
  const sha256 = hash('sha256', audio, 'hex');
  return { url: null, content_type: CONTENT_TYPE, bytes: audio.length, sha256, stored_at: null };
}
