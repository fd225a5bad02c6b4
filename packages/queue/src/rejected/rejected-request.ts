import { z } from 'zod';

/** How many bytes of a refused request's body are kept: 256 KiB. Transcripts have 10 to 100 KB. */
export const MAX_KEPT_BODY_BYTES = 262_144;

/**
 * A request that was answered 401, as its job carries it. Fields that this version does not know are dropped.
 *
 * - `id`: a random uuid: also that of its row.
 * - `receivedAt`: unix milliseconds.
 * - `code`: that of the answer.
 * - `header`: the signature header; an array where it was repeated, null where it was missing.
 * - `headers`: the other headers, their names in lower case, without those that hold a secret.
 * - `body`: what was kept of it, in `encoding`; null where the receiver read none of it.
 * - `bodyBytes`: how many bytes the whole body had; null: unknown.
 * - `sender`: the address that the connection came from.
 */
export const rejectedRequestSchema = z.object({
  v: z.literal(1),
  id: z.uuid(),
  receivedAt: z.number(),
  code: z.string(),
  header: z.union([z.string(), z.array(z.string())]).nullable(),
  headers: z.record(z.string(), z.string()),
  encoding: z.enum(['utf8', 'base64']),
  body: z.string().nullable(),
  bodyBytes: z.number().nullable(),
  sender: z.string().nullable(),
});

/** A request that was answered 401; see `rejectedRequestSchema`. */
export type RejectedRequest = z.infer<typeof rejectedRequestSchema>;
