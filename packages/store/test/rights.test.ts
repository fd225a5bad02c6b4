import { expect, onTestFinished, test } from 'vitest';
import { runSql } from '../../../test/support/run-sql.ts';
import { migrate } from '../src/schema/migrate.ts';
import { createStore } from '../src/store.ts';
import { anEvent } from './support/an-event.ts';
import { emptyDatabase, loginRole } from './support/empty-database.ts';

/** The GRANTs that a message tells the administrator to run. */
const grantsIn = (text: string) => text.match(/GRANT [^;]+;/g)?.join(' ') ?? '';

const messageOf = (work: Promise<unknown>) =>
  work.then(
    () => 'it succeeded',
    (error: unknown) => (error instanceof Error ? error.message : String(error)),
  );

test('a user without CREATE on public, as Postgres 15 makes them, is told which GRANT; with it the tables are made', async () => {
  const url = await emptyDatabase();
  const own = await loginRole(url);
  await runSql(url, 'REVOKE CREATE ON SCHEMA public FROM PUBLIC');
  const message = await messageOf(migrate(own.url));
  expect(message).toContain(`GRANT USAGE, CREATE ON SCHEMA public TO ${own.role};`);
  await runSql(url, grantsIn(message));
  expect((await migrate(own.url)).applied.length).toBeGreaterThan(0);
});

test('a user who may not make the schema of ?schema= is told which GRANT', async () => {
  const url = await emptyDatabase('calls');
  const own = await loginRole(url);
  const message = await messageOf(migrate(own.url));
  expect(message).toMatch(/GRANT CREATE ON DATABASE empty_\w+ TO role_\w+;/);
  await runSql(url, grantsIn(message));
  expect((await migrate(own.url)).applied.length).toBeGreaterThan(0);
});

test('a user who may not write to the tables is told which GRANT', async () => {
  const url = await emptyDatabase('calls');
  await migrate(url);
  const own = await loginRole(url);
  const store = createStore({ databaseUrl: own.url });
  onTestFinished(() => store.close());
  const event = anEvent({ type: 'conversation.message', data: { conversation_id: 'c' } });
  const refused: unknown = await store.apply([event]).catch((error: unknown) => error);
  expect(refused).toMatchObject({ faultClass: 'configuration', advice: expect.stringContaining('GRANT') });
  await runSql(url, grantsIn(refused instanceof Error && 'advice' in refused ? String(refused.advice) : ''));
  expect([...(await store.apply([event])).values()]).toEqual(['applied']);
});

test('a wrong password and a database that is not there say what to look at', async () => {
  const own = await loginRole(await emptyDatabase());
  expect(await messageOf(migrate(own.url.replace(':secret@', ':wrong@')))).toMatch(
    /Check the password of "role_\w+" in DATABASE_URL/,
  );
  const nowhere = new URL(own.url);
  nowhere.pathname = 'no where';
  expect(await messageOf(migrate(nowhere.href))).toContain('CREATE DATABASE "no where";');
});
