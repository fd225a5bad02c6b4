import { isUtf8 } from 'node:buffer';
import type { AudioEvent } from '@landline/webhook/audio';
import { AudioTextError } from './base64-text.ts';
import { measureAudio, type DecodedAudio } from './decode-audio.ts';
import { readBytes } from './read-bytes.ts';
import { scanStrings, type StringRange } from './scan-strings.ts';
import { readSkeleton, type Skeleton } from './skeleton.ts';
import type { ByteRange, SplitSource } from './split-source.ts';

/** The audio that was found in a body: the range of its raw text, quotes excluded, and what it decodes to. */
export interface AudioRange extends ByteRange, DecodedAudio {
  /** The offset in the envelope at which the text stood: just behind the opening quote. */
  at: number;
}

/** What a body says about itself. */
export interface EventFacts {
  type: string | null;
  conversationId: string | null;
  agentId: string | null;
  /** Unix milliseconds; undefined where the body names no time. */
  eventAt: number | undefined;
}

/** A fault for which the event is dead. */
export interface SplitFault {
  code: string;
  message: string;
}

/**
 * What a spooled body is made of.
 *
 * - `whole`: no audio to cut out, and 16 MiB at most. The body goes through the queue as it is.
 * - `audio`: `envelope` is the body without the text of the audio, to the byte.
 * - `fault`: the event cannot be applied. `envelope` is what is left of the body at 16 MiB at most, and may be empty.
 */
export type SplitBody =
  | { kind: 'whole' }
  | { kind: 'audio'; envelope: Buffer; audio: AudioRange; facts: EventFacts }
  | { kind: 'fault'; envelope: Buffer; fault: SplitFault; facts: EventFacts };

/** The largest body that goes through the queue, in bytes: 16 MiB. The worker holds such a body in memory several times. */
const QUEUE_LIMIT_BYTES = 16 * 1024 * 1024;

const NO_FACTS: EventFacts = { type: null, conversationId: null, agentId: null, eventAt: undefined };
const NOTHING = Buffer.alloc(0);

/**
 * Finds the audio in a body, and says how the body goes on: whole, as an envelope and audio, or as a fault.
 *
 * It reads the body in chunks, and holds no more than the part that is no long string (16 MiB at most). Call
 * `decodeAudio` for the bytes of the audio.
 *
 * @throws  What `source.read` throws. No body makes it throw.
 */
export async function splitBody(source: SplitSource): Promise<SplitBody> {
  const strings = await scanStrings(source);
  // Without a string under `full_audio` there is no audio, and a body that is small enough need not be parsed.
  if (!strings.ranges.some(({ isAudio }) => isAudio) && fitsQueue(source.bytes)) return { kind: 'whole' };
  if (!strings.isEnded && !strings.isOverfull) return withoutAudio(source, notJson());
  const skeleton = strings.isOverfull ? undefined : await readSkeleton(source, strings.ranges, QUEUE_LIMIT_BYTES);
  if (skeleton?.audio === undefined) return withoutAudio(source, faultOf(source, skeleton));
  return cutAudio(source, skeleton, skeleton.audio);
}

function fitsQueue(bytes: number): boolean {
  return bytes <= QUEUE_LIMIT_BYTES;
}

type Fault = Extract<SplitBody, { kind: 'fault' }>;

/** Returns `whole` for a body that fits into the queue: the worker finds its fault, where it has one. */
function withoutAudio({ bytes }: SplitSource, fault: Fault): SplitBody {
  return fitsQueue(bytes) ? { kind: 'whole' } : fault;
}

/** Returns the fault of a large body without audio. */
function faultOf({ bytes }: SplitSource, skeleton: Skeleton | undefined): Fault {
  if (skeleton === undefined) return tooLarge(`The body has ${bytes} bytes and no audio`, NOTHING, NO_FACTS);
  const { event, emptied } = skeleton;
  if (event.ok) return tooLarge(`The body has ${bytes} bytes and no audio`, emptied, factsOf(event));
  if (NOT_JSON.has(event.code)) return notJson(event.code);
  return tooLarge(`The body has ${bytes} bytes and is no single event (${event.code})`, emptied, NO_FACTS);
}

const NOT_JSON: ReadonlyMap<string, string> = new Map([
  ['body_not_json', 'The body is not JSON.'],
  ['body_not_utf8', 'The body is not valid UTF-8, so it is not JSON.'],
  ['json_too_deep', 'The body is nested too deeply to be read as JSON.'],
]);

function notJson(reason = 'body_not_json'): Fault {
  const message = NOT_JSON.get(reason) ?? '';
  return { kind: 'fault', envelope: NOTHING, fault: { code: 'body_not_json', message }, facts: NO_FACTS };
}

function tooLarge(found: string, envelope: Buffer, facts: EventFacts): Fault {
  const message = `${found}. Landline applies at most ${QUEUE_LIMIT_BYTES} bytes beside the audio.`;
  return { kind: 'fault', envelope, fault: { code: 'body_too_large', message }, facts };
}

function factsOf(event: Skeleton['event']): EventFacts {
  if (!event.ok) return NO_FACTS;
  const { type, conversationId, agentId, eventAt }: AudioEvent = event;
  return { type, conversationId, agentId, eventAt };
}

async function cutAudio(source: SplitSource, skeleton: Skeleton, { from, to }: StringRange): Promise<SplitBody> {
  const facts = factsOf(skeleton.event);
  const rest = source.bytes - (to - from);
  if (!fitsQueue(rest)) return tooLarge(`The body has ${rest} bytes beside its audio`, skeleton.emptied, facts);
  const envelope = await readBytes(source, [
    { from: 0, to: from },
    { from: to, to: source.bytes },
  ]);
  if (!isUtf8(envelope)) return withoutAudio(source, notJson('body_not_utf8'));
  try {
    const audio = await measureAudio(source, { from, to });
    // White space alone is no audio.
    if (audio.bytes === 0) return withoutAudio(source, faultOf(source, skeleton));
    return { kind: 'audio', envelope, audio: { at: from, from, to, ...audio }, facts };
  } catch (error) {
    if (!(error instanceof AudioTextError)) throw error;
    return { kind: 'fault', envelope, fault: { code: error.code, message: error.message }, facts };
  }
}
