import type { z } from 'zod';
import { parseAnswer, readAnswer } from './read/read-answer.ts';
import type { Ask, Client } from './request/client.ts';

/** Of an answer that is no call's account, in bytes: a page of a hundred calls has some 200 KB. */
export const ANSWER_LIMIT_BYTES = 8 * 1024 * 1024;

/** Fetches an answer, and reads it by its schema. */
export async function fetchAnswer<T>(client: Client, ask: Ask, schema: z.ZodType<T>): Promise<T> {
  return client.read(ask, ANSWER_LIMIT_BYTES, (bytes) => readAnswer(schema, parseAnswer(bytes, ask.what), ask.what));
}
