import type { ReconcileStore } from '@landline/store';
import type { OperationContext } from '../operation-kind.ts';

/** What a run uses of the store. */
export type RunStore = Pick<
  ReconcileStore,
  | 'known'
  | 'unfinished'
  | 'neverCompared'
  | 'noteListed'
  | 'judge'
  | 'markErased'
  | 'wasErasedSince'
  | 'fetchedSince'
  | 'writeRun'
  | 'lastGoodRun'
  | 'lastWholeRun'
  | 'oldestWindow'
  | 'firstRunAt'
>;

/** Returns the store, each method of which runs again and again while Postgres is away. */
export function retryingStore(store: RunStore, { retry }: Pick<OperationContext, 'retry'>): RunStore {
  return {
    known: (ids) => retry(() => store.known(ids)),
    unfinished: (page) => retry(() => store.unfinished(page)),
    neverCompared: (page) => retry(() => store.neverCompared(page)),
    noteListed: (calls) => retry(() => store.noteListed(calls)),
    judge: (verdicts, reasons) => retry(() => store.judge(verdicts, reasons)),
    markErased: (ids, said) => retry(() => store.markErased(ids, said)),
    wasErasedSince: (person, since) => retry(() => store.wasErasedSince(person, since)),
    fetchedSince: (since) => retry(() => store.fetchedSince(since)),
    writeRun: (run) => retry(() => store.writeRun(run)),
    lastGoodRun: () => retry(() => store.lastGoodRun()),
    lastWholeRun: (hours) => retry(() => store.lastWholeRun(hours)),
    oldestWindow: () => retry(() => store.oldestWindow()),
    firstRunAt: () => retry(() => store.firstRunAt()),
  };
}
