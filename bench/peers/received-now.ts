import { deliveryOf, type Delivery } from '@landline/webhook/delivery';

/** A verified event as the peers' jobs carry it. */
export function receivedNow(body: Buffer, signedAt: number): Delivery {
  return deliveryOf(body, { receivedAt: Date.now(), signedAt, secretId: 'bench' });
}
