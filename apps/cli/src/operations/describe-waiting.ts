import { FETCH_CONVERSATION, RECONCILE } from '@landline/operations';
import type { Operation, OperationStore } from '@landline/store';
import { describeProgress, duration } from './describe-operation.ts';

/** After this time without a worker that takes it, the operator is told, in ms: twice the time in which each worker with a key comes once. */
const NO_WORKER_MS = 30_000;

/** What only a worker with a key does. */
const WITH_KEY = [RECONCILE, FETCH_CONVERSATION];

/** What an operation is called; otherwise by its kind. */
const NOUNS: Readonly<Record<string, string>> = {
  reconcile: 'comparison',
  readmit: 'readmission',
  erase: 'erasure',
  retention: 'retention run',
  'fetch-conversation': 'fetch',
  'rebuild-conversation': 'rebuild',
};

/** With what it is said why an operation waits. */
export interface WaitingOptions {
  store: Pick<OperationStore, 'running'>;
  /** Whether a line shows what is returned. */
  isShown: boolean;
  /** Tells the operator beside the answer. */
  tell: (text: string) => void;
}

/**
 * Makes what says why a planned operation does not begin. Another one of its kind runs: where no line shows that, the operator is told of each once. No worker comes:
 * the operator is told once.
 */
export function describeWaiting({ store, isShown, tell }: WaitingOptions): (planned: Operation) => Promise<string> {
  const told = new Set<string>();
  const tellOnce = (what: string, text: string) => {
    if (!told.has(what)) tell(text);
    told.add(what);
  };
  let aloneSince = performance.now();
  return async (planned) => {
    const ahead = await store.running(planned.kind).catch(() => undefined);
    // It may have begun since it was read.
    if (ahead !== undefined && ahead.id !== planned.id) {
      aloneSince = performance.now();
      const text = `Waits for the ${describeAhead(ahead)}.`;
      if (!isShown) tellOnce(ahead.id, text);
      return text;
    }
    if (performance.now() - aloneSince > NO_WORKER_MS) {
      const one = WITH_KEY.includes(planned.kind) ? 'one with ELEVENLABS_API_KEY' : 'one';
      tellOnce('', `No worker has begun yet: see that ${one} runs.`);
    }
    return describeProgress(planned);
  };
}

/** Both times are the database's. */
function describeAhead({ id, kind, startedAt, updatedAt }: Operation): string {
  const seconds = (updatedAt - (startedAt ?? updatedAt)) / 1000;
  return `${NOUNS[kind] ?? kind} ${id.slice(0, 8)}, running for ${duration(seconds)}`;
}
