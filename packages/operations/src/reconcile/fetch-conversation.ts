import { OperationFailedError } from '../errors.ts';
import { createJobAdder } from '../job-adder.ts';
import type { OperationContext, OperationKind } from '../operation-kind.ts';
import { createRunQuestions } from './ask-about-call.ts';
import type { ComparedCall } from './compare.ts';
import { fetchCalls } from './fetch-calls.ts';
import type { FetchOutcome } from './fetching.ts';
import { createHandedOver } from './handed-over.ts';
import { completenessOf, isTooOld } from './judge-call.ts';
import type { ReconcilePorts } from './reconcile-ports.ts';
import { FETCH_CONVERSATION, readConversationWord } from './reconcile-words.ts';
import { retryingStore } from './retrying-store.ts';

/**
 * Makes the kind of operations that fetches one conversation again: its account, and its audio where that is expected and not here, however complete it
 * is. One that was erased is not asked for. It fails where the conversation is not complete afterwards; the message says why.
 */
export function fetchConversationKind(ports: ReconcilePorts): OperationKind {
  return { kind: FETCH_CONVERSATION, run: (context) => runFetch(context, ports) };
}

async function runFetch(context: OperationContext, ports: ReconcilePorts): Promise<void> {
  const id = readConversationWord(context.operation.filter);
  const store = retryingStore(ports.store, context);
  const rules = { now: Date.now(), keepsAudio: ports.audio !== undefined, keptDays: ports.keptDays };
  const known = (await store.known([id])).get(id);
  if (known?.isErased === true) throw new OperationFailedError('The conversation was erased. It is not fetched.');
  if (known !== undefined && isTooOld(known.startedAt, rules)) throw tooOld();
  context.report({ total: 1 });
  const call: ComparedCall = { id, verdict: 'missing', startedAt: known?.startedAt ?? rules.now, known };
  const { outcomes, failure } = await fetchCalls([call], {
    context,
    ports,
    store,
    questions: createRunQuestions(),
    rules,
    add: createJobAdder(context, ports.queue),
    handedOver: createHandedOver(),
    isAgain: true,
  });
  if (failure !== undefined) throw failure.error;
  const outcome = outcomes.get(id) ?? { verdict: 'missing', isFetched: false };
  const completeness = completenessOf(outcome.verdict);
  const isBetter = outcome.verdict === 'complete' || known?.hasAccount !== true;
  // Of one that is as it was, the reason may be another.
  if (completeness !== undefined && (isBetter || completeness === known.completeness)) {
    const reasons = outcome.reason === undefined ? [] : [[id, outcome.reason] as const];
    await store.judge(new Map([[id, completeness]]), new Map(reasons));
  }
  // One that was complete before is not made so.
  if (outcome.isFetched && known?.completeness !== 'complete') ports.onFetched?.({ calls: 1, missed: 0 });
  finish(outcome, context);
}

function tooOld(): OperationFailedError {
  return new OperationFailedError('The conversation is older than CONVERSATION_RETENTION_DAYS. It is not fetched.');
}

/** @throws OperationFailedError where the conversation is not complete */
function finish({ verdict, reason }: FetchOutcome, { report }: OperationContext): void {
  if (verdict === 'complete') return report({ done: 1, message: 'The conversation was fetched.' });
  report({ failed: 1 });
  if (verdict === 'open') throw new OperationFailedError('The call goes on, or ElevenLabs is not through with it.');
  if (verdict === 'erased') {
    throw new OperationFailedError('A person of this call was erased since it began. Nothing of it is kept.');
  }
  if (verdict === 'too_old') throw tooOld();
  const why = (reason ?? 'its audio was not fetched').replace(/\.$/, '');
  throw new OperationFailedError(`The conversation is not complete: ${why}.`);
}
