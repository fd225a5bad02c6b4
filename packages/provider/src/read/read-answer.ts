import { isUtf8 } from 'node:buffer';
import { parseJson, type Json } from '@landline/webhook/json';
import type { z } from 'zod';
import { ProviderError } from '../errors.ts';
import { TransientError } from '../request/transient-error.ts';

const MAX_PATH = 80;

/**
 * Parses an answer.
 *
 * @param what  What was asked for, for the message.
 * @throws      ProviderError `bad_answer` for a page in HTML; TransientError for what is no JSON, because an answer may be cut off unseen.
 */
export function parseAnswer(bytes: Buffer, what: string): Json {
  const parsed = isUtf8(bytes) ? parseJson(bytes.toString()) : { ok: false as const };
  if (parsed.ok) return parsed.value;
  const isPage = /^\s*</.test(bytes.toString('latin1', 0, 100));
  const found = isPage ? 'a web page' : 'no JSON';
  const error = new ProviderError(
    'bad_answer',
    `What answers for ElevenLabs' API gives ${found} for ${what}. Check ELEVENLABS_API_URL and the proxy.`,
  );
  throw isPage ? error : new TransientError(error);
}

/**
 * Reads an answer by its schema.
 *
 * @throws  ProviderError `bad_answer`, which names the field that is wrong, never its content.
 */
export function readAnswer<T>(schema: z.ZodType<T>, answer: Json, what: string): T {
  const read = schema.safeParse(answer);
  if (read.success) return read.data;
  const path = read.error.issues[0]?.path.map(String).join('.').slice(0, MAX_PATH) || 'the whole answer';
  throw new ProviderError('bad_answer', `ElevenLabs' answer for ${what} cannot be read: ${path} is missing or wrong.`);
}
