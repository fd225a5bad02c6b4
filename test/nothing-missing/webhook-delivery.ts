import { deliveryOf, type Delivery } from '@landline/webhook/delivery';
import { sha256Of } from '../support/call-events.ts';
import { ledgerId } from '../support/reference-fold.ts';

const BEFORE_AUDIO = '"full_audio": "';

/** Makes what a receiver enqueues of a webhook's body: the whole, or the envelope of audio that is in the storage. */
export function webhookDelivery(body: Buffer): Delivery {
  const now = Date.now();
  const facts = { receivedAt: now, signedAt: Math.floor(now / 1000), secretId: 'test' };
  const found = body.indexOf(BEFORE_AUDIO);
  if (found < 0) return deliveryOf(body, facts);
  const at = found + BEFORE_AUDIO.length;
  const end = body.indexOf('"', at);
  const audio = Buffer.from(body.subarray(at, end).toString(), 'base64');
  const stored = { url: `file:/recordings/${sha256Of(audio)}.mp3`, storedAt: now };
  const recording = { at, bytes: audio.length, sha256: sha256Of(audio), contentType: 'audio/mpeg', ...stored };
  const reference = { eventId: ledgerId(body.toString()), bytes: body.length, recording };
  return deliveryOf(Buffer.concat([body.subarray(0, at), body.subarray(end)]), { ...facts, reference });
}
