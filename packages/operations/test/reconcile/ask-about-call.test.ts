import { ProviderError, type ProviderFault } from '@landline/provider';
import { expect, test } from 'vitest';
import { UnfetchableError } from '../../src/errors.ts';
import { createQuestions, createRunQuestions } from '../../src/reconcile/ask-about-call.ts';

const fault = (code: ProviderFault, status?: number) => new ProviderError(code, `It is ${code}.`, { status });
const answered = () => Promise.resolve(1);
async function fail(reason: Error): Promise<never> {
  throw await Promise.resolve(reason);
}

test('only what is not there is absent; other faults leave a call unanswered, until ten in a row have none', async () => {
  const before = new Set<string>();
  const questions = createQuestions(before);
  let asked = 0;
  const answerTo = async (error: Error) => {
    asked += 1;
    const answer = await questions.about(`call_${asked}`, () => fail(error));
    return answer.ok ? 'ok' : answer.code;
  };
  expect(await answerTo(fault('not_found', 404))).toBe('absent');
  expect(await answerTo(new UnfetchableError('too large'))).toBe('absent');
  expect(await answerTo(fault('unusable', 200))).toBe('absent');
  expect(await answerTo(fault('refused', 400))).toBe('unanswered');
  expect(await answerTo(fault('bad_answer'))).toBe('unanswered');
  expect(await answerTo(fault('forbidden', 403))).toBe('unanswered');
  expect(await questions.about('a_call', () => Promise.resolve(1))).toEqual({ ok: true, value: 1 });
  for (let i = 0; i < 9; i++) {
    // oxlint-disable-next-line no-await-in-loop -- one after the other
    expect(await answerTo(i % 2 === 0 ? fault('unavailable', 500) : fault('refused', 409))).toBe('unanswered');
  }
  expect(questions.fault()).toBeUndefined();
  expect(await answerTo(fault('bad_answer'))).toBe('unanswered');
  expect(questions.fault()?.message).toBe('It is bad_answer.');
  expect(await answerTo(fault('busy'))).toBe('unasked');
  expect(questions.fault()?.message).toBe('It is bad_answer.');

  // The next run: those that had no answer end nothing any more, one behind them is asked for, and one that has its answer now counts again.
  const next = createQuestions(before);
  const left = [...before];
  expect(left).toHaveLength(13);
  for (const id of left) {
    // oxlint-disable-next-line no-await-in-loop -- one after the other
    expect(await next.about(id, () => fail(fault('bad_answer')))).toMatchObject({ code: 'unanswered' });
  }
  expect(await next.about('behind', () => Promise.resolve(1))).toEqual({ ok: true, value: 1 });
  await next.about('call_3', () => Promise.resolve(1));
  expect(before.has('call_3')).toBe(false);
});

test.each([
  fault('unauthorized', 401),
  fault('forbidden', 402),
  fault('refused', 402),
  // missing_permissions
  fault('forbidden', 401),
  new ProviderError('forbidden', 'It lacks a permission.', { status: 403, permission: 'convai_read' }),
  fault('busy', 429),
  // quota_exceeded
  fault('refused', 401),
])('a fault of the workspace ends all questions of its kind: $code $status', async (error) => {
  const { accounts, audio } = createRunQuestions();
  expect(await audio.about('a_call', () => fail(error))).toMatchObject({ code: 'unanswered', reason: error.message });
  expect([audio.fault(), accounts.fault()]).toEqual([error, undefined]);
  expect(await audio.about('another', answered)).toEqual({
    ok: false,
    code: 'unasked',
    reason: `not asked for, after an answer for another call: ${error.message}`,
  });
  expect(await audio.about('one that is here', answered, true)).toEqual({ ok: true, value: 1 });
  expect(await accounts.about('another', answered)).toEqual({ ok: true, value: 1 });
});

test('what is thrown that is no answer of the provider ends nothing by itself', async () => {
  const questions = createQuestions();
  await expect(questions.about('a_call', () => fail(new Error('The disk is gone.')))).rejects.toThrow(
    'The disk is gone.',
  );
  expect(questions.fault()).toBeUndefined();
});
