import { setTimeout as delay } from 'node:timers/promises';
import type { RetentionStore } from '@landline/store';
import { Gauge, type Registry } from 'prom-client';

/** How long an answer stands, in milliseconds; the age grows meanwhile. */
const STANDS_MS = 15_000;

/** How long an answer is waited for, in milliseconds: the other metrics must not be lost. */
const ANSWER_LIMIT_MS = 1_000;

/**
 * Adds `landline_retention_age_seconds`: how long ago the newest run of retention ended well, whichever worker ran it; before the first, how long
 * ago one was asked for. While Postgres does not answer, the last answer goes on growing. There is no sample before any run.
 */
export function addRetentionAge(registry: Registry, store: Pick<RetentionStore, 'runAge'>, standsMs = STANDS_MS): void {
  let askedAt = -Infinity;
  let asking: Promise<void> | undefined;
  /** When that run ended, by this process's own clock of `performance`. */
  let endedAt: number | undefined;

  async function ask(): Promise<void> {
    const age = await store.runAge();
    askedAt = performance.now();
    endedAt = age === undefined ? undefined : askedAt - age * 1000;
  }

  // oxlint-disable-next-line no-new -- it lives in the registry
  new Gauge({
    name: 'landline_retention_age_seconds',
    help: 'Seconds since the newest run of retention ended well, or since the first was asked for.',
    registers: [registry],
    async collect() {
      if (performance.now() - askedAt >= standsMs) {
        asking ??= ask()
          .catch(() => undefined)
          .finally(() => (asking = undefined));
        await Promise.race([asking, delay(ANSWER_LIMIT_MS, undefined, { ref: false })]);
      }
      if (endedAt === undefined) this.remove();
      else this.set(Math.max(0, performance.now() - endedAt) / 1000);
    },
  });
}
