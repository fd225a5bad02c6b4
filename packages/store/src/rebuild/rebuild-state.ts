import { z } from 'zod';

/**
 * How far a rebuild is:
 *
 * - `fold`: the ledger is folded into the tables of its schema.
 * - `index`: these tables get their other indexes.
 * - `carry`: what the ledger cannot give any more is copied.
 * - `compare`: the tables are compared.
 * - `ready`: all is compared. The schema follows what comes, until it is swapped or dropped.
 */
export const REBUILD_STAGES = ['fold', 'index', 'carry', 'compare', 'ready'] as const;

/** One of `REBUILD_STAGES`. */
export type RebuildStage = (typeof REBUILD_STAGES)[number];

/** A state as the schema keeps it. It changes in the transaction that does the work, so no work is counted twice. */
export const rebuildStateSchema = z.object({
  stage: z.enum(REBUILD_STAGES).default('fold'),
  /** The table that is compared now, by its place. */
  table: z.number().default(0),
  /** All rows of that table up to this owner are compared. Absent: none is. */
  after: z.string().optional(),
  /** The days that had a partition of bodies when it was last looked, such as `20260105`. */
  days: z.array(z.string()).default([]),
});

/** See `rebuildStateSchema`. */
export type RebuildState = z.infer<typeof rebuildStateSchema>;

/** Tables beside those that are read: of a rebuild that is not swapped, or those that a swap has replaced. */
export interface KeptTables {
  /** `landline_rebuild_<id>` or `landline_before_<time>`. */
  schema: string;
  /** The operation that made them. */
  operation: string;
  /** Unix milliseconds, by the database's clock. */
  madeAt: number;
  /** Tables and indexes. */
  bytes: number;
}

/** How a column differs between the tables that are there and those that were rebuilt. */
export interface TableDifference {
  table: string;
  /** `*`: whole rows, which one side alone has. */
  column: string;
  rows: number;
  /** Five at most. A value that is long is cut to a text. Of `*` a side is `row` or null. */
  sample: { key: Record<string, unknown>; before: unknown; after: unknown }[];
}

/** What a rebuild would be about. */
export interface RebuildPlan {
  /** Events of the ledger that are applied. */
  events: number;
  /** Of these, whose body is gone. */
  withoutBody: number;
  /** Bytes of the bodies that are there. */
  bodyBytes: number;
  /** Bytes of the tables, with their indexes: the rebuild takes about as much again. */
  tableBytes: number;
  kept: KeptTables[];
  /** What would keep the tables from being swapped: each depends on one of them, and would stay with the old one. */
  dependents: string[];
}

const sampleSchema = z.object({ key: z.record(z.string(), z.unknown()), before: z.unknown(), after: z.unknown() });

/** A row of `landline_differences`. */
export const differenceSchema = z.object({
  table: z.string(),
  column: z.string(),
  rows: z.number(),
  sample: z.array(sampleSchema),
});

/** A row of a list of kept tables. */
export const keptSchema = z.object({
  schema: z.string(),
  operation: z.string(),
  madeAt: z.number(),
  bytes: z.number(),
});
