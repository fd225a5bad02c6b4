import {
  acceptFetched,
  FETCH_CONVERSATION,
  fetchConversationKind,
  openAudioSink,
  OperationFailedError,
  RECONCILE,
  reconcileKind,
  type OperationKind,
  type OperationQueue,
  type ReconcilePorts,
} from '@landline/operations';
import type { Logger } from '@landline/process';
import { openProvider } from '@landline/provider';
import type { Task } from '@landline/queue';
import { createLargeBodies } from '@landline/recordings';
import type { Store } from '@landline/store';
import type { Delivery } from '@landline/webhook/delivery';
import { providerTask } from './provider-task.ts';

/** The provider, and how calls are compared with it. */
export interface ProviderSettings extends Pick<ReconcilePorts, 'windowHours' | 'keptDays'> {
  /** ELEVENLABS_API_KEY */
  apiKey: string;
  /** ELEVENLABS_API_URL */
  apiUrl: string;
  /** PUBLIC_URL */
  publicUrl?: string | undefined;
  /** RECONCILE_INTERVAL_MINUTES, in ms. */
  everyMs: number;
  /** Where fetched audio waits, a folder that no receiver uses: `fetchedSpool(SPOOL_DIR)`; and `SPOOL_LIMIT_BYTES`, of that folder. */
  spoolDir: string;
  spoolLimitBytes: number;
  /** The largest event of fetched audio, in bytes. */
  eventLimitBytes: number;
}

/** What calls are compared and fetched with. */
export interface ReconcilingOptions {
  settings: ProviderSettings;
  store: Pick<Store, 'reconcile' | 'ledger'>;
  queue: ReconcilePorts['queue'];
  letters: ReconcilePorts['letters'];
  /** RECORDINGS_URL; empty: audio is not kept, so none is fetched. */
  recordingsUrl: string;
  onFetched?: ReconcilePorts['onFetched'];
  logger: Logger;
}

/** Compares calls with the provider, and fetches what never came. */
export interface Reconciling {
  kinds: readonly OperationKind[];
  /** Looks at the provider's side. */
  look: Task;
  /** Opens the spool: what an ended process has left there moves on from here. */
  start(): void;
  /** Moves nothing more, and takes no more audio; what is in the spool stays for the next process. */
  leave(): Promise<void>;
  /** Ends what is asked of the provider. */
  close(): void;
}

/** Opens it; nothing is asked of the provider before the first run. */
export function openReconciling(options: ReconcilingOptions): Reconciling {
  const { settings, store, queue, letters, recordingsUrl, onFetched, logger } = options;
  const { apiKey, apiUrl, publicUrl, windowHours, keptDays, everyMs } = settings;
  const provider = openProvider({ apiKey, url: apiUrl });
  const bodies = recordingsUrl === '' ? undefined : openBodies(options);
  const ports: ReconcilePorts = {
    store: store.reconcile,
    ledger: store.ledger,
    provider,
    queue,
    letters,
    audio: bodies && openAudioSink({ spool: bodies.spool, limitBytes: settings.eventLimitBytes }),
    isSpooled: bodies && ((eventId) => bodies.spool.holds(eventId)),
    windowHours,
    keptDays,
    ...(onFetched && { onFetched }),
  };
  const looking = {
    store: store.reconcile,
    provider,
    publicUrl,
    windowHours,
    keepsAudio: recordingsUrl !== '',
    reconcileEveryMs: everyMs,
    logger,
  };
  return {
    kinds: [reconcileKind(ports), fetchConversationKind(ports)],
    look: providerTask(looking),
    start: () => void bodies?.open(),
    leave: async () => bodies?.close(),
    close: () => provider.close(),
  };
}

function openBodies({ settings, queue, recordingsUrl, logger }: ReconcilingOptions) {
  const { spoolDir, spoolLimitBytes } = settings;
  return createLargeBodies({
    spoolDir,
    spoolLimitBytes,
    recordingsUrl,
    accept: acceptWhereRoom(queue),
    onError: (error) => logger.error(error.message),
    onReady: () => logger.info('The spool takes bodies again'),
  });
}

/** What is fetched waits on the disk while Redis has no room for it beside the events. The mover tries again. */
export function acceptWhereRoom(queue: OperationQueue): (delivery: Delivery) => Promise<void> {
  const accept = acceptFetched(queue);
  return async (delivery) => {
    if (!(await queue.hasRoom())) throw new Error('Redis has no room for it beside the events.');
    await accept(delivery);
  };
}

/**
 * The kinds of a worker without a key: they are there, so that whoever asks for one reads why it cannot be, and none waits for ever where no worker has a key any more.
 * Where another worker has a key, that one takes it: it comes by its own clock, also where only some have restarted with the key.
 */
export const KINDS_WITHOUT_KEY: readonly OperationKind[] = [RECONCILE, FETCH_CONVERSATION].map((kind) => ({
  kind,
  isLastResort: true,
  run: () =>
    Promise.reject(
      new OperationFailedError(
        'ELEVENLABS_API_KEY is not set, so nothing can be asked of ElevenLabs. Set it for the workers, and restart them: docs/nothing-missing.md.',
      ),
    ),
}));
