import { deliverySchema, storedReferenceSchema, type Delivery } from '@landline/webhook/delivery';
import { MOST_UNPACKED_BYTES } from '@landline/webhook/packed-events';
import { z } from 'zod';

/** Why an event is dead: the code and the message of its fault, and how many attempts were spent on it. */
export const deathSchema = z.object({ code: z.string(), message: z.string(), attempts: z.number() });

/** Why an event is dead; see `deathSchema`. */
export type Death = z.infer<typeof deathSchema>;

/**
 * What a job carries: 1 to n events that arrived together.
 *
 * `v` is 2 where one of the events has a reference, else 1. A worker that does not know references leaves a job of version 2 whole in
 * `failed`: it would record the envelope as an event of its own, and lose the recording.
 *
 * Fields that this version does not know are kept, so that old and new processes can run side by side.
 * Only a dead letter that was restored from the ledger has `died`. An older worker does not know it, and tries the event once more.
 */
export const jobSchema = z.object({
  v: z.literal([1, 2]),
  events: z.array(deliverySchema.extend({ reference: storedReferenceSchema.optional() }).loose()).min(1),
  died: deathSchema.optional(),
});

/**
 * The data of a job whose events are packed, with references or without. `packed` is base64; see `PackedEvents`. A worker of a version that
 * does not know it leaves the job in `failed`, whole.
 */
export const packedJobSchema = z.object({
  v: z.literal(3),
  bytes: z.int().nonnegative(),
  fieldBytes: z.int().nonnegative(),
  crc32: z.int().nonnegative(),
  packed: z.string(),
});

/** The data of a packed job; see `packedJobSchema`. */
export type PackedJob = z.infer<typeof packedJobSchema>;

const PACKED_START = /^\{"v":3,"bytes":(\d+),/;

/** Returns how many bytes the events of a packed job have, by its data as Redis has it; 0 where the job is not packed. */
export function unpackedBytes(data: string): number {
  return Math.min(Number(PACKED_START.exec(data)?.[1] ?? 0), MOST_UNPACKED_BYTES);
}

/** The data of a job; see `jobSchema`. */
export interface Job {
  v: 1 | 2;
  events: readonly Delivery[];
  died?: Death;
}

/** Makes the job of events. */
export function jobOf(events: readonly Delivery[], died?: Death): Job {
  const v = events.some(({ reference }) => reference !== undefined) ? 2 : 1;
  return { v, events, ...(died && { died }) };
}
