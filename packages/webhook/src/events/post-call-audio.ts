import { readAudioText } from '../audio.ts';
import type { Changes } from '../changes.ts';
import { latestClock } from '../clock.ts';
import { changesOf, registersOf, type EventContext } from '../event-context.ts';

/** Handles post_call_audio: the call's recording exists. The audio itself stays in the ledger's body. */
export function postCallAudio(event: EventContext): Changes {
  const { fields, eventAt } = event;
  const changes = changesOf(event, 'final', 'ended');
  const audio = readAudioText(fields) ?? '';
  const recording = { available: audio !== '', format: 'mp3', size_bytes: Buffer.byteLength(audio, 'base64') };
  changes.conversation.metadata = registersOf({ ...fields.rest(), recording }, latestClock('final', eventAt, event));
  return changes;
}
