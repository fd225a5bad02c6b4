export type { ApplicableEvent, ApplyOutcome } from './apply.ts';
export { MigrationError, StoreError, type FaultClass } from './errors.ts';
export type { DeadEvent } from './ledger-statement.ts';
export { migrate } from './migrate.ts';
export { readQuery } from './read-query.ts';
export { ROLES, type Role } from './role-statements.ts';
export { makeRoles, type RoleOptions } from './roles.ts';
export { createStore, type Store, type StoreOptions } from './store.ts';
export { storeVariables } from './variables.ts';
