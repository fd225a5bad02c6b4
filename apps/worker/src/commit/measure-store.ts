import { StoreError, type Store } from '@landline/store';
import type { WorkerMetrics } from '../metrics.ts';

/** The same store, which counts its transactions' sizes and its failures. */
export function measureStore(store: Store, { transactionEvents, postgresErrors }: WorkerMetrics): Store {
  async function counted<T>(work: Promise<T>): Promise<T> {
    try {
      return await work;
    } catch (error) {
      if (error instanceof StoreError) postgresErrors.inc({ class: error.faultClass });
      throw error;
    }
  }

  return {
    ...store,
    async apply(events) {
      const outcomes = await counted(store.apply(events));
      transactionEvents.observe(events.length);
      return outcomes;
    },
    recordDead: (events) => counted(store.recordDead(events)),
    listDead: (page) => counted(store.listDead(page)),
    readDead: (ids) => counted(store.readDead(ids)),
    isDead: (id) => counted(store.isDead(id)),
    countDead: () => counted(store.countDead()),
    ping: () => counted(store.ping()),
    probe: () => counted(store.probe()),
  };
}
