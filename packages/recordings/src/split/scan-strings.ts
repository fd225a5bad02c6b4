import { AUDIO_FIELD } from '@landline/webhook/audio';
import { readSteps } from './read-steps.ts';
import type { ByteRange, SplitSource } from './split-source.ts';

/** A string that may be left out of the skeleton: the range of its raw text, quotes excluded. */
export interface StringRange extends ByteRange {
  /** Whether the string is the value of a key `full_audio`. */
  isAudio: boolean;
}

/** What a scan found. `isEnded` is false where the body ends within a string: such a body is not JSON. */
export interface ScannedStrings {
  ranges: readonly StringRange[];
  isEnded: boolean;
  /** True where there are more than `MAX_RANGES`. `ranges` is incomplete then. */
  isOverfull: boolean;
}

/** A longer string is left out of the skeleton, in bytes. */
const LONG_STRING_BYTES = 64 * 1024;
/** The greatest number of ranges that are held. An audio event has one; 8,192 of them are half a megabyte of memory. */
const MAX_RANGES = 8192;

/** Lists the strings of a body that are longer than 64 KiB, and every string under a key `full_audio` that is not empty. */
export async function scanStrings(source: SplitSource): Promise<ScannedStrings> {
  const scanner = new StringScanner();
  for await (const step of readSteps(source, { from: 0, to: source.bytes })) {
    scanner.push(step);
    if (scanner.isOverfull) break;
  }
  return { ranges: scanner.ranges, isEnded: scanner.isEnded, isOverfull: scanner.isOverfull };
}

const QUOTE = 0x22;
const COLON = 0x3a;
const BACKSLASH = 0x5c;
const SPACE = 0x20;

/** `full_audio` with each of its characters as `\u....`, in bytes. */
const MAX_NAME_BYTES = AUDIO_FIELD.length * 6;
/** How far the end of a string is sought byte by byte. A native search costs as much as 64 bytes. */
const NEAR_BYTES = 64;

/** Finds strings in JSON text that arrives in chunks. It does not validate the JSON. */
class StringScanner {
  readonly ranges: StringRange[] = [];
  isOverfull = false;
  /** The offset of the current chunk. */
  #offset = 0;
  /** The offset behind the opening quote of the string that the scan is in; -1 outside strings. */
  #start = -1;
  /** Whether the last byte was a backslash that escapes the next byte. */
  #isEscaped = false;
  /** The first bytes of a string that began in an earlier chunk. */
  #head = '';
  /** The raw text of the string that stands last, where it is short enough to be `full_audio`. */
  #name = '';
  /** Whether only white space stands between the scan and a colon behind a key `full_audio`. */
  #isBehindAudioKey = false;

  get isEnded(): boolean {
    return this.#start < 0;
  }

  push(chunk: Buffer): void {
    let at = 0;
    while (at < chunk.length && !this.isOverfull) {
      at = this.#start < 0 ? this.#passBetween(chunk, at) : this.#passString(chunk, at);
    }
    this.#offset += chunk.length;
  }

  /** Passes what stands between strings. Returns the index behind the next opening quote, or the chunk's length. */
  #passBetween(chunk: Buffer, from: number): number {
    for (let i = from; i < chunk.length; i++) {
      const byte = chunk[i] ?? 0;
      if (byte === QUOTE) {
        this.#start = this.#offset + i + 1;
        return i + 1;
      }
      if (byte === COLON) this.#isBehindAudioKey = isAudioName(this.#name);
      // In JSON, no control character but white space stands here.
      else if (byte > SPACE) this.#isBehindAudioKey = false;
    }
    return chunk.length;
  }

  /** Passes the text of a string. Returns the index behind its closing quote, or the chunk's length. */
  #passString(chunk: Buffer, from: number): number {
    const end = this.#findEnd(chunk, from);
    if (end < 0) {
      this.#head += chunk.toString(
        'latin1',
        from,
        Math.min(chunk.length, from + MAX_NAME_BYTES + 1 - this.#head.length),
      );
      return chunk.length;
    }
    this.#note(this.#offset + end);
    const isShort = this.#offset + end - this.#start <= MAX_NAME_BYTES;
    this.#name =
      isShort && end - from + this.#head.length >= AUDIO_FIELD.length
        ? this.#head + chunk.toString('latin1', from, end)
        : '';
    this.#head = '';
    this.#start = -1;
    return end + 1;
  }

  #note(to: number): void {
    const length = to - this.#start;
    const isAudio = this.#isBehindAudioKey && length > 0;
    if (!isAudio && length <= LONG_STRING_BYTES) return;
    if (this.ranges.length < MAX_RANGES) this.ranges.push({ from: this.#start, to, isAudio });
    else this.isOverfull = true;
  }

  /** Returns the index of the closing quote; -1 where the string goes on behind the chunk. */
  #findEnd(chunk: Buffer, from: number): number {
    let i = this.#isEscaped ? from + 1 : from;
    this.#isEscaped = false;
    while (i < chunk.length) {
      // Within this loop, the byte at `i` is never escaped.
      for (const near = Math.min(chunk.length, i + NEAR_BYTES); i < near; i++) {
        const byte = chunk[i];
        if (byte === QUOTE) return i;
        if (byte === BACKSLASH) i++;
      }
      if (i >= chunk.length) break;
      const quote = chunk.indexOf(QUOTE, i);
      const end = quote < 0 ? chunk.length : quote;
      const isEscaped = slashesBefore(chunk, i, end) % 2 === 1;
      if (quote >= 0 && !isEscaped) return quote;
      i = isEscaped ? end + 1 : end;
    }
    this.#isEscaped = i > chunk.length;
    return -1;
  }
}

/** Counts the backslashes directly before `end`, no further back than `from`. */
function slashesBefore(chunk: Buffer, from: number, end: number): number {
  let start = end;
  while (start > from && chunk[start - 1] === BACKSLASH) start--;
  return end - start;
}

/** Returns whether the raw text of a string reads `full_audio`, also where characters of it are escapes. */
function isAudioName(raw: string): boolean {
  if (raw === AUDIO_FIELD) return true;
  if (!raw.includes('\\')) return false;
  try {
    return JSON.parse(`"${raw}"`) === AUDIO_FIELD;
  } catch {
    return false;
  }
}
