import { deliveryOf, type Delivery, type Receipt } from '@landline/webhook/delivery';
import type { BodyFacts } from '../spool/footer.ts';
import { decodeAudio } from '../split/decode-audio.ts';
import type { SplitBody } from '../split/split-body.ts';
import type { SplitSource } from '../split/split-source.ts';
import { bodyKey, recordingKey } from '../storage/recording-key.ts';
import type { Storage } from '../storage/storage.ts';

/** The type of every recording that the provider sends. */
const CONTENT_TYPE = 'audio/mpeg';

/** The audio of a body, and where it is kept; undefined: nowhere. */
interface AudioToStore {
  split: Extract<SplitBody, { kind: 'audio' }>;
  storage: Storage | undefined;
}

/**
 * Stores the audio of a body, and makes the event that takes its place in the queue. Where the envelope and the audio do not give the
 * body back byte for byte, the whole body is kept as well. @throws StorageError
 */
export async function deliveryOfAudio(
  facts: BodyFacts,
  source: SplitSource,
  { split, storage }: AudioToStore,
): Promise<Delivery> {
  const { audio, envelope } = split;
  const { at, bytes, sha256, isCanonical } = audio;
  const names = { ...split.facts, eventId: facts.eventId };
  const stored = await storage?.put({
    key: recordingKey(names),
    bytes,
    sha256,
    contentType: CONTENT_TYPE,
    open: () => decodeAudio(source, audio),
  });
  const bodyUrl = isCanonical || storage === undefined ? undefined : await keepBody(facts, source, { split, storage });
  const recording = {
    at,
    bytes,
    sha256,
    contentType: CONTENT_TYPE,
    url: stored?.url ?? null,
    storedAt: stored === undefined ? null : Date.now(),
  };
  return withReference(facts, envelope, { recording, ...(bodyUrl !== undefined && { bodyUrl }) });
}

/** Keeps the whole body of an event that cannot be applied, and makes that event. @throws StorageError */
export async function deliveryOfFault(
  facts: BodyFacts,
  source: SplitSource,
  { split, storage }: { split: Extract<SplitBody, { kind: 'fault' }>; storage: Storage },
): Promise<Delivery> {
  const bodyUrl = await keepBody(facts, source, { split, storage });
  return withReference(facts, split.envelope, { bodyUrl, fault: split.fault });
}

async function keepBody(
  { eventId, bytes, sha256 }: BodyFacts,
  source: SplitSource,
  { split, storage }: { split: Exclude<SplitBody, { kind: 'whole' }>; storage: Storage },
): Promise<string> {
  const key = bodyKey({ ...split.facts, eventId });
  const open = () => source.read(0, bytes);
  const { url } = await storage.put({ key, bytes, sha256, contentType: 'application/json', open });
  return url;
}

function withReference(
  facts: BodyFacts,
  envelope: Buffer,
  rest: Omit<NonNullable<Delivery['reference']>, 'eventId' | 'bytes'>,
): Delivery {
  const { eventId, bytes } = facts;
  return { ...deliveryOf(envelope, receiptOf(facts)), reference: { eventId, bytes, ...rest } };
}

/** Returns what the delivery of a body has of its facts. */
export function receiptOf({ receivedAt, signedAt, secretId, origin, traceparent }: BodyFacts): Receipt {
  return { receivedAt, signedAt, secretId, origin, traceparent };
}
