import { crc32 } from 'node:zlib';
import { ORIGINS } from '@landline/webhook/delivery';
import { z } from 'zod';

/** The facts of a body that was verified or fetched, which stand behind it in its file. */
const factsSchema = z.object({
  /** Unix milliseconds. */
  receivedAt: z.number(),
  /** The signature's `t`, unix seconds. */
  signedAt: z.number(),
  /** Names the secret that matched. */
  secretId: z.string(),
  /** The idempotency key of the whole body. */
  eventId: z.string(),
  /** Of the whole body, in hex. */
  sha256: z.string(),
  /** Of the whole body. */
  bytes: z.number().int().nonnegative(),
  /** Absent: the provider sent it. */
  origin: z.enum(ORIGINS).optional(),
  /** Names the span of the request; see `deliverySchema`. */
  traceparent: z.string().optional().catch(undefined),
});

/** The facts of a verified body; see `factsSchema`. */
export type BodyFacts = z.infer<typeof factsSchema>;

/** The last bytes of a file whose body was verified. */
const MAGIC = Buffer.from('LLS1', 'latin1');

/** Behind the facts, little-endian: their length, their CRC-32, the magic. */
export const TAIL_BYTES = 12;

/** The most bytes of facts that are read: they have some 250, and a damaged tail may name gigabytes. */
export const MAX_FACT_BYTES = 65_536;

/** Returns the bytes that stand behind a body in its file. */
export function encodeFooter(facts: BodyFacts): Buffer {
  const json = Buffer.from(JSON.stringify(facts));
  const tail = Buffer.alloc(TAIL_BYTES);
  tail.writeUInt32LE(json.length, 0);
  tail.writeUInt32LE(crc32(json), 4);
  MAGIC.copy(tail, 8);
  return Buffer.concat([json, tail]);
}

/** Returns how many bytes of facts stand before the tail; undefined where the bytes are no tail. */
export function factBytes(tail: Buffer): number | undefined {
  return tail.length === TAIL_BYTES && tail.subarray(8).equals(MAGIC) ? tail.readUInt32LE(0) : undefined;
}

/** Decodes the facts before a tail; undefined where they are damaged. */
export function decodeFacts(json: Buffer, tail: Buffer): BodyFacts | undefined {
  if (crc32(json) !== tail.readUInt32LE(4)) return undefined;
  return factsSchema.safeParse(JSON.parse(json.toString())).data;
}
