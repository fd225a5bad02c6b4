import { randomUUID } from 'node:crypto';
import { inject, onTestFinished } from 'vitest';
import { runSql } from '../../../../test/support/run-sql.ts';

/** An empty database that no migration has seen, with this `?schema=`; it goes when the running test ends. Answers its URL. */
export async function emptyDatabase(schema?: string): Promise<string> {
  const name = `empty_${randomUUID().replaceAll('-', '')}`;
  await runSql(inject('databaseUrl'), `CREATE DATABASE ${name} TEMPLATE template0`);
  onTestFinished(async () => void (await runSql(inject('databaseUrl'), `DROP DATABASE ${name} WITH (FORCE)`)));
  const url = new URL(inject('databaseUrl'));
  url.pathname = name;
  if (schema !== undefined) url.searchParams.set('schema', schema);
  return url.href;
}

/** Makes a role that may log in, for the running test; answers its name and `url` with it. */
export async function loginRole(url: string): Promise<{ role: string; url: string }> {
  const role = `role_${randomUUID().replaceAll('-', '')}`;
  await runSql(url, `CREATE ROLE ${role} LOGIN PASSWORD 'secret'`);
  onTestFinished(async () => {
    await runSql(url, `DROP OWNED BY ${role} CASCADE`);
    await runSql(url, `DROP ROLE ${role}`);
  });
  const own = new URL(url);
  own.username = role;
  own.password = 'secret';
  return { role, url: own.href };
}
