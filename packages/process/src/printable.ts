/**
 * Characters that a terminal obeys or does not show:
 *
 * - control characters (C0, DEL, C1) and line breaks;
 * - marks of writing direction and characters without width;
 * - lone surrogates.
 */
const OBEYED =
  // oxlint-disable-next-line no-control-regex -- these are what is looked for
  /[\u0000-\u001f\u007f-\u009f\u00ad\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb\ud800-\udfff\u{e0000}-\u{e007f}]/u;
const ALL_OBEYED = new RegExp(OBEYED.source, 'gu');

/**
 * Returns a text from outside in a form that a log line may hold: such characters become `\u` and their number. So an
 * id cannot move the cursor, colour the screen, or forge a line.
 */
export function printable(text: string): string {
  return OBEYED.test(text) ? text.replace(ALL_OBEYED, escaped) : text;
}

function escaped(character: string): string {
  const code = character.codePointAt(0) ?? 0;
  return code > 0xffff ? `\\u{${code.toString(16)}}` : `\\u${code.toString(16).padStart(4, '0')}`;
}
