import { createHash } from 'node:crypto';

/** An event with the audio of a call, and what must become of it. */
export interface AudioCall {
  conversationId: string;
  audio: Buffer;
  /** Of the audio, in hex. */
  sha256: string;
  /** The raw body. */
  body: Buffer;
  /** The event's id in the ledger. */
  eventId: string;
}

/** Makes the event of a call whose audio has so many bytes. Each name gives another audio. */
export function audioCall(name: string, bytes: number): AudioCall {
  const audio = Buffer.alloc(bytes, createHash('sha512').update(name).digest());
  const conversationId = `conv_${name}`;
  const body = Buffer.from(
    JSON.stringify({
      type: 'post_call_audio',
      event_timestamp: 1_767_600_000,
      data: { agent_id: 'agent_audio', conversation_id: conversationId, full_audio: audio.toString('base64') },
    }),
  );
  return { conversationId, audio, sha256: sha256Of(audio), body, eventId: ledgerIdOf(body) };
}

/** Makes the event of a call whose transcript has so many bytes of speech. */
export function transcriptCall(name: string, bytes: number): Pick<AudioCall, 'body' | 'eventId'> {
  const transcript = [{ role: 'user', message: 'y'.repeat(bytes), time_in_call_secs: 0 }];
  const data = { conversation_id: `conv_${name}`, transcript };
  const body = Buffer.from(JSON.stringify({ type: 'post_call_transcription', event_timestamp: 1_767_600_000, data }));
  return { body, eventId: ledgerIdOf(body) };
}

/** Returns the SHA-256 in hex. */
export const sha256Of = (bytes: Buffer): string => createHash('sha256').update(bytes).digest('hex');

function ledgerIdOf(body: Buffer): string {
  return sha256Of(body).replace(/^(.{8})(.{4})(.{4})(.{4})(.{12}).*/, '$1-$2-$3-$4-$5');
}
