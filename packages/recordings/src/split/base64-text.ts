/** An error for a text that is no base64. Its message says what was found, and quotes nothing of the text. */
export class AudioTextError extends Error {
  readonly code = 'audio_not_base64';

  constructor(found: string) {
    super(`The text in full_audio is not base64: ${found}.`);
    this.name = 'AudioTextError';
  }
}

const BACKSLASH = 0x5c;
const LETTER_U = 0x75;
const MINUS = 0x2d;
const PLUS = 0x2b;
const SLASH = 0x2f;
const SPACE = 0x20;

/** What a character is to base64. `UNKNOWN` is 0, so that it stands in the table for every other character. */
const [UNKNOWN, STANDARD, URL_SAFE, WHITE, PADDING] = [0, 1, 2, 3, 4];
const KINDS = new Uint8Array(256);
for (const byte of Buffer.from('ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/'))
  KINDS[byte] = STANDARD;
for (const byte of Buffer.from('-_')) KINDS[byte] = URL_SAFE;
for (const byte of Buffer.from(' \t\n\f\r')) KINDS[byte] = WHITE;
KINDS[0x3d] = PADDING;
const ONLY_STANDARD = /^[A-Za-z\d+/]*$/;

/** The byte behind a backslash, and the character that both stand for; 0 for a byte that JSON does not allow there. */
const ESCAPES = new Uint8Array(256);
for (const [byte, character] of ['""', '\\\\', '//', 'b\b', 'f\f', 'n\n', 'r\r', 't\t'].map((pair) =>
  Buffer.from(pair),
)) {
  ESCAPES[byte ?? 0] = character ?? 0;
}

/** The value of each hexadecimal digit; 16 for any other byte. */
const HEX_VALUES = new Uint8Array(256).fill(16);
for (const digit of Buffer.from('0123456789abcdefABCDEF'))
  HEX_VALUES[digit] = Number.parseInt(String.fromCharCode(digit), 16);

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
  /** The bytes of an escape that have come; 0 outside escapes. */
  #escaped = 0;
  /** The digits of a `\u....` that have come, as a number. */
  #code = 0;
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
    if (this.#escaped > 0) throw new AudioTextError('it ends within an escape');
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
    if (this.#escaped > 0 || this.#padding > 0) return undefined;
    // Found at once, where decoding in vain would take as long as decoding.
    if (piece.includes(BACKSLASH) || piece.includes(SPACE)) return undefined;
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
      const isPlain = KINDS[byte] === STANDARD && this.#escaped === 0 && this.#padding === 0;
      const character = isPlain ? byte : this.#readUnusual(byte, this.#offset + i);
      if (character > 0) clean[length++] = character;
    }
    return clean.toString('latin1', 0, length);
  }

  /** Reads a byte of an escape, or a raw character. Returns a character of the standard alphabet, or 0 where it gives none. */
  #readUnusual(byte: number, at: number): number {
    if (this.#escaped > 0) return this.#readEscape(byte, at);
    if (byte === BACKSLASH) {
      this.#escaped = 1;
      this.isCanonical = false;
      return 0;
    }
    if (byte < SPACE) throw new AudioTextError(`byte ${at} is a control character`);
    return this.#readCharacter(byte, at);
  }

  #readEscape(byte: number, at: number): number {
    if (this.#escaped === 1 && byte === LETTER_U) {
      this.#escaped = 2;
      this.#code = 0;
      return 0;
    }
    const value = (this.#escaped === 1 ? ESCAPES[byte] : HEX_VALUES[byte]) ?? 0;
    if (value === (this.#escaped === 1 ? 0 : 16)) throw new AudioTextError(`the escape at byte ${at} is none of JSON`);
    if (this.#escaped > 1) {
      this.#code = this.#code * 16 + value;
      // A backslash, a `u` and four digits.
      if (++this.#escaped < 6) return 0;
    }
    const character = this.#escaped === 1 ? value : this.#code;
    this.#escaped = 0;
    return this.#readCharacter(character, at);
  }

  #readCharacter(character: number, at: number): number {
    const kind = KINDS[character] ?? UNKNOWN;
    if (kind === UNKNOWN) throw new AudioTextError(`the character at byte ${at} is in no alphabet of base64`);
    if (kind === PADDING) this.#padding++;
    else if (kind === WHITE) this.isCanonical = false;
    else if (this.#padding > 0) throw new AudioTextError(`it goes on behind its padding, at byte ${at}`);
    if (kind === STANDARD) return character;
    if (kind !== URL_SAFE) return 0;
    this.isCanonical = false;
    return character === MINUS ? PLUS : SLASH;
  }
}
