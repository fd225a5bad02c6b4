/** What the texts to copy need to know of an event. */
export interface CopiedEvent {
  id: string;
  whole_bytes: number;
  /** The whole body as text; undefined where the page has only its beginning, or its bytes are no text. */
  body: string | undefined;
}

/** The longest body that the text itself has, in bytes. A longer one is read from the downloaded file. */
const MOST_INLINE_BYTES = 16_384;

/** The name of the file that the API gives the download, and that the texts read. */
export function bodyFile(id: string): string {
  return `${id}.body`;
}

/**
 * Writes a shell text that signs the body of an event anew and sends it to the receiver.
 *
 * The signature is `t=<unix>,v0=<hex>`: HMAC-SHA256 of `<t>.<body>`, as ElevenLabs makes it. The first secret of a list signs.
 * The body's bytes go through unchanged: no shell and no here-document touches them.
 */
export function curlText(event: CopiedEvent): string {
  const file = bodyFile(event.id);
  return [
    '# Needs ELEVENLABS_WEBHOOK_SECRET. LANDLINE_URL is the address of the webhook.',
    ...bodyLines(event, file),
    't=$(date +%s)',
    `v0=$( { printf '%s.' "$t"; cat ${file}; } | openssl dgst -sha256 -hmac "\${ELEVENLABS_WEBHOOK_SECRET%%,*}" -r | cut -d ' ' -f 1)`,
    'curl -sS -X POST "${LANDLINE_URL:-http://127.0.0.1:3000/api/elevenlabs/webhook}" \\',
    "  -H 'content-type: application/json' \\",
    '  -H "elevenlabs-signature: t=$t,v0=$v0" \\',
    `  --data-binary @${file}`,
    '',
  ].join('\n');
}

/** Writes the command that signs and sends the body by Landline's own tool. */
export function sendText(event: CopiedEvent): string {
  const file = bodyFile(event.id);
  return [...bodyLines(event, file), `npm run --silent landline -- send ${file}`, ''].join('\n');
}

function bodyLines({ body, whole_bytes: bytes }: CopiedEvent, file: string): string[] {
  if (body !== undefined && mayStandInText(body, bytes)) return [`printf '%s' ${shellQuote(body)} > ${file}`];
  return [`# Download the body as ${file} into this folder first.`];
}

/**
 * Tells whether a body comes out of a pasted text as it went in. A terminal changes control characters, and bytes that are no
 * UTF-8 have become others already.
 */
function mayStandInText(body: string, bytes: number): boolean {
  // oxlint-disable-next-line no-control-regex -- these are what must not be pasted
  if (bytes > MOST_INLINE_BYTES || /[\0-\x09\x0b-\x1f\x7f-\x9f\ufffd]/.test(body)) return false;
  return new TextEncoder().encode(body).length === bytes;
}

/** Quotes a text for a shell: nothing in single quotes means anything but the quote itself. */
export function shellQuote(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`;
}
