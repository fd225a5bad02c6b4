import { isUtf8 } from 'node:buffer';
import { randomBytes } from 'node:crypto';
import { readAudioEvent, type AudioEvent, type UnreadableEvent } from '@landline/webhook/audio';
import { readBytes } from './read-bytes.ts';
import type { StringRange } from './scan-strings.ts';
import type { ByteRange, SplitSource } from './split-source.ts';

/** A body without its long strings and its audio. */
export interface Skeleton {
  /** The bytes of the body, with each of the strings empty. */
  emptied: Buffer;
  /** The body read by the rules of packages/webhook, or the code of the fault. */
  event: AudioEvent | UnreadableEvent;
  /** The string that the event has as its audio; undefined where it has none that can be cut out. */
  audio: StringRange | undefined;
}

/**
 * Reads a body with each of its long strings replaced by a marker, and finds the string that is the event's audio: its
 * marker comes back as the audio.
 *
 * @returns  Undefined where the body without these strings, or with the markers, is larger than `limitBytes`.
 */
export async function readSkeleton(
  source: SplitSource,
  strings: readonly StringRange[],
  limitBytes: number,
): Promise<Skeleton | undefined> {
  const gaps = gapsBetween(strings, source.bytes);
  const length = gaps.reduce((sum, { from, to }) => sum + to - from, 0);
  if (length + strings.length * MARKER_LENGTH > limitBytes) return undefined;
  const emptied = await readBytes(source, gaps);
  if (!isUtf8(emptied)) return { emptied, event: { ok: false, code: 'body_not_utf8' }, audio: undefined };
  const secret = randomBytes(16).toString('hex');
  const markers = strings.map((_, index) => `cut-${secret}-${index}`.padEnd(MARKER_LENGTH, '-'));
  const event = readAudioEvent(withMarkers(emptied, gaps, markers));
  const index = event.ok && event.audio !== undefined ? markers.indexOf(event.audio) : -1;
  return { emptied, event, audio: strings[index] };
}

/**
 * The length of a marker. It is longer than a key may be (256 characters), as a long string is, so a long string is no
 * key in the skeleton either.
 */
const MARKER_LENGTH = 300;

/** Returns the ranges before, between and behind the strings: one more than there are strings. */
function gapsBetween(strings: readonly StringRange[], bytes: number): ByteRange[] {
  const starts = [0, ...strings.map(({ to }) => to)];
  return starts.map((from, i) => ({ from, to: strings[i]?.from ?? bytes }));
}

function withMarkers(emptied: Buffer, gaps: readonly ByteRange[], markers: readonly string[]): string {
  let at = 0;
  const parts = gaps.map(({ from, to }, i) => {
    const part = emptied.toString('utf8', at, at + to - from);
    at += to - from;
    return part + (markers[i] ?? '');
  });
  return parts.join('');
}
