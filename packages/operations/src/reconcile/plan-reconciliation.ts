import type { ReconcileStore, UnfetchableCall } from '@landline/store';
import { createQuestions } from './ask-about-call.ts';
import { beginComparison } from './begin-comparison.ts';
import { compareWithProvider, type CompareOptions, type ComparedCall } from './compare.ts';
import type { Rules } from './judge-call.ts';

/** Unfetchable calls that are read together. */
const UNFETCHABLE_PAGE = 1_000;

/** What a comparison has found: ids of conversations, each in one list, and how many are complete. */
export interface ReconcilePlan {
  /** Their accounts never came, or came without the turns that the provider has. */
  missing: string[];
  /** Their accounts are here, and their audio never came. */
  withoutRecording: string[];
  /** They go on, or are too young to be missed. */
  waiting: string[];
  /** Something of them never came, and the provider does not have it, or what it gave cannot be applied: all of them, whenever they began, by their ids. */
  unfetchable: UnfetchableCall[];
  complete: number;
  /** The provider lists them, and they were erased here: nobody asks for them. */
  erased: number;
}

/** What a plan is made of. */
export interface PlanOptions extends Omit<Rules, 'now' | 'asksAgain'>, Pick<CompareOptions, 'provider' | 'signal'> {
  store: CompareOptions['store'] &
    Pick<ReconcileStore, 'unfetchable' | 'lastGoodRun' | 'lastWholeRun' | 'oldestWindow'>;
  /** RECONCILE_WINDOW_HOURS */
  windowHours: number;
  /** Unix milliseconds; undefined: the window of the schedule. */
  since?: number | undefined;
  now?: number | undefined;
}

/** Says what a run would find and fetch, by asking the provider; changes nothing. @throws as `compareWithProvider`; ProviderError where accounts are refused for all calls */
export async function planReconciliation(options: PlanOptions): Promise<ReconcilePlan> {
  const { store, provider, windowHours, since, now = Date.now(), keepsAudio, keptDays, signal } = options;
  const comparison = await beginComparison({ store, windowHours, since, now, keepsAudio, keptDays });
  const plan: ReconcilePlan = {
    missing: [],
    withoutRecording: [],
    waiting: [],
    unfetchable: [],
    complete: 0,
    erased: 0,
  };
  const otherwise = new Set<string>();
  const questions = createQuestions();
  for await (const page of compareWithProvider({ store, provider, questions, ...comparison, signal })) {
    const fault = questions.fault();
    if (fault !== undefined) throw fault;
    for (const call of page) {
      // Nothing was written, so one that was listed comes again among those that were never compared.
      const isCounted = call.listed !== undefined || call.verdict !== 'complete' || call.startedAt < comparison.since;
      if (isCounted) addToPlan(plan, call);
      if (call.known?.completeness === 'unfetchable' && call.verdict !== 'unfetchable') otherwise.add(call.id);
    }
  }
  await addKnownUnfetchable(plan, otherwise, store);
  return plan;
}

/** Adds those that earlier comparisons have found, and this one did not find otherwise. */
async function addKnownUnfetchable(
  plan: ReconcilePlan,
  otherwise: ReadonlySet<string>,
  store: Pick<PlanOptions['store'], 'unfetchable'>,
): Promise<void> {
  const found = new Map(plan.unfetchable.map((call) => [call.id, call]));
  for await (const { id, reason } of allUnfetchable(store)) {
    if (!otherwise.has(id)) found.set(id, { id, reason: found.get(id)?.reason ?? reason });
  }
  plan.unfetchable = [...found.values()].toSorted((a, b) => (a.id < b.id ? -1 : 1));
}

async function* allUnfetchable(store: Pick<PlanOptions['store'], 'unfetchable'>): AsyncGenerator<UnfetchableCall> {
  let after: string | undefined;
  do {
    // oxlint-disable-next-line no-await-in-loop -- page after page
    const page: UnfetchableCall[] = await store.unfetchable({ after, limit: UNFETCHABLE_PAGE });
    yield* page;
    after = page.length < UNFETCHABLE_PAGE ? undefined : page.at(-1)?.id;
  } while (after !== undefined);
}

function addToPlan(plan: ReconcilePlan, { id, verdict, reason }: ComparedCall): void {
  if (verdict === 'complete') plan.complete += 1;
  else if (verdict === 'erased') plan.erased += 1;
  else if (verdict === 'missing') plan.missing.push(id);
  else if (verdict === 'without_recording') plan.withoutRecording.push(id);
  else if (verdict === 'unfetchable') plan.unfetchable.push({ id, reason: reason ?? null });
  else if (verdict === 'open' || verdict === 'waiting') plan.waiting.push(id);
}
