import { z } from 'zod';

/**
 * One verified webhook as it travels.
 *
 * `receivedAt` is in unix milliseconds, `signedAt` (the signature's time) in unix seconds, `secretId` names the secret that matched.
 * `body` is the exact bytes received: as text where they are valid UTF-8, else in base64.
 * `origin` is optional because jobs written before it existed may still be in Redis; absent means `webhook`.
 */
export const deliveredEventSchema = z.object({
  receivedAt: z.number(),
  signedAt: z.number(),
  secretId: z.string(),
  encoding: z.enum(['utf8', 'base64']),
  body: z.string(),
  origin: z.enum(['webhook', 'replay', 'backfill']).optional(),
});

/** Why an event is dead: the code and the message of its fault, and how many attempts were spent on it. */
export const deathSchema = z.object({ code: z.string(), message: z.string(), attempts: z.number() });

/** Why an event is dead; see `deathSchema`. */
export type Death = z.infer<typeof deathSchema>;

/**
 * What a job carries: 1 to n events that arrived together.
 * Fields that this version does not know are kept, so that old and new processes can run side by side.
 * `died` is there on a dead letter that was laid from the ledger: an older worker does not know it, and tries the event once more.
 */
export const jobSchema = z.object({
  v: z.literal(1),
  events: z.array(deliveredEventSchema.loose()).min(1),
  died: deathSchema.optional(),
});

/** One verified webhook as it travels; see `deliveredEventSchema`. */
export type DeliveredEvent = z.infer<typeof deliveredEventSchema>;

/** The data of a job; see `jobSchema`. */
export interface Job {
  v: 1;
  events: DeliveredEvent[];
  died?: Death;
}
