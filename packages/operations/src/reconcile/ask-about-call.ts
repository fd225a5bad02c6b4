import { ProviderError, type ProviderFault } from '@landline/provider';
import { UnfetchableError } from '../errors.ts';

/** After so many calls in a row that the provider does not answer for, it counts as away. */
const MOST_UNANSWERED = 10;

/**
 * What came of a question about one call.
 *
 * - `absent`: the provider does not have it, and will not.
 * - `unanswered`: there was no answer that can be read, and the next run asks again.
 */
export type Answer<Value> = { ok: true; value: Value } | { ok: false; code: 'absent' | 'unanswered'; reason: string };

/** Asks the provider about one call after the other. */
export interface Questions {
  /** Asks about one call. @throws ProviderError where the fault is not that of the call alone; what `ask` throws otherwise */
  about<Value>(ask: () => Promise<Value>): Promise<Answer<Value>>;
}

/**
 * Makes what asks. A fault of one call ends nothing: it is an answer, and the call stays missing however often it comes. A key that is refused, a
 * permission that is missing, a quota that is used up, and a provider that is busy or away concern all calls, so these are thrown. So is any fault that
 * ten calls in a row have.
 */
export function createQuestions(): Questions {
  let unanswered = 0;

  function answerOf(error: unknown): Extract<Answer<never>, { ok: false }> {
    const isUnfetchable = error instanceof UnfetchableError;
    if (!isUnfetchable && !(error instanceof ProviderError)) throw error;
    const { code, message: reason } = error;
    if (isUnfetchable || code === 'not_found') {
      unanswered = 0;
      return { ok: false, code: 'absent', reason };
    }
    unanswered += 1;
    if (isOfAll(error) || unanswered >= MOST_UNANSWERED) throw error;
    return { ok: false, code: 'unanswered', reason };
  }

  return {
    async about(ask) {
      try {
        const value = await ask();
        unanswered = 0;
        return { ok: true, value };
      } catch (error) {
        return answerOf(error);
      }
    },
  };
}

/** Faults that one call may have by itself. */
const OF_ONE_CALL: readonly ProviderFault[] = ['refused', 'unavailable', 'bad_answer'];

/** Tells whether a fault is that of the workspace. A quota that is used up is refused as a key is: 401, 402 or 403. */
function isOfAll({ code, status = 0 }: ProviderError): boolean {
  return !OF_ONE_CALL.includes(code) || (code === 'refused' && status >= 401 && status <= 403);
}
