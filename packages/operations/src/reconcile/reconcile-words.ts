import { z } from 'zod';
import { OperationFailedError } from '../errors.ts';

/** The kind of a comparison with the provider, as `operations.kind` has it. */
export const RECONCILE = 'reconcile';

/** The kind of what fetches one conversation again, as `operations.kind` has it. */
export const FETCH_CONVERSATION = 'fetch-conversation';

/** Since when calls are compared, in unix milliseconds; undefined: the window of the schedule. */
export interface ReconcileRequest {
  since?: number | undefined;
}

const reconcileSchema = z.strictObject({
  since: z.iso
    .datetime()
    .transform((text) => Date.parse(text))
    .optional(),
});

const conversationSchema = z.strictObject({ conversation: z.string().min(1).max(256) });

/** Writes what is compared, in words for `operations.filter`. */
export function reconcileWords({ since }: ReconcileRequest = {}): Record<string, string> {
  return since === undefined ? {} : { since: new Date(since).toISOString() };
}

/** Writes which conversation is fetched again, in words for `operations.filter`. */
export function fetchConversationWords(id: string): Record<string, string> {
  return { conversation: id };
}

/** Reads what `reconcileWords` has written. @throws OperationFailedError */
export function readReconcileWords(filter: unknown): ReconcileRequest {
  return read(reconcileSchema, filter);
}

/** Reads the id that `fetchConversationWords` has written. @throws OperationFailedError */
export function readConversationWord(filter: unknown): string {
  return read(conversationSchema, filter).conversation;
}

function read<Schema extends z.ZodType>(schema: Schema, filter: unknown): z.output<Schema> {
  const words = schema.safeParse(filter);
  if (words.success) return words.data;
  throw new OperationFailedError(`The filter cannot be read: ${z.prettifyError(words.error)}`);
}
