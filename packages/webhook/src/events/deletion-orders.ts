import type { ConversationFields, Register } from '../changes.ts';
import type { Clock } from '../clock.ts';
import { defined } from '../event-context.ts';
import { readUnixSeconds } from '../event-time.ts';
import type { Fields } from '../fields.ts';
import type { JsonObject } from '../json.ts';

/**
 * Reads what an account orders to be deleted, and when: `metadata.deletion_settings` with `deletion_time_unix_secs`,
 * `delete_transcript_and_pii` and `delete_audio`.
 *
 * What is deleted does not come back, so nothing is guessed here: the time is a number of unix seconds and no text, and an order is a
 * boolean. Anything else says nothing, and so does an order without a time.
 */
export function deletionOrders(call: Fields, clock: Clock): ConversationFields {
  const settings = call.object('deletion_settings');
  if (settings === undefined) return {};
  return defined<ConversationFields>({
    delete_transcript_at: orderOf('delete_transcript_and_pii', settings, clock),
    delete_audio_at: orderOf('delete_audio', settings, clock),
  });
}

function orderOf(name: string, settings: JsonObject, clock: Clock): Register<number | null> | undefined {
  const isOrdered = settings[name];
  if (isOrdered === false) return { value: null, clock };
  const at = readUnixSeconds(settings['deletion_time_unix_secs']);
  return isOrdered !== true || at === undefined ? undefined : { value: at, clock };
}
