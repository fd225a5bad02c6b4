import { randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { migrate } from '@landline/store';
import { expect, inject, onTestFinished, test } from 'vitest';
import { runSql } from './support/run-sql.ts';

const [make = '', takeOver = ''] = [
  ...readFileSync(new URL('../docs/postgres.md', import.meta.url), 'utf8').matchAll(/```sql\n([^]*?)```/g),
].map(([, sql]) => sql);

/** Makes an empty database, and the documentation's SQL with role names of this test's own. */
async function given() {
  const name = `doc${randomUUID().replaceAll('-', '')}`;
  await runSql(inject('databaseUrl'), `CREATE DATABASE ${name} TEMPLATE template0`);
  onTestFinished(async () => {
    await runSql(inject('databaseUrl'), `DROP DATABASE ${name} WITH (FORCE)`);
    await runSql(inject('databaseUrl'), `DROP ROLE ${name}_owner, ${name}_worker, ${name}_reader`);
  });
  const url = new URL(inject('databaseUrl'));
  url.pathname = name;
  const asTyped = (sql: string) =>
    sql
      .replaceAll(/landline_(owner|worker|reader)/g, `${name}_$1`)
      .replaceAll('DATABASE landline', `DATABASE ${name}`)
      .replaceAll('…', 'typed');
  const urlOf = (role: string) => {
    const own = new URL(url);
    [own.username, own.password] = [`${name}_${role}`, 'typed'];
    return own.href;
  };
  return { admin: url.href, asTyped, urlOf };
}

async function expectRoles(urlOf: (role: string) => string): Promise<void> {
  const insert = `INSERT INTO user_profiles (user_id, first_seen_at, last_seen_at) VALUES ('u', now(), now())`;
  const denied = { code: '42501' };
  await runSql(urlOf('worker'), insert);
  expect(await runSql(urlOf('reader'), 'SELECT user_id FROM user_profiles')).toEqual([{ user_id: 'u' }]);
  await expect(runSql(urlOf('worker'), 'CREATE TABLE mine (id int)')).rejects.toMatchObject(denied);
  await expect(runSql(urlOf('reader'), 'BEGIN READ WRITE; DELETE FROM user_profiles')).rejects.toMatchObject(denied);
  await runSql(urlOf('owner'), 'ALTER TABLE user_profiles ADD COLUMN shoe_size int');
}

test('the SQL of docs/postgres.md makes the roles in an empty database', async () => {
  const { admin, asTyped, urlOf } = await given();
  await runSql(admin, asTyped(make));
  expect((await migrate(urlOf('owner'))).applied).not.toEqual([]);
  await expectRoles(urlOf);
});

test('the SQL of docs/postgres.md takes over the tables of an older version', async () => {
  const { admin, asTyped, urlOf } = await given();
  await migrate(admin);
  await runSql(admin, asTyped(make));
  await runSql(admin, asTyped(takeOver));
  expect(await migrate(urlOf('worker'))).toEqual({ applied: [] });
  await runSql(urlOf('owner'), 'ALTER TABLE landline_beat ADD COLUMN shoe_size int');
  await expectRoles(urlOf);
});
