import { SCHEDULE } from '@landline/store';
import { OperationFailedError, OperationStoppedError } from '../errors.ts';
import { createJobAdder } from '../job-adder.ts';
import type { OperationContext, OperationKind } from '../operation-kind.ts';
import { createRunQuestions, noneUnanswered, type Unanswered } from './ask-about-call.ts';
import { beginComparison } from './begin-comparison.ts';
import { endOf } from './call-facts.ts';
import { compareWithProvider, type ComparedCall } from './compare.ts';
import { fetchCalls } from './fetch-calls.ts';
import type { FetchOutcome, Fetching } from './fetching.ts';
import { createHandedOver, type HandedOver } from './handed-over.ts';
import { completenessOf } from './judge-call.ts';
import type { ReconcilePorts } from './reconcile-ports.ts';
import { readReconcileWords, RECONCILE } from './reconcile-words.ts';
import { retryingStore } from './retrying-store.ts';
import { createRunRecord, type RunRecord } from './run-record.ts';

/** Calls that are fetched together. */
const BATCH = 20;

/**
 * Makes the kind of operations that compares calls with the provider, and fetches what never came.
 *
 * - Each page of calls is compared, what is missing of them is fetched, and all of them are judged, before the next page is asked for.
 * - A call that the provider does not answer for stays missing, and is named: the run is good all the same, for it has looked at the whole list.
 * - Where the provider refuses all accounts, or all audio, no more of these is asked for. All calls are listed and judged, and the run ends with that error.
 * - A worker that takes over begins anew: what is here by then is not fetched again, and what comes twice is a duplicate.
 * - `total` counts the calls of which something was missing, `done` those that are complete now, `failed` those that are not.
 */
export function reconcileKind(ports: ReconcilePorts): OperationKind {
  const memory = { handedOver: createHandedOver(), unanswered: noneUnanswered() };
  return { kind: RECONCILE, run: (context) => runReconcile(context, ports, memory) };
}

/** What one run tells the next one of this process. */
interface Memory {
  handedOver: HandedOver;
  /** The calls that had no answer. */
  unanswered: Unanswered;
}

async function runReconcile(context: OperationContext, ports: ReconcilePorts, memory: Memory): Promise<void> {
  const { handedOver, unanswered } = memory;
  const { since } = readReconcileWords(context.operation.filter);
  const { provider, keptDays, windowHours, mostCheap } = ports;
  const store = retryingStore(ports.store, context);
  const judged = { now: Date.now(), keepsAudio: ports.audio !== undefined, keptDays };
  const isScheduled = context.operation.requestedBy === SCHEDULE;
  const comparison = await beginComparison({ store, windowHours, since, isScheduled, mostCheap, ...judged });
  const questions = createRunQuestions(unanswered);
  const add = createJobAdder(context, ports.queue);
  const record = createRunRecord({ context, store, window: comparison.window });
  const run: Run = {
    context,
    ports,
    store,
    questions,
    rules: comparison.rules,
    add,
    handedOver,
    isAgain: false,
    record,
  };
  await record.write();
  try {
    const { signal } = context;
    const onUnreadable = (count: number) => record.unreadable(count);
    const comparing = { store, provider, questions: questions.accounts, ...comparison, signal, onUnreadable };
    for await (const page of compareWithProvider(comparing)) {
      await takePage(page, run);
      await record.write();
    }
    const fault = questions.accounts.fault() ?? questions.audio.fault() ?? run.spoolFault;
    if (fault !== undefined) throw fault;
  } catch (error) {
    throw await endBadly(error, run);
  }
  await record.end(null);
}

interface Run extends Fetching {
  record: RunRecord;
}

/** Writes why a run ends, and returns that. Where another worker goes on, the row stays open. */
async function endBadly(error: unknown, { context, record, ports }: Run): Promise<unknown> {
  const { signal } = context;
  if (signal.aborted) {
    const { reason } = signal;
    const isCancelled = reason instanceof OperationStoppedError && reason.code === 'cancelled';
    // Where Postgres is away, the row stays open.
    if (isCancelled) await tried(ports.store.writeRun(record.cancelled()));
    return error;
  }
  const reason = error instanceof Error ? error.message : String(error);
  const message = await record.end(reason);
  return new OperationFailedError(`${reason} ${message}`.trim(), { cause: error });
}

async function tried(row: Promise<void>): Promise<void> {
  await row.catch(() => undefined);
}

/** Fetches what is missing of the calls of a page, and writes how complete all of them are. */
async function takePage(page: readonly ComparedCall[], run: Run): Promise<void> {
  const { record } = run;
  const wanted = page.filter(({ verdict }) => verdict === 'missing' || verdict === 'without_recording');
  const others = page.filter((call) => !wanted.includes(call));
  record.listed(page.filter(({ listed }) => listed !== undefined).length);
  record.wanted(wanted.length);
  await judge(others, new Map(), run);
  for (const call of others) record.judged(call, call.verdict);
  for (let i = 0; i < wanted.length; i += BATCH) {
    // oxlint-disable-next-line no-await-in-loop -- one batch after the other
    await takeBatch(wanted.slice(i, i + BATCH), run);
  }
}

async function takeBatch(calls: readonly ComparedCall[], run: Run): Promise<void> {
  const { record, ports } = run;
  const { outcomes, failure } = await fetchCalls(calls, run);
  await judge(calls, outcomes, run);
  for (const [id, outcome] of outcomes) record.fetched(id, outcome);
  const fetched = calls.filter(({ id }) => outcomes.get(id)?.isFetched === true);
  if (fetched.length > 0) ports.onFetched?.({ calls: fetched.length, missed: await countMissed(fetched, run) });
  if (failure !== undefined) throw failure.error;
}

/** Only fetching can bring a call that is older than the webhook. Nobody knows how old that is: a call counts that ended since the first comparison began. */
async function countMissed(calls: readonly ComparedCall[], { store }: Run): Promise<number> {
  const firstAt = (await store.firstRunAt()) ?? -Infinity;
  return calls.filter((call) => endOf(call, call.account) >= firstAt).length;
}

/** Writes how complete calls are, and why those that lack something do. One of which no event is here gets its row from the list. */
async function judge(
  calls: readonly ComparedCall[],
  outcomes: ReadonlyMap<string, Pick<FetchOutcome, 'verdict' | 'reason'>>,
  { store, context }: Run,
): Promise<void> {
  const written = calls.flatMap((call) => {
    const { verdict, reason } = outcomes.get(call.id) ?? call;
    const completeness = completenessOf(verdict);
    return completeness === undefined ? [] : [{ call, completeness, reason }];
  });
  const noted = written.flatMap(({ call: { listed, known }, completeness }) =>
    listed !== undefined && known?.hasAccount !== true && completeness !== 'complete' ? [listed] : [],
  );
  // Of one that is missing still, or unfetchable for another reason, the reason may have changed.
  const changed = written.filter(
    ({ call: { known }, completeness, reason }) =>
      known?.completeness !== completeness || completeness === 'missing' || reason !== undefined,
  );
  await context.hold();
  if (noted.length > 0) await store.noteListed(noted);
  if (changed.length === 0) return;
  const reasons = changed.flatMap(({ call: { id }, reason }) => (reason === undefined ? [] : [[id, reason] as const]));
  await store.judge(new Map(changed.map(({ call: { id }, completeness }) => [id, completeness])), new Map(reasons));
}
