import { unwrap, type Unwrapped } from './envelope.ts';
import { EventFaultError } from './errors.ts';
import type { Fields } from './fields.ts';
import { parseJson } from './json.ts';
import { readEnvelope } from './read-envelope.ts';
import { withoutSecrets } from './without-secrets.ts';

/** The type of the event that carries a call's recording. */
export const AUDIO_TYPE = 'post_call_audio';

/** The field of `AUDIO_TYPE` that holds the recording as base64. */
export const AUDIO_FIELD = 'full_audio';

/** Reads the text of the recording from the fields of an audio event; undefined where it is absent or empty. */
export function readAudioText(fields: Fields): string | undefined {
  return fields.text(AUDIO_FIELD);
}

/** The facts of a body by which its audio is found and stored. */
export interface AudioEvent {
  ok: true;
  type: string | null;
  conversationId: string | null;
  agentId: string | null;
  /** The event's time in unix milliseconds; undefined where the body names none. */
  eventAt: number | undefined;
  /** The text in `full_audio`; undefined where the event is of another type, or the text is absent or empty. */
  audio: string | undefined;
}

/** The code of the fault for which `normalise` makes a dead event of such a body. */
export interface UnreadableEvent {
  ok: false;
  code: string;
}

/**
 * Reads the facts of an audio event from a body, by the same rules as `normalise`: wrappers, duplicate keys and fields
 * one level too high included.
 *
 * @param text  JSON text. The long strings in it may be replaced by short ones.
 * @returns     The facts, or the code of the fault; never throws on bad input.
 */
export function readAudioEvent(text: string): AudioEvent | UnreadableEvent {
  const parsed = parseJson(text);
  if (!parsed.ok) return parsed;
  try {
    return factsOf(unwrap(withoutSecrets(parsed.value, text)));
  } catch (error) {
    if (error instanceof EventFaultError) return { ok: false, code: error.code };
    throw error;
  }
}

function factsOf(unwrapped: Unwrapped): AudioEvent {
  const { type, time, ids } = readEnvelope(unwrapped);
  return {
    ok: true,
    type,
    conversationId: ids.conversationId,
    agentId: ids.fields.key('agent_id') ?? null,
    eventAt: time,
    audio: type === AUDIO_TYPE ? readAudioText(ids.fields) : undefined,
  };
}
