import { setTimeout as delay } from 'node:timers/promises';
import type { Store } from '@landline/store';
import { Gauge, type Registry } from 'prom-client';

/** How long a count stands, in milliseconds. */
const STANDS_MS = 15_000;

/** How long a count is waited for, in milliseconds: the other metrics must not be lost. */
const COUNT_LIMIT_MS = 1_000;

/**
 * Adds `landline_dead_events`: how many events are dead in the ledger, whatever became of their letters in Redis. While Postgres does not
 * answer the last count stands, for nothing changes it then; before the first there is no sample.
 */
export function addDeadEvents(registry: Registry, store: Pick<Store, 'countDead'>, standsMs = STANDS_MS): void {
  let countedAt = -Infinity;
  let counting: Promise<void> | undefined;
  let dead: number | undefined;

  async function count(): Promise<void> {
    dead = await store.countDead();
    countedAt = performance.now();
  }

  // oxlint-disable-next-line no-new -- it lives in the registry
  new Gauge({
    name: 'landline_dead_events',
    help: 'Events that are dead in the ledger; the last count while Postgres does not answer.',
    registers: [registry],
    async collect() {
      if (performance.now() - countedAt >= standsMs) {
        counting ??= count()
          .catch(() => undefined)
          .finally(() => (counting = undefined));
        await Promise.race([counting, delay(COUNT_LIMIT_MS, undefined, { ref: false })]);
      }
      if (dead === undefined) this.remove();
      else this.set(dead);
    },
  });
}
