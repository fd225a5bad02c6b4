import {
  ERASE,
  erasureWords,
  FETCH_CONVERSATION,
  fetchConversationWords,
  READMIT,
  readmitWords,
  REBUILD_CONVERSATION,
  RECONCILE,
  reconcileWords,
  REPLAY,
} from '@landline/operations';
import {
  eventFilterSchema,
  filterWords,
  hashSubject,
  subjectSchema,
  type EventFilter,
  type RejectedFilter,
  type Subject,
} from '@landline/store';
import { time } from '@landline/store/filter-words';
import { namesCaller } from '@landline/webhook/phone-number';
import { z } from 'zod';
import type { OperationCall } from '../contract/operations.ts';
import { describeIssues, invalid } from '../faults.ts';
import { rejectedFilterSchema } from '../rejected.ts';

/** What somebody wants, checked and with absolute times. */
export type Wanted =
  | { kind: typeof REPLAY; filter: EventFilter & { until: number }; rate: number | undefined }
  | { kind: typeof READMIT; filter: RejectedFilter }
  | { kind: typeof ERASE; subject: Subject }
  | { kind: typeof REBUILD_CONVERSATION; conversation: string }
  | { kind: typeof RECONCILE; since: number | undefined }
  | { kind: typeof FETCH_CONVERSATION; conversation: string };

/**
 * Checks what somebody asks for. Events and requests that come from now on are no part of it, so that it has an end.
 *
 * @param now  Unix ms.
 * @throws     ApiFault `invalid`, whose message names each word.
 */
export function readWanted(call: OperationCall, now: number): Wanted {
  switch (call.kind) {
    case 'replay': {
      const filter = read(eventFilterSchema(now), call.filter);
      return { kind: REPLAY, filter: { ...filter, until: Math.min(filter.until ?? Infinity, now) }, rate: call.rate };
    }
    case 'readmit': {
      const filter = read(rejectedFilterSchema(now), call.filter);
      return { kind: READMIT, filter: { ...filter, until: Math.min(filter.until ?? Infinity, now + 1) } };
    }
    case 'erase':
      return { kind: ERASE, subject: readSubject(call) };
    case 'rebuild-conversation':
      return { kind: REBUILD_CONVERSATION, conversation: call.conversation };
    case 'reconcile':
      return { kind: RECONCILE, ...read(reconcileFilterSchema(now), call.filter) };
    case 'fetch-conversation':
      return { kind: FETCH_CONVERSATION, conversation: call.conversation };
  }
}

/** Makes the schema of what a comparison with the provider is about: the calls that began since a time. */
function reconcileFilterSchema(now: number) {
  return z
    .strictObject({ since: time('since', now) })
    .refine(({ since = 0 }) => since < now, { error: 'since must be before now', path: ['since'] })
    .transform(({ since }) => ({ since }));
}

function read<T>(schema: z.ZodType<T>, filter: Readonly<Record<string, string>>): T {
  const parsed = schema.safeParse(filter);
  if (parsed.success) return parsed.data;
  throw invalid(describeIssues(parsed.error));
}

function readSubject({ by, value }: { by: string; value: string }): Subject {
  const { data } = subjectSchema.safeParse({ by, value });
  if (data === undefined) throw invalid('value takes a text of 1 to 256 characters.');
  if (data.by === 'number' && !namesCaller(data.value)) {
    throw invalid(
      'value takes a telephone number. This one names nobody: callers who withhold their number share such words.',
    );
  }
  return data;
}

/** Writes the filter that the operation's row gets. The hash of an erasure takes some tenths of a second. */
export async function operationWords(wanted: Wanted, journalHours: number): Promise<Record<string, string>> {
  switch (wanted.kind) {
    case REPLAY:
      return filterWords(wanted.filter);
    case READMIT:
      // Without secrets: those of the workers count.
      return readmitWords(wanted.filter);
    case ERASE:
      return erasureWords({ subject: wanted.subject, hash: await hashSubject(wanted.subject), journalHours });
    case REBUILD_CONVERSATION:
      return { conversation: wanted.conversation };
    case FETCH_CONVERSATION:
      return fetchConversationWords(wanted.conversation);
    case RECONCILE:
      return reconcileWords(wanted);
  }
}
