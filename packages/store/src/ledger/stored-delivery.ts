import { deliveryOf, type BodyReference, type Delivery } from '@landline/webhook/delivery';

/** Event times before this (unix milliseconds, the year 2000) are no times. */
const EARLIEST_MS = 946_684_800_000;

/** What the ledger has of a delivery. Times in unix milliseconds. */
export interface StoredDelivery {
  body: Uint8Array;
  /** Null where the body is whole. */
  reference: BodyReference | null;
  receivedAt: number;
  eventAt: number;
  /** Where it came from at first, as the ledger's row has it. */
  origin: string;
}

/**
 * Makes a delivery as the receiver made it, but for the name of the secret, which the ledger does not keep. Of the origins it says `backfill` alone: the clock of
 * what was fetched depends on it, and to all others it makes no difference.
 */
export function storedDelivery({ body, reference, receivedAt, eventAt, origin }: StoredDelivery): Delivery {
  // An event that names no time has its signature's, and that is where it matters.
  const signedAt = Math.floor((eventAt < EARLIEST_MS ? receivedAt : eventAt) / 1000);
  return deliveryOf(body, {
    receivedAt,
    signedAt,
    secretId: 'ledger',
    origin: origin === 'backfill' ? origin : undefined,
    reference: reference ?? undefined,
  });
}
