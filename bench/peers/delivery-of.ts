import { isUtf8 } from 'node:buffer';
import type { Delivery } from '@landline/webhook';

/** A verified event as the peers' jobs carry it. */
export function deliveryOf(body: Buffer, signedAt: number): Delivery {
  const encoding = isUtf8(body) ? 'utf8' : 'base64';
  return { receivedAt: Date.now(), signedAt, encoding, body: body.toString(encoding) };
}
