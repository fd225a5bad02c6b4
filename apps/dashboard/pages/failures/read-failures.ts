import type { FailureGroupItem, Failures } from '../../src/api/contract/failures.ts';
import type { ApiError } from '../api/client.ts';

/** How long a mark of this tab stands against what the API says, in milliseconds. Then a worker has had its time. */
const MARK_STANDS_MS = 15_000;

/** What this tab marked, by fingerprint. */
export type Marks = ReadonlyMap<string, { isKnown: boolean; at: number }>;

export interface FailuresRead {
  /** Undefined where nothing was read. */
  groups: readonly FailureGroupItem[] | undefined;
  /** How many dead events are in none of the groups. */
  others: number;
  /** How far back was looked, where the time was over before all dead events were; null where nothing was looked at. */
  backTo?: string | null;
  fault?: ApiError;
}

/** Reads an answer. One of status 504 has the groups of what was looked at. */
export function readFailures(data: Failures | undefined, error: ApiError | undefined): FailuresRead {
  if (error?.status === 504 && isTimedOut(error.body)) {
    const { items, others, back_to: backTo } = error.body;
    return { groups: items, others, backTo };
  }
  const read = { groups: data?.items, others: data?.others ?? 0 };
  return error ? { ...read, fault: error } : read;
}

function isTimedOut(body: unknown): body is Failures & { back_to: string | null } {
  return typeof body === 'object' && body !== null && 'items' in body && Array.isArray(body.items) && 'back_to' in body;
}

/** Puts the marks of this tab over what the API says. */
export function withMarks(
  groups: readonly FailureGroupItem[],
  marks: Marks,
  now = Date.now(),
): readonly FailureGroupItem[] {
  return groups.map((group) => {
    const mark = marks.get(group.fingerprint);
    if (!mark || now - mark.at > MARK_STANDS_MS || mark.isKnown === (group.known_at !== null)) return group;
    // An event that died after the mark took it away: that is no delay of the worker.
    if (mark.isKnown && Date.parse(group.last_at) > mark.at) return group;
    return { ...group, known_at: mark.isKnown ? new Date(mark.at).toISOString() : null, known_by: null };
  });
}
