import { z } from 'zod';

/** As many as the ledger takes: an event whose conversation has a longer id is dead. */
const MOST_CHARACTERS = 256;

const error = `must be the id of a conversation, of 1 to ${MOST_CHARACTERS} characters`;

/** The id of a conversation, which comes from outside, wherever the API takes one. Before its message stands the name of the field. */
export const conversationIdSchema = z
  .string({ error })
  .min(1, { error })
  .max(MOST_CHARACTERS, { error })
  // No text of Postgres holds the first, and none the second as it is.
  .refine((text) => !text.includes('\0') && text.isWellFormed(), { error });
