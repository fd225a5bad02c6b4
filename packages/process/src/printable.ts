/**
 * What a terminal obeys instead of showing: control characters (C0, DEL, C1), breaks of lines, marks that turn the
 * direction of writing, characters without width, and halves of characters.
 */
const OBEYED =
  // oxlint-disable-next-line no-control-regex -- these are what is looked for
  /[\u0000-\u001f\u007f-\u009f\u00ad\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb\ud800-\udfff\u{e0000}-\u{e007f}]/u;
const ALL_OBEYED = new RegExp(OBEYED.source, 'gu');

/**
 * A text from outside as a log line may hold it: what a terminal would obey is written as `\u` and its number, so that
 * nobody's id can move the cursor, colour the screen, or forge a line.
 */
export function printable(text: string): string {
  return OBEYED.test(text) ? text.replace(ALL_OBEYED, escaped) : text;
}

function escaped(character: string): string {
  const code = character.codePointAt(0) ?? 0;
  return code > 0xffff ? `\\u{${code.toString(16)}}` : `\\u${code.toString(16).padStart(4, '0')}`;
}
