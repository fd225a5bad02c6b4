import {
  forgetJobs,
  forgetRequests,
  openTrackedJobs,
  type DeadLetters,
  type QueueServers,
  type Task,
} from '@landline/queue';
import {
  codeOfFold,
  eraseKind,
  openRemover,
  readmitKind,
  rebuildConversationKind,
  rebuildKind,
  replayKind,
  retentionKind,
  tidyRebuilds,
  type ErasePorts,
  type OperationKind,
  type ReplayLetters,
  type RetentionPorts,
} from '@landline/operations';
import type { Logger } from '@landline/process';
import { openConversationRebuilds, openRebuilds, type Store } from '@landline/store';
import { letterOf } from '../dead-letters/letter-of.ts';
import {
  KINDS_WITHOUT_KEY,
  openReconciling,
  type ProviderSettings,
  type ReconcilingOptions,
} from '../reconcile/open-reconciling.ts';
import type { Diagnosing } from '../rejected/process-rejected.ts';
import { RECORDINGS_TASK, recordingsTask } from './recordings-to-remove.ts';

/** How often rebuilt tables are dropped that nobody swaps any more, in ms. */
const TIDY_MS = 600_000;

/** What the kinds of operations work with. */
export interface KindsOptions {
  databaseUrl: string;
  store: Pick<Store, 'operations' | 'readDead' | 'recordingsToRemove' | 'rejectedPage' | 'markReadmitted'> &
    ErasePorts['store'] &
    RetentionPorts['store'] &
    ReconcilingOptions['store'];
  /** What readmitted requests are verified with. */
  accepting: Diagnosing;
  deadLetters: Pick<DeadLetters, 'remove' | 'add' | 'sweep'>;
  /** RECORDINGS_URL; undefined: none. */
  recordingsUrl?: string | undefined;
  /** Undefined: there is no key of the provider. */
  provider?: ProviderSettings | undefined;
  onFetched?: ReconcilingOptions['onFetched'];
  servers: QueueServers;
  logger: Logger;
}

/** The kinds of operations, and what recurs for their sake. */
export interface OpenKinds {
  kinds: readonly OperationKind[];
  tasks: Readonly<Record<string, Task>>;
  /** Looks at the provider's side; undefined: there is no key. */
  look: Task | undefined;
  /** Begins to move on what an ended process has left. */
  start(): void;
  /** Finishes what must not wait for the operations to end. Call it before `close`, and while they end. */
  leave(): Promise<void>;
  close(): Promise<void>;
}

/** Opens what the kinds of operations work with; each part connects with its first use. */
export function openKinds(options: KindsOptions): OpenKinds {
  const { databaseUrl, store, accepting, deadLetters, recordingsUrl = '', servers, logger } = options;
  const { provider: settings, onFetched } = options;
  const queue = openTrackedJobs(servers);
  const storage = openRemover(recordingsUrl);
  const removing = { recordings: store.recordingsToRemove, storage };
  const erasing: ErasePorts = {
    ...removing,
    store,
    forgetJobs: (decide, signal) => forgetJobs({ servers, decide, signal }),
    forgetRequests: (decide, signal) => forgetRequests({ servers, decide, signal }),
  };
  const rebuilds = openRebuilds({ databaseUrl });
  const conversations = openConversationRebuilds({ databaseUrl });
  const rebuilding = { rebuilds, code: codeOfFold };
  const reconciling =
    settings && openReconciling({ settings, store, queue, letters: deadLetters, recordingsUrl, onFetched, logger });
  return {
    kinds: [
      replayKind({ ledger: store.ledger, queue, letters: lettersOf(store, deadLetters) }),
      readmitKind({ rejected: store, ledger: store.ledger, queue, accepting }),
      rebuildKind(rebuilding),
      rebuildConversationKind({ conversations }),
      eraseKind(erasing),
      retentionKind({ store, letters: deadLetters, storage }),
      ...(reconciling?.kinds ?? KINDS_WITHOUT_KEY),
    ],
    tasks: {
      [RECORDINGS_TASK]: recordingsTask(removing, logger),
      'old-rebuilds': { everyMs: TIDY_MS, run: (signal) => tidyRebuilds(store.operations, rebuilding, signal) },
    },
    look: reconciling?.look,
    start: () => reconciling?.start(),
    leave: async () => reconciling?.leave(),
    async close() {
      reconciling?.close();
      await Promise.all([queue.close(), rebuilds.close(), conversations.close()]);
      storage.close();
    },
  };
}

function lettersOf(store: Pick<Store, 'readDead'>, deadLetters: Pick<DeadLetters, 'remove' | 'add'>): ReplayLetters {
  return {
    remove: (ids) => deadLetters.remove(ids),
    async renew(ids) {
      // A letter that a worker has just now stays: it will say the same.
      await deadLetters.remove(ids);
      await deadLetters.add((await store.readDead(ids)).flatMap(letterOf));
    },
  };
}
