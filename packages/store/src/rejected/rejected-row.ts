import { z } from 'zod';
import { toMs } from '../find/found-event.ts';

/** A row of rejected_requests. Times in unix milliseconds. */
export interface RejectedRow {
  /** A uuid. */
  id: string;
  receivedAt: number;
  /** That of the answer. */
  code: string;
  /** A name of `CAUSES` of packages/webhook. */
  cause: string;
  /** What was found in one sentence, and what to do. */
  advice: string;
  /** The signature header; an array where it was repeated, null where it was missing. */
  header: string | readonly string[] | null;
  /** The other headers, their names in lower case. */
  headers: Readonly<Record<string, string>>;
  /** The bytes that were kept; null where the receiver read none. */
  body: Uint8Array | null;
  /** Of the whole body; null: unknown. */
  bodyBytes: number | null;
  sender: string | null;
  /** Null: it was not readmitted. */
  readmittedAt: number | null;
}

/** A row as it is listed: without its body. */
export interface RejectedListing extends Omit<RejectedRow, 'body'> {
  /** How many bytes of the body are kept; null where the receiver read none. */
  keptBytes: number | null;
}

/** Which rows; each field narrows them down. Times in unix milliseconds. */
export interface RejectedFilter {
  /** Received at or after. */
  since?: number | undefined;
  /** Received before. */
  until?: number | undefined;
  cause?: string | undefined;
}

/** A row's place; rows are read in this order, the oldest first. */
export interface RejectedPosition {
  /** Unix milliseconds. */
  receivedAt: number;
  id: string;
}

/** The columns of a listing, for a SELECT. */
export const LISTED = `id::text, ${toMs('received_at')} AS "receivedAt", code, cause, advice, header, headers,
      octet_length(body) AS "keptBytes", body_bytes::float8 AS "bodyBytes", sender, ${toMs('readmitted_at')} AS "readmittedAt"`;

const listingSchema = z.object({
  id: z.string(),
  receivedAt: z.number(),
  code: z.string(),
  cause: z.string(),
  advice: z.string(),
  // No header's value has a line's end.
  header: z
    .string()
    .transform((text) => (text.includes('\n') ? text.split('\n') : text))
    .nullable(),
  headers: z.record(z.string(), z.string()),
  keptBytes: z.number().nullable(),
  bodyBytes: z.number().nullable(),
  sender: z.string().nullable(),
  readmittedAt: z.number().nullable(),
});

const rowSchema = listingSchema.omit({ keptBytes: true }).extend({ body: z.instanceof(Uint8Array).nullable() });

/** Reads rows that were selected as `LISTED`. */
export function readListings(rows: readonly unknown[]): RejectedListing[] {
  return z.array(listingSchema).parse(rows);
}

/** Reads rows that were selected as `LISTED` and `body`. */
export function readRows(rows: readonly unknown[]): RejectedRow[] {
  return z.array(rowSchema).parse(rows);
}
