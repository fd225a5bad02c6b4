import { createHash } from 'node:crypto';
import type { BodyWriter, Spool } from '@landline/recordings';
import { keyOfHash } from '@landline/webhook';
import { AUDIO_FIELD, AUDIO_TYPE } from '@landline/webhook/audio';
import { UnfetchableError } from '../errors.ts';
import { PROVIDER_SECRET } from './account-event.ts';
import type { AudioSink, FetchedCall } from './reconcile-ports.ts';

/** How audio is taken. */
export interface AudioSinkOptions {
  /** That of `createLargeBodies`, which moves what is kept on to the storage and the queue. */
  spool: Pick<Spool, 'begin'>;
  /** The largest body of an event, in bytes. Audio that needs more is unfetchable. */
  limitBytes: number;
}

/** Makes what takes fetched audio into a spool, piece after piece. */
export function openAudioSink({ spool, limitBytes }: AudioSinkOptions): AudioSink {
  return {
    async take(call, audio, beforeKept) {
      const pieces = audio[Symbol.asyncIterator]();
      const digest = createHash('sha256');
      let writer: BodyWriter | undefined;
      try {
        writer = spool.begin({ isLarge: true });
        for await (const piece of bodyOf(call, { [Symbol.asyncIterator]: () => pieces })) {
          if (writer.bytes + piece.length > limitBytes) throw tooLarge(limitBytes);
          digest.update(piece);
          await writer.write(piece);
        }
        const sha256 = digest.digest('hex');
        const eventId = keyOfHash(sha256);
        await beforeKept?.(eventId);
        await writer.keep({
          receivedAt: Date.now(),
          signedAt: Math.floor(call.endedAt / 1000),
          secretId: PROVIDER_SECRET,
          eventId,
          sha256,
          bytes: writer.bytes,
          origin: 'backfill',
        });
        return eventId;
      } catch (error) {
        await writer?.discard();
        throw error;
      } finally {
        // The answer keeps its place among the requests until it is left, also where nothing of it was read.
        await pieces.return?.();
      }
    },
  };
}

function tooLarge(limitBytes: number): UnfetchableError {
  return new UnfetchableError(
    `its audio is larger than an event of ${limitBytes} bytes may hold: see BODY_LIMIT_BYTES and SPOOL_LIMIT_BYTES of the workers`,
  );
}

/** Gives the body of the event piece after piece: the same bytes for the same audio. */
async function* bodyOf(call: FetchedCall, audio: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  const { conversationId, agentId, endedAt } = call;
  const data = { ...(agentId !== null && { agent_id: agentId }), conversation_id: conversationId, [AUDIO_FIELD]: '' };
  const whole = JSON.stringify({ type: AUDIO_TYPE, event_timestamp: endedAt / 1000, data });
  // The text of the audio stands before the last quotation mark and two braces.
  yield Buffer.from(whole.slice(0, -3));
  let isEmpty = true;
  for await (const text of base64Of(audio)) {
    isEmpty = false;
    yield text;
  }
  if (isEmpty) throw new UnfetchableError('its audio is empty');
  yield Buffer.from(whole.slice(-3));
}

/** Writes audio as base64. Three bytes make four letters, so what is left of a piece goes with the next one. */
async function* base64Of(audio: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  let carry = Buffer.alloc(0);
  for await (const piece of audio) {
    const bytes = carry.length === 0 ? piece : Buffer.concat([carry, piece]);
    const end = bytes.length - (bytes.length % 3);
    carry = Buffer.from(bytes.subarray(end));
    if (end > 0) yield Buffer.from(bytes.toString('base64', 0, end), 'latin1');
  }
  if (carry.length > 0) yield Buffer.from(carry.toString('base64'), 'latin1');
}
