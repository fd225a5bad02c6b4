import { StoreError, type Store } from '@landline/store';
import type { WorkerMetrics } from '../metrics.ts';

/** The same store, which counts the transactions that fail, by the class of the fault. */
export function countFailures(store: Store, { postgresErrors }: Pick<WorkerMetrics, 'postgresErrors'>): Store {
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
    apply: (events) => counted(store.apply(events)),
    recordDead: (events) => counted(store.recordDead(events)),
    listDead: (page) => counted(store.listDead(page)),
    readDead: (ids) => counted(store.readDead(ids)),
    isDead: (id) => counted(store.isDead(id)),
    makeBodyPartitions: () => counted(store.makeBodyPartitions()),
    countDead: () => counted(store.countDead()),
    ping: () => counted(store.ping()),
    keepRejected: (row) => counted(store.keepRejected(row)),
    probe: () => counted(store.probe()),
  };
}
