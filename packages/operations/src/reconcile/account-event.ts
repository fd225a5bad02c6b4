import type { FetchedConversation } from '@landline/provider';
import { idempotencyKey } from '@landline/webhook';
import { deliveryOf, type Delivery } from '@landline/webhook/delivery';
import { UnfetchableError } from '../errors.ts';

/** Stands for the name of a secret in deliveries that were fetched. */
export const PROVIDER_SECRET = 'provider';

/** The largest account that goes through the queue, in bytes: as of a body that the receiver spools. */
const MOST_BYTES = 16 * 1024 * 1024;

/** That of UTF-8. */
const BYTE_ORDER_MARK = Buffer.from([0xef, 0xbb, 0xbf]);

/** A fetched account as an event. */
export interface AccountEvent {
  /** The ledger id. */
  id: string;
  delivery: Delivery;
  bytes: number;
}

/**
 * Makes the event of a fetched account. Its bytes are the same for the same account: the provider's answer, as it came, in an envelope.
 *
 * @param endedAt  Start and duration, in unix milliseconds: the event's time.
 * @throws         UnfetchableError where the answer is larger than an event may be
 */
export function accountEvent({ bytes }: FetchedConversation, endedAt: number): AccountEvent {
  if (bytes.length > MOST_BYTES) {
    throw new UnfetchableError(`its account has ${bytes.length} bytes, and an event may have ${MOST_BYTES}`);
  }
  const head = `{"type":"post_call_transcription","event_timestamp":${endedAt / 1000},"data":`;
  const body = Buffer.concat([Buffer.from(head), withoutMark(bytes), Buffer.from('}')]);
  const facts = { receivedAt: Date.now(), signedAt: Math.floor(endedAt / 1000), secretId: PROVIDER_SECRET };
  return {
    id: idempotencyKey(body),
    delivery: deliveryOf(body, { ...facts, origin: 'backfill' }),
    bytes: body.length,
  };
}

/** Removes a byte order mark: within the envelope it would be no JSON. */
function withoutMark(bytes: Buffer): Buffer {
  return bytes.subarray(0, 3).equals(BYTE_ORDER_MARK) ? bytes.subarray(3) : bytes;
}
