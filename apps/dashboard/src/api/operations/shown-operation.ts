import type { Operation } from '@landline/store';
import { z } from 'zod';
import type { OperationItem } from '../contract/operations.ts';
import { iso, isoOrNull } from '../shown-time.ts';

const filterSchema = z.record(z.string(), z.json()).catch({});

/** An operation as lists show it. */
export function shownOperation(row: Operation): OperationItem {
  return {
    id: row.id,
    kind: row.kind,
    filter: filterSchema.parse(row.filter),
    status: row.status,
    total: row.total,
    done: row.done,
    failed: row.failed,
    message: row.message,
    rate: row.rate,
    requested_by: row.requestedBy,
    created_at: iso(row.createdAt),
    started_at: isoOrNull(row.startedAt),
    updated_at: iso(row.updatedAt),
    finished_at: isoOrNull(row.finishedAt),
    cancel_requested_at: isoOrNull(row.cancelRequestedAt),
  };
}
