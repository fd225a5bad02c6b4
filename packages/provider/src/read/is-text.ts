/** Bytes that are looked at. Whatever has its length, or its flags, within them is no text. */
const HEAD_BYTES = 256;

/** Tells whether a content type is that of text: HTML, JSON, or XML, also as `application/problem+json`. */
export function isTextType(type: string): boolean {
  return /^\s*(?:text\/|application\/(?:[^;\s]+\+)?(?:json|xml)\b)/i.test(type);
}

/**
 * Tells whether a body is text by its beginning: a web page, or JSON. Where its type is not that of audio, any readable beginning of four bytes counts.
 */
export function isText(beginning: Buffer, type: string): boolean {
  const head = beginning.toString('latin1', 0, HEAD_BYTES).replace(/^\u00ef\u00bb\u00bf/, '');
  if (!/^[\t\n\r\u0020-\u007e]*$/.test(head)) return false;
  return /^\s*[<{["]/.test(head) || (!/^\s*audio\//i.test(type) && head.length >= 4);
}
