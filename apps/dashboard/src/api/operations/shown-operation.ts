import { readUnfetchable } from '@landline/operations';
import type { Operation } from '@landline/store';
import { z } from 'zod';
import { firstOf, listedText } from '../bounded.ts';
import type { OperationDetail, OperationItem } from '../contract/operations.ts';
import { iso, isoOrNull } from '../shown-time.ts';

const filterSchema = z.record(z.string(), z.json()).catch({});

/** How much of a reason is shown, and how much all of them may have together, in bytes. */
const REASON_BYTES = 500;
const REASONS_BYTES = 60_000;

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

/** An operation that is shown alone. */
export function shownOperationDetail(row: Operation): OperationDetail {
  const unfetchable = firstOf(
    Object.entries(readUnfetchable(row.checkpoint)),
    ([conversation, reason]) => ({ conversation, reason: listedText(reason, REASON_BYTES) ?? '' }),
    REASONS_BYTES,
  );
  return { ...shownOperation(row), unfetchable };
}
