import { isUtf8 } from 'node:buffer';
import type { DeliveredEvent } from '@landline/queue';

/**
 * A verified delivery as it travels: its exact bytes as text where they are valid UTF-8, else as base64.
 *
 * @param body        Raw request bytes.
 * @param signature   Which secret signed it and when, in unix seconds.
 * @param receivedAt  Unix milliseconds.
 */
export function deliveredEvent(
  body: Buffer,
  signature: { secretId: string; signedAt: number },
  receivedAt: number,
): DeliveredEvent {
  const encoding = isUtf8(body) ? 'utf8' : 'base64';
  return {
    receivedAt,
    signedAt: signature.signedAt,
    secretId: signature.secretId,
    encoding,
    body: body.toString(encoding),
  };
}
