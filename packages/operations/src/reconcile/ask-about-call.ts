import { ProviderError, type ProviderFault } from '@landline/provider';
import { UnfetchableError } from '../errors.ts';

/** After so many calls in a row that the provider does not answer for, it counts as away. */
const MOST_UNANSWERED = 10;

/** How many calls without an answer are kept in mind: the newest. */
const MOST_KEPT = 10_000;

/**
 * What came of a question about one call.
 *
 * - `absent`: the provider does not have it, and will not.
 * - `unanswered`: there was no answer that can be read, and the next run asks again.
 * - `unasked`: it was not asked for, because the provider refuses all calls this.
 */
export type Answer<Value> =
  { ok: true; value: Value } | { ok: false; code: 'absent' | 'unanswered' | 'unasked'; reason: string };

/** Asks the provider about one call after the other, always for the same: accounts, or audio. */
export interface Questions {
  /**
   * Asks about one call, unless a fault has ended the questions.
   *
   * @param isHere  Whether `ask` has the answer already, and only reads it.
   * @throws        What `ask` throws that is no answer of the provider.
   */
  about<Value>(id: string, ask: () => Promise<Value>, isHere?: boolean): Promise<Answer<Value>>;
  /** Why nothing more is asked: a fault that is not that of one call. */
  fault(): ProviderError | undefined;
}

/** The questions of a run. A key may see accounts and no audio, so each kind ends by its own faults. */
export interface RunQuestions {
  accounts: Questions;
  audio: Questions;
}

/** The calls that had no answer in earlier runs, of each kind. */
export type Unanswered = Record<keyof RunQuestions, Set<string>>;

/** Begins an empty memory. */
export function noneUnanswered(): Unanswered {
  return { accounts: new Set(), audio: new Set() };
}

/** Makes the questions of a run. @param before  See `createQuestions`. */
export function createRunQuestions(before: Unanswered = noneUnanswered()): RunQuestions {
  return { accounts: createQuestions(before.accounts), audio: createQuestions(before.audio) };
}

/**
 * Makes what asks. A fault of one call ends nothing: it is an answer, and the call stays missing however often it comes. A key that is refused, a
 * permission that is missing, a quota that is used up, and a provider that is busy or away concern all calls: these end the questions. So does any fault that
 * ten calls in a row have which had an answer before, or were not asked for.
 *
 * @param before  The calls that had no answer in earlier runs; it is kept up to date. Where all others have their answers, these come one after the other,
 *                and they must not keep what lies behind them from being asked for.
 */
export function createQuestions(before = new Set<string>()): Questions {
  let unanswered = 0;
  let fault: ProviderError | undefined;

  function answerOf(id: string, error: unknown): Extract<Answer<never>, { ok: false }> {
    const isUnfetchable = error instanceof UnfetchableError;
    if (!isUnfetchable && !(error instanceof ProviderError)) throw error;
    const { code, message: reason } = error;
    if (isUnfetchable || code === 'not_found' || code === 'unusable') {
      unanswered = 0;
      before.delete(id);
      return { ok: false, code: 'absent', reason };
    }
    if (!before.has(id)) unanswered += 1;
    keep(id);
    if (isOfAll(error) || unanswered >= MOST_UNANSWERED) fault ??= error;
    return { ok: false, code: 'unanswered', reason };
  }

  function keep(id: string): void {
    before.delete(id);
    before.add(id);
    const [oldest] = before.size > MOST_KEPT ? before : [];
    if (oldest !== undefined) before.delete(oldest);
  }

  return {
    fault: () => fault,
    async about(id, ask, isHere = false) {
      if (fault !== undefined && !isHere) {
        return {
          ok: false,
          code: 'unasked',
          reason: `not asked for, after an answer for another call: ${fault.message}`,
        };
      }
      try {
        const value = await ask();
        unanswered = 0;
        before.delete(id);
        return { ok: true, value };
      } catch (error) {
        return answerOf(id, error);
      }
    },
  };
}

/** Faults that one call may have by itself. */
const OF_ONE_CALL: readonly ProviderFault[] = ['refused', 'unavailable', 'bad_answer'];

/**
 * Tells whether a fault is that of the workspace. A quota that is used up is refused as a key is: 401 or 402. A 403 that names no permission is of the call: another
 * agent's, or one that is held back.
 */
function isOfAll({ code, status = 0, permission }: ProviderError): boolean {
  if (code === 'forbidden') return status !== 403 || permission !== undefined;
  return !OF_ONE_CALL.includes(code) || (code === 'refused' && (status === 401 || status === 402));
}
