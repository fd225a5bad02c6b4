import { createCipheriv, hash } from 'node:crypto';
import { AGENT, type ExampleEvent } from './provided-examples.ts';

/** A body that is made as it is sent, and is never whole in memory. */
export interface StreamedBody {
  /** The length of the body, in bytes. */
  bytes: number;
  /** Makes the body from its beginning, in chunks. Each call makes the same bytes. */
  chunks: () => Iterable<Buffer>;
}

/**
 * The header of a frame: MPEG-1 layer III without CRC, 128 kbit/s, 48 kHz, one channel. A frame of these is always 384
 * bytes and 24 ms long.
 */
const FRAME_HEADER = Buffer.from([0xff, 0xfb, 0x94, 0xc0]);
const FRAME_BYTES = 384;
const FRAME_MS = 24;
/**
 * The bytes behind the header that say what the frame holds. All zero, they say: no sound, and the rest of the frame is
 * data that players skip.
 */
const SIDE_INFORMATION_BYTES = 17;
/** The frames of a chunk: 48 KiB, which is a multiple of three, so that the chunks' base64 can stand one behind the other. */
const CHUNK_FRAMES = 128;

/**
 * Makes the body of a `post_call_audio` event with a recording of silence: an MP3 of 16,000 bytes for each second. Its
 * frames hold random bytes too, which no player reads, so that no two recordings are alike.
 *
 * @param run      A word that no other run uses: the conversation ids and the random bytes depend on it.
 * @param place    The event's number within the run, its time, and the length of its recording.
 */
export function audioBody(
  run: string,
  { sequence, at, seconds }: Pick<ExampleEvent, 'sequence' | 'at'> & { seconds: number },
): StreamedBody {
  const conversationId = `conv_${run}_${sequence}`;
  const event = {
    type: 'post_call_audio',
    event_timestamp: Math.floor(at.getTime() / 1000),
    data: { agent_id: AGENT, conversation_id: conversationId, full_audio: '' },
  };
  const text = JSON.stringify(event);
  const [head, tail] = [Buffer.from(text.slice(0, -TAIL_LENGTH)), Buffer.from(text.slice(-TAIL_LENGTH))];
  const frames = Math.ceil((seconds * 1000) / FRAME_MS);
  function* chunks(): Generator<Buffer> {
    yield head;
    for (const audio of silence(frames, conversationId)) yield Buffer.from(audio.toString('base64'));
    yield tail;
  }
  // A frame's 384 bytes are 512 characters of base64.
  return { bytes: head.length + frames * 512 + tail.length, chunks };
}

/** The length of `"}}`. */
const TAIL_LENGTH = 3;

/** Makes silent frames with random bytes, 48 KiB at a time. The same seed gives the same bytes. */
function* silence(frames: number, seed: string): Generator<Buffer> {
  const key = Buffer.from(hash('sha256', seed, 'hex'), 'hex');
  const random = createCipheriv('aes-256-ctr', key, Buffer.alloc(16));
  const zeros = Buffer.alloc(CHUNK_FRAMES * FRAME_BYTES);
  for (let made = 0; made < frames; made += CHUNK_FRAMES) {
    const chunk = random.update(zeros.subarray(0, Math.min(CHUNK_FRAMES, frames - made) * FRAME_BYTES));
    for (let at = 0; at < chunk.length; at += FRAME_BYTES) {
      FRAME_HEADER.copy(chunk, at);
      chunk.fill(0, at + FRAME_HEADER.length, at + FRAME_HEADER.length + SIDE_INFORMATION_BYTES);
    }
    yield chunk;
  }
}
