/** An error for a text that is no base64. Its message says what was found, and quotes nothing of the text. */
export class AudioTextError extends Error {
  readonly code = 'audio_not_base64';

  constructor(found: string) {
    super(`The text in full_audio is not base64: ${found}.`);
    this.name = 'AudioTextError';
  }
}

const BACKSLASH = 0x5c;
const PADDING = 0x3d;
const SPACE = 0x20;

/** Characters of `base64`, which stand for themselves. */
const STANDARD = new Uint8Array(256);
for (const byte of Buffer.from('ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/')) STANDARD[byte] = 1;
const ONLY_STANDARD = /^[A-Za-z\d+/]*$/;

/** The url-safe characters, and the standard ones that they stand for. */
const URL_SAFE: ReadonlyMap<number, number> = new Map([
  [0x2d, 0x2b],
  [0x5f, 0x2f],
]);

/** The character behind a backslash, and the character that both stand for. */
const ESCAPES: ReadonlyMap<string, number> = new Map([
  ['"', 0x22],
  ['\\', BACKSLASH],
  ['/', 0x2f],
  ['b', 0x08],
  ['f', 0x0c],
  ['n', 0x0a],
  ['r', 0x0d],
  ['t', 0x09],
]);
const WHITE: ReadonlySet<number> = new Set([SPACE, 0x09, 0x0a, 0x0c, 0x0d]);
const WHOLE_UNICODE = /^u[\da-fA-F]{4}$/;
const PART_OF_UNICODE = /^u[\da-fA-F]{0,3}$/;

/**
 * Decodes the raw text of a JSON string that holds base64 and arrives in pieces. It accepts the standard and the
 * url-safe alphabet, JSON escapes, white space between characters, and a text without its padding.
 */
export class Base64Text {
  /** Whether the text so far is what `Buffer.toString('base64')` makes of the decoded bytes. Final after `end`. */
  isCanonical = true;
  /** The number of raw bytes before the current piece. */
  #offset = 0;
  /** Up to three characters of a group that is not complete. */
  #group = '';
  /** What follows a backslash, as far as it has come; undefined outside escapes. */
  #escape: string | undefined;
  #padding = 0;

  /**
   * Decodes the next piece of the text.
   *
   * @returns  The bytes of the groups of four that are complete.
   * @throws   {AudioTextError}
   */
  push(piece: Buffer): Buffer {
    const decoded = this.#decodeCanonical(piece) ?? this.#decodeGroups(this.#clean(piece));
    this.#offset += piece.length;
    return decoded;
  }

  /**
   * Ends the text.
   *
   * @returns  The bytes of the last group, where that is shorter than four characters.
   * @throws   {AudioTextError}
   */
  end(): Buffer {
    const group = this.#group;
    if (this.#escape !== undefined) throw new AudioTextError('it ends within an escape');
    if (group.length === 1) throw new AudioTextError('its last group has a single character');
    const needed = group.length === 0 ? 0 : 4 - group.length;
    if (this.#padding > needed) throw new AudioTextError('it has more padding than its length needs');
    const decoded = Buffer.from(group, 'base64');
    this.isCanonical &&= decoded.toString('base64') === group + '='.repeat(this.#padding);
    return decoded;
  }

  /**
   * Decodes a piece without escapes, white space and padding. Returns undefined for any other piece: encoded again, its
   * bytes do not give the same text.
   */
  #decodeCanonical(piece: Buffer): Buffer | undefined {
    if (this.#escape !== undefined || this.#padding > 0) return undefined;
    const text = this.#group + piece.toString('latin1');
    const length = text.length - (text.length % 4);
    const groups = text.slice(0, length);
    const rest = text.slice(length);
    const decoded = Buffer.from(groups, 'base64');
    const isComplete = decoded.length === (length / 4) * 3 && ONLY_STANDARD.test(rest);
    if (!isComplete || decoded.toString('base64') !== groups) return undefined;
    this.#group = rest;
    return decoded;
  }

  #decodeGroups(characters: string): Buffer {
    const text = this.#group + characters;
    const length = text.length - (text.length % 4);
    this.#group = text.slice(length);
    return Buffer.from(text.slice(0, length), 'base64');
  }

  /** Returns the piece's characters of the standard alphabet, and counts the padding. */
  #clean(piece: Buffer): string {
    const clean = Buffer.allocUnsafe(piece.length);
    let length = 0;
    for (let i = 0; i < piece.length; i++) {
      const byte = piece[i] ?? 0;
      const isPlain = STANDARD[byte] === 1 && this.#escape === undefined && this.#padding === 0;
      const character = isPlain ? byte : this.#readUnusual(byte, this.#offset + i);
      if (character !== undefined) clean[length++] = character;
    }
    return clean.toString('latin1', 0, length);
  }

  /** Reads a byte of an escape, or a raw character. Returns a character of the standard alphabet, where it gives one. */
  #readUnusual(byte: number, at: number): number | undefined {
    if (this.#escape !== undefined) return this.#readEscape(byte, at);
    if (byte === BACKSLASH) {
      this.#escape = '';
      this.isCanonical = false;
      return undefined;
    }
    if (byte < SPACE) throw new AudioTextError(`byte ${at} is a control character`);
    return this.#readCharacter(byte, at);
  }

  #readEscape(byte: number, at: number): number | undefined {
    const escape = this.#escape + String.fromCharCode(byte);
    if (PART_OF_UNICODE.test(escape)) {
      this.#escape = escape;
      return undefined;
    }
    const code = WHOLE_UNICODE.test(escape) ? Number.parseInt(escape.slice(1), 16) : ESCAPES.get(escape);
    if (code === undefined) throw new AudioTextError(`the escape at byte ${at} is none of JSON`);
    this.#escape = undefined;
    return this.#readCharacter(code, at);
  }

  #readCharacter(code: number, at: number): number | undefined {
    if (WHITE.has(code)) {
      this.isCanonical = false;
      return undefined;
    }
    if (code === PADDING) {
      this.#padding++;
      return undefined;
    }
    const urlSafe = URL_SAFE.get(code);
    const character = urlSafe ?? (STANDARD[code] === 1 ? code : undefined);
    if (character === undefined) throw new AudioTextError(`the character at byte ${at} is in no alphabet of base64`);
    if (this.#padding > 0) throw new AudioTextError(`it goes on behind its padding, at byte ${at}`);
    if (urlSafe !== undefined) this.isCanonical = false;
    return character;
  }
}
