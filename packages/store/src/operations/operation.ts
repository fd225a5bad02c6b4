import type { Json } from '@landline/webhook/json';
import { z } from 'zod';
import { toMs } from '../find/found-event.ts';

/** How far an operation is: `planned` waits for a worker; `done`, `cancelled` and `failed` are ends. */
export const OPERATION_STATUSES = ['planned', 'running', 'done', 'cancelled', 'failed'] as const;

/** One of `OPERATION_STATUSES`. */
export type OperationStatus = (typeof OPERATION_STATUSES)[number];

/** Long work that somebody asked for. Times in unix milliseconds, by the database's clock. */
export interface Operation {
  /** A uuid. */
  id: string;
  /** `replay`, … */
  kind: string;
  /** Which events, in words: see `filterWords`. */
  filter: unknown;
  status: OperationStatus;
  /** How many events it is about; null until they are counted. */
  total: number | null;
  done: number;
  failed: number;
  /** Why it failed or waits, or what to know of the events that failed. */
  message: string | null;
  /** Events a second at most; null: no limit. */
  rate: number | null;
  /** Where it goes on; what it means is its kind's affair. */
  checkpoint: unknown;
  requestedBy: string | null;
  createdAt: number;
  startedAt: number | null;
  updatedAt: number;
  finishedAt: number | null;
  cancelRequestedAt: number | null;
  /** Counted up at each claim. */
  fence: number;
}

/** What somebody asks for. */
export interface OperationRequest {
  /** A uuid that the caller makes: what is asked for twice under it is one operation. By default the database makes one. */
  id?: string | undefined;
  kind: string;
  filter: Readonly<Record<string, string>>;
  total?: number | undefined;
  rate?: number | undefined;
  requestedBy?: string | undefined;
}

/** A place among operations: they are listed by when they were asked for, and those of one millisecond by id. */
export interface OperationPosition {
  /** Unix milliseconds. */
  createdAt: number;
  /** A uuid. */
  id: string;
}

/** How far an operation is. All of it is written together. */
export interface OperationProgress {
  total: number | null;
  done: number;
  failed: number;
  message: string | null;
  checkpoint: Json | null;
}

const ms = z.number().nullable();

/** A row of `operations`. */
export const operationSchema = z.object({
  id: z.string(),
  kind: z.string(),
  filter: z.unknown(),
  status: z.enum(OPERATION_STATUSES),
  total: z.number().nullable(),
  done: z.number(),
  failed: z.number(),
  message: z.string().nullable(),
  rate: z.number().nullable(),
  checkpoint: z.unknown(),
  requestedBy: z.string().nullable(),
  createdAt: z.number(),
  startedAt: ms,
  updatedAt: z.number(),
  finishedAt: ms,
  cancelRequestedAt: ms,
  fence: z.number(),
});

/** The columns of `operationSchema`, of `operations o`. */
export const OPERATION_COLUMNS = `o.id::text, o.kind, o.filter, o.status, o.total::float8, o.done::float8, o.failed::float8, o.message, o.rate,
      o.checkpoint, o.requested_by AS "requestedBy", ${toMs('o.created_at')} AS "createdAt", ${toMs('o.started_at')} AS "startedAt",
      ${toMs('o.updated_at')} AS "updatedAt", ${toMs('o.finished_at')} AS "finishedAt",
      ${toMs('o.cancel_requested_at')} AS "cancelRequestedAt", o.fence::float8`;
