import { inject } from 'vitest';

/** Returns the URL of the same database of the run's Postgres behind PgBouncer; as it is where the tests run without one. */
export function pooled(databaseUrl: string): string {
  const pooler = inject('poolerUrl');
  if (pooler === '') return databaseUrl;
  return Object.assign(new URL(databaseUrl), { host: new URL(pooler).host }).href;
}
