import { isUtf8 } from 'node:buffer';
import type { Cause } from './causes.ts';
import { decompress, type Compression } from './decompress.ts';
import { printings } from './print-json.ts';

/** Another form of a body, and what it means that the sender signed it. */
export interface BodyForm {
  body: Uint8Array;
  cause: Cause;
  detail?: string;
}

const NEWLINE = Buffer.from('\n');
const CRLF = Buffer.from('\r\n');
const BOM = Buffer.from([0xef, 0xbb, 0xbf]);

/** Returns the body with the newline at its end that it lacks, and without the one that it has. */
export function newlineForms(body: Buffer): BodyForm[] {
  const added: BodyForm[] = [];
  if (body.subarray(-2).equals(CRLF)) added.push({ body: body.subarray(0, -2), cause: 'newline_added' });
  if (body.subarray(-1).equals(NEWLINE)) added.push({ body: body.subarray(0, -1), cause: 'newline_added' });
  const removed = [NEWLINE, CRLF].map((end) => ({
    body: Buffer.concat([body, end]),
    cause: 'newline_removed' as const,
  }));
  return [...added, ...removed];
}

/** Yields other forms of a body that the sender may have signed, those first that cost the least. Each is made when it is asked for. */
export function* bodyForms(body: Buffer, compression: Compression | undefined): Generator<BodyForm> {
  yield* newlineForms(body);
  yield* lineEndForms(body);
  yield body.subarray(0, 3).equals(BOM)
    ? { body: body.subarray(3), cause: 'bom_added' }
    : { body: Buffer.concat([BOM, body]), cause: 'bom_removed' };
  if (compression !== undefined) {
    for (const unpacked of decompress(body, compression)) {
      yield { body: unpacked, cause: 'body_compressed', detail: compression.by };
    }
  }
  if (!isUtf8(body)) return;
  for (const { name, text } of printings(body.toString())) {
    yield { body: Buffer.from(text), cause: 'json_printed_anew', detail: `signed: ${name}` };
  }
}

/** As latin1 each byte is a character, so that no other byte changes. */
function* lineEndForms(body: Buffer): Generator<BodyForm> {
  if (!body.includes(0x0a)) return;
  const text = body.toString('latin1');
  const unix = text.replaceAll('\r\n', '\n');
  for (const other of [unix, unix.replaceAll('\n', '\r\n')]) {
    if (other !== text) yield { body: Buffer.from(other, 'latin1'), cause: 'line_ends_changed' };
  }
}
