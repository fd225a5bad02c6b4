import type { IncomingMessage } from 'node:http';
import { SIGNATURE_HEADER } from '@landline/webhook';

/** The signature header as it was sent: a text, all texts where it was repeated, undefined where it is missing. */
export type SignatureHeader = string | string[] | undefined;

/** Reads the signature header from the raw headers: among its own, Node joins a repeated header into one. */
export function signatureHeader({ rawHeaders }: Pick<IncomingMessage, 'rawHeaders'>): SignatureHeader {
  const values: string[] = [];
  for (let i = 0; i < rawHeaders.length; i += 2) {
    const name = rawHeaders[i] ?? '';
    if (name.length === SIGNATURE_HEADER.length && name.toLowerCase() === SIGNATURE_HEADER) {
      values.push(rawHeaders[i + 1] ?? '');
    }
  }
  return values.length > 1 ? values : values[0];
}
