export type { ApplicableEvent, ApplyOutcome } from './apply.ts';
export type { Beat, NextBeat } from './beat.ts';
export { migrationUrl, readDatabaseUrl, type DatabaseUrlOptions } from './database-url.ts';
export type { DeadListing, DeadPosition, DeadRecord } from './dead-statement.ts';
export { ConfigurationError, MigrationError, StoreError, type FaultClass } from './errors.ts';
export type { DeadEvent } from './ledger-statement.ts';
export { migrate } from './migrate.ts';
export { createStore, type Store, type StoreOptions } from './store.ts';
export { storeVariables } from './variables.ts';
