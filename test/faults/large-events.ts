import { createHash } from 'node:crypto';
import type { DescribedEvent } from '../support/described-event.ts';
import { loadEvents, type LoadOptions } from '../support/load-events.ts';

const MEBIBYTE = 1024 * 1024;
const AT = Date.UTC(2026, 0, 5, 9);

/** Of ten large events so many are recordings of calls; the others are transcripts. */
const RECORDINGS_OF_TEN = 6;

/** Of ten recordings so many have 5 to 80 MB; the others have up to 1 MB. */
const LARGE_OF_TEN = 2;

/** Transcripts of the sets behind this number are made large; no other event of such a set is sent. */
const FIRST_SET = 2_000_000;

/** Makes a large event: a recording of up to 80 MB, or a transcript of 1 to 16 MiB. The same arguments give the same event. */
export function largeEvent(options: LoadOptions, number: number): DescribedEvent {
  const chance = createHash('sha256').update(`${options.run} ${options.seed} ${number}`).digest();
  const share = chance.readUInt32LE(0) / 2 ** 32;
  if (number % 10 >= RECORDINGS_OF_TEN) return largeTranscript(options, number, Math.ceil((1 + share * 14) * MEBIBYTE));
  const isLarge = chance.readUInt8(4) % 10 < LARGE_OF_TEN;
  // Few are as large as the largest.
  const bytes = isLarge ? 5_000_000 * 16 ** (share * share) : 1000 * 1000 ** share;
  return recording(`${options.run}_large_${number}`, Math.ceil(bytes));
}

/** Makes the event of a call whose audio has so many bytes. */
function recording(call: string, bytes: number): DescribedEvent {
  const audio = Buffer.alloc(bytes, createHash('sha512').update(call).digest());
  const sha256 = createHash('sha256').update(audio).digest('hex');
  const conversationId = `conv_${call}`;
  const data = { agent_id: 'a', conversation_id: conversationId, full_audio: audio.toString('base64') };
  return {
    body: JSON.stringify({ type: 'post_call_audio', event_timestamp: AT / 1000, data }),
    type: 'post_call_audio',
    eventKey: null,
    conversationId,
    at: AT,
    receivedAt: AT,
    facts: {
      authority: 'final',
      status: 'ended',
      conversation: { agent_id: 'a' },
      metadata: { recording: { available: true, format: 'mp3', size_bytes: bytes } },
      turns: [],
      turnCalls: [],
      recording: { url: null, bytes, sha256, storedAt: null },
    },
  };
}

/** Lets the first turn with words of the set's first such transcript say so many bytes. */
function largeTranscript(options: LoadOptions, number: number, bytes: number): DescribedEvent {
  const content = 'wörter '.repeat(bytes / 8);
  for (const event of loadEvents(options, FIRST_SET + number)) {
    const { facts } = event;
    const at =
      facts?.turns.findIndex(({ row: { content: said } }) => typeof said === 'string' && /^[abc]$/.test(said)) ?? -1;
    const turn = facts?.turns[at];
    if (facts === null || turn === undefined || event.type !== 'post_call_transcription') continue;
    const turns = facts.turns.with(at, { ...turn, row: { ...turn.row, content } });
    const body = event.body.replace(/"message":"[abc]"/, `"message":"${content}"`);
    return { ...event, body, facts: { ...facts, turns } };
  }
  throw new Error(`Set ${number} has no transcript with words.`);
}
