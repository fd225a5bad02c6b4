import { once } from 'node:events';
import { createServer } from 'node:net';
import { expect, inject, onTestFinished, test, vi } from 'vitest';
import { closeServer } from '../../../test/support/close-server.ts';
import { chooseQuietPort } from '../../../test/support/quiet-port.ts';
import { runSql } from '../../../test/support/run-sql.ts';
import { bringTablesUpToDate } from '../src/start/bring-tables-up-to-date.ts';

/** Brings the tables of a database up to date, and keeps the printed lines. */
function bring(databaseUrl: string, directUrl?: string) {
  const printed: string[] = [];
  const leaving = new AbortController();
  const print = (line: string) => void printed.push(line);
  const tables = bringTablesUpToDate({ databaseUrl, directUrl, print, leaving: leaving.signal });
  onTestFinished(() => leaving.abort());
  return { ...tables, printed, leave: () => leaving.abort() };
}

/** Makes an empty database. */
async function emptyDatabase(name: string): Promise<string> {
  const adminUrl = inject('databaseUrl');
  await runSql(adminUrl, `CREATE DATABASE ${name}`);
  onTestFinished(async () => void (await runSql(adminUrl, `DROP DATABASE ${name} WITH (FORCE)`)));
  const url = new URL(adminUrl);
  url.pathname = name;
  return url.href;
}

test('makes the tables past a pooler that is away, says which migrations it applied, and is done', async () => {
  const url = await emptyDatabase('bring_tables');
  const { done, settled, fault, printed } = bring('postgresql://u@127.0.0.1:1/none', url);
  expect(fault()).toBe('It waits for the tables to be brought up to date.');
  await Promise.all([done, settled]);
  expect(fault()).toBeUndefined();
  expect(printed).toEqual([expect.stringMatching(/^Brought the tables up to date: \d{14}_\w+(, \d{14}_\w+)*\.$/)]);
  expect(await runSql(url, 'SELECT * FROM conversations')).toEqual([]);
});

test('says nothing where the tables are up to date', async () => {
  const url = await emptyDatabase('bring_tables_twice');
  await bring(url).done;
  const again = bring(url);
  await again.done;
  expect(again.printed).toEqual([]);
});

test('names the host of a Postgres that is away and no password, and ends when everything is to be stopped', async () => {
  const host = `127.0.0.1:${await chooseQuietPort()}`;
  const { done, settled, fault, printed, leave } = bring(`postgresql://sam:hunter2@${host}/landline`);
  await settled;
  expect(fault()).toContain(`It waits for the database: Postgres at ${host} does not answer (`);
  expect(printed).toEqual([
    expect.stringMatching(/^The database is not ready: Postgres at .*check DATABASE_URL and DIRECT_URL\. Trying again/),
  ]);
  expect(`${printed.join()}${fault()}`).not.toContain('hunter2');
  leave();
  await done;
});

test('prints a fault once, however often it tries', async () => {
  let connections = 0;
  const server = createServer((socket) => {
    connections += 1;
    socket.destroy();
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => closeServer(server, () => undefined));
  const address = server.address();
  const port = typeof address === 'object' ? address?.port : 0;
  const { settled, printed } = bring(`postgresql://sam@127.0.0.1:${port}/landline`);
  await settled;
  const perTry = connections;
  expect(perTry).toBeGreaterThan(0);
  // The third try begins when the second one has failed.
  await vi.waitUntil(() => connections > 2 * perTry, { timeout: 20_000, interval: 20 });
  expect(printed).toHaveLength(1);
});

test('goes on trying, and makes the tables when the database is there', async () => {
  const admin = new URL(inject('databaseUrl'));
  admin.pathname = 'bring_tables_later';
  const { done, settled, fault, printed } = bring(admin.href);
  await settled;
  expect(fault()).toContain('It waits for the database: ');
  await vi.waitFor(() => emptyDatabase('bring_tables_later'), { timeout: 20_000 });
  await done;
  expect(fault()).toBeUndefined();
  expect(printed.filter((line) => line.startsWith('The database is not ready'))).toHaveLength(1);
  expect(printed.at(-1)).toMatch(/^Brought the tables up to date: /);
});
