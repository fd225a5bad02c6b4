import { checkProvider, type ProviderCheckPorts } from '@landline/operations';
import type { Logger } from '@landline/process';
import type { Task } from '@landline/queue';
import type { ReconcileStore } from '@landline/store';

/** How often the provider's side is looked at, in ms. */
const LOOK_MS = 300_000;

/** The share of that which must have passed since the last look: of several shards, each has a tick of its own. */
const LEAST_SHARE = 0.9;

/** The task that looks at the provider's side. */
export const PROVIDER_TASK = 'provider';

/** What the task works with. */
export interface ProviderTaskOptions extends Pick<
  ProviderCheckPorts,
  'provider' | 'publicUrl' | 'windowHours' | 'keepsAudio'
> {
  /** RECONCILE_INTERVAL_MINUTES, in ms: it is saved with what was found, so that others can tell when a comparison is late. */
  reconcileEveryMs: number;
  store: Pick<ReconcileStore, 'readProviderCheck' | 'saveProviderCheck' | 'refusedBetween'>;
  logger: Logger;
}

/**
 * Makes the task that looks at the provider's side, and saves what it has found. Where somebody has just looked, it does nothing. Faults are logged once, until others
 * are found.
 */
export function providerTask({ reconcileEveryMs, store, logger, ...ports }: ProviderTaskOptions): Task {
  let logged = '';
  let looking: Promise<void> | undefined;

  async function look(signal: AbortSignal): Promise<void> {
    const last = await store.readProviderCheck();
    // Of another clock, the time may lie ahead: then it says nothing.
    const age = Date.now() - (last?.savedAt ?? 0);
    if (age >= 0 && age < LOOK_MS * LEAST_SHARE) return;
    const { refusedBetween } = store;
    const check = await checkProvider({ ...ports, refusedBetween, now: Date.now() }, signal);
    await store.saveProviderCheck({ ...check, reconcileEveryMs });
    const faults = check.findings.filter(({ level }) => level === 'fault').map(({ code }) => code);
    if (faults.join() === logged) return;
    logged = faults.join();
    if (faults.length === 0) logger.info('At the provider all is as it should be again');
    else logger.warn({ faults }, 'At the provider something must be mended: see npm run landline -- provider');
  }

  return {
    everyMs: LOOK_MS,
    // Ticks of several shards may come at once.
    run: (signal) => (looking ??= look(signal).finally(() => (looking = undefined))),
  };
}
