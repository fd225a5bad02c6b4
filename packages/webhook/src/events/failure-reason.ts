import { fieldsOf, isFilled, type Fields } from '../fields.ts';
import { isObject, type Json } from '../json.ts';

/**
 * Returns why a conversation failed: `error.reason`, else `error` where it is a text, else `termination_reason`, else
 * the error as JSON.
 *
 * @param call  `metadata`, and the fields of it that stand one level too high.
 */
export function failureReason(call: Fields): string | undefined {
  const error = call.content('error');
  return wordsOf(error) ?? call.text('termination_reason', 'end_reason') ?? asJson(error);
}

function wordsOf(error: Json | undefined): string | undefined {
  const words = isObject(error) ? fieldsOf(error).text('reason') : error;
  return typeof words === 'string' && words.trim() !== '' ? words : undefined;
}

function asJson(error: Json | undefined): string | undefined {
  const isCode = error !== undefined && typeof error !== 'string' && error !== false;
  return isCode && isFilled(error) ? JSON.stringify(error) : undefined;
}
