import { subjectSchema, type Subject } from '@landline/store';
import { z } from 'zod';
import { OperationFailedError } from '../errors.ts';

/** The kind of an erasure, as `operations.kind` has it. */
export const ERASE = 'erase';

/** What an erasure is asked for with. */
export interface ErasureRequest {
  subject: Subject;
  /** Of `hashSubject`; it stays when the subject itself is gone from the operation's row. */
  hash: string;
  /** How long journals keep what Redis has, in hours. */
  journalHours: number;
}

const filterSchema = z.object({
  by: z.string(),
  subject: z.string(),
  subject_hash: z.string(),
  journal_hours: z.string().regex(/^\d{1,5}$/),
});

/**
 * An erasure's request in words, as `operations.filter` has them. The word `subject` goes when the operation ends, however it ends: the statements of
 * packages/store/src/operations take it out.
 */
export function erasureWords({ subject: { by, value }, hash, journalHours }: ErasureRequest): Record<string, string> {
  return { by, subject: value, subject_hash: hash, journal_hours: String(journalHours) };
}

/** Reads what `erasureWords` has written. @throws OperationFailedError; its message names nobody */
export function readErasureWords(filter: unknown): ErasureRequest {
  const words = filterSchema.safeParse(filter);
  const subject = subjectSchema.safeParse({ by: words.data?.by, value: words.data?.subject });
  if (!words.success || !subject.success) throw new OperationFailedError('The filter of the erasure cannot be read.');
  return {
    subject: subject.data,
    hash: words.data.subject_hash,
    journalHours: Number(words.data.journal_hours),
  };
}
