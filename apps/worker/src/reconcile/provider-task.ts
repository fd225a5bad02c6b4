import { checkProvider, type ProviderCheckPorts } from '@landline/operations';
import type { Logger } from '@landline/process';
import type { Task } from '@landline/queue';
import type { ReconcileStore } from '@landline/store';

/** How often the provider's side is looked at, in ms. */
const LOOK_MS = 300_000;

/** How often a worker asks whether a look is due, in ms: another worker, which may be gone, has looked last. */
const COME_MS = 60_000;

/** How long ago the last look must have begun, in ms. It is less than `LOOK_MS`: a worker that comes once a minute shall not be a minute late. */
const LEAST_MS = LOOK_MS * 0.9;

/** What the task works with. */
export interface ProviderTaskOptions extends Pick<
  ProviderCheckPorts,
  'provider' | 'publicUrl' | 'windowHours' | 'keepsAudio'
> {
  /** RECONCILE_INTERVAL_MINUTES, in ms: it is saved with what was found, so that others can tell when a comparison is late. */
  reconcileEveryMs: number;
  store: Pick<ReconcileStore, 'beginProviderCheck' | 'saveProviderCheck' | 'refusedBetween' | 'arrivals'>;
  logger: Logger;
}

/**
 * Makes the task that looks at the provider's side, and saves what it has found. Where a worker has begun a look shortly before, it does nothing: however many
 * workers come, one begins a look. A look that ends early, with its worker, is made up for at the next time. Faults are logged once, until others are found.
 */
export function providerTask({ reconcileEveryMs, store, logger, ...ports }: ProviderTaskOptions): Task {
  let logged = '';
  let looking: Promise<void> | undefined;

  async function look(signal: AbortSignal): Promise<void> {
    if (!(await store.beginProviderCheck(LEAST_MS))) return;
    const { refusedBetween, arrivals } = store;
    const check = await checkProvider({ ...ports, refusedBetween, arrivals, now: Date.now() }, signal);
    await store.saveProviderCheck({ ...check, reconcileEveryMs });
    const faults = check.findings.filter(({ level }) => level === 'fault').map(({ code }) => code);
    if (faults.join() === logged) return;
    logged = faults.join();
    if (faults.length === 0) logger.info('At ElevenLabs all is as it should be again');
    else logger.warn({ faults }, 'At ElevenLabs something must be mended: see npm run landline -- provider');
  }

  return {
    everyMs: COME_MS,
    // A look may last longer than that.
    run: (signal) => (looking ??= look(signal).finally(() => (looking = undefined))),
  };
}
