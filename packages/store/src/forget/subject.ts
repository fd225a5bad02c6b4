import { phoneNumber } from '@landline/webhook/phone-number';
import { z } from 'zod';

/** By what a subject of an erasure is named: one call, a user id, or the number that somebody calls from. */
export const SUBJECT_KINDS = ['conversation', 'user', 'number'] as const;

/** Who or what is to be forgotten. */
export interface Subject {
  by: (typeof SUBJECT_KINDS)[number];
  /** A number is in the form of `phoneNumber`. */
  value: string;
}

/** The longest id, in characters, as a filter of events takes it. */
const MOST_CHARACTERS = 256;

/** A subject in words: `{ by: 'user', value: 'u1' }`. */
export const subjectSchema = z
  .object({
    by: z.enum(SUBJECT_KINDS),
    value: z
      .string()
      .min(1)
      .max(MOST_CHARACTERS)
      // No text of Postgres holds the first, and none the second as it is.
      .refine((text) => !text.includes('\0') && text.isWellFormed()),
  })
  .transform(({ by, value }): Subject => ({ by, value: by === 'number' ? phoneNumber(value) : value }));

/** What tells a person: what is looked for wherever rows do not say whose they are. */
export interface Person {
  conversations: string[];
  users: string[];
  /** In the form of `phoneNumber`. */
  numbers: string[];
}
