/** A character that JSON wrote as an escape. */
const ESCAPE = /\\(?:u([0-9a-f]{4})|(["\\/bfnrt]))/gi;

const SHORT: Readonly<Record<string, string>> = { b: '\b', f: '\f', n: '\n', r: '\r', t: '\t' };

const BACKSLASH = 0x5c;

/**
 * Makes what tells whether a text stands in a body. Case does not matter, nor does it whether the sender wrote a character as itself or as
 * an escape of JSON: most of them write Arabic as `\u0645…`.
 *
 * @param text  What is looked for; not empty.
 */
export function textMatcher(text: string): (body: Uint8Array) => boolean {
  const wanted = text.toLowerCase();
  return (body) => decode(body).toLowerCase().includes(wanted);
}

/** Bytes that are no UTF-8 become U+FFFD, and match nothing. */
function decode(body: Uint8Array): string {
  const text = Buffer.from(body.buffer, body.byteOffset, body.byteLength).toString('utf8');
  if (!body.includes(BACKSLASH)) return text;
  return text.replaceAll(ESCAPE, (_, code: string | undefined, short = '') =>
    code === undefined ? (SHORT[short] ?? short) : String.fromCharCode(Number.parseInt(code, 16)),
  );
}
