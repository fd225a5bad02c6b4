import type { ApplicableEvent } from '@landline/store';
import { expect, test, vi } from 'vitest';
import { RECEIVED_AT } from '../../../test/support/dead-ledger.ts';
import { aRebuild, saidBy, type RebuildLine } from './support/a-rebuild.ts';

const ALL = { transcript: true, audio: true };

/** The tables of a schema in which a word stands, whatever the column. The ids that events name for themselves stay in the ledger. */
async function tablesWith(line: RebuildLine, schema: string, word: string): Promise<string[]> {
  const tables = await line.sql(`SELECT relname AS name FROM pg_class
    WHERE relnamespace = '${schema}'::regnamespace AND relkind IN ('r', 'p') AND relname <> 'webhook_events' ORDER BY 1`);
  const found = await Promise.all(
    tables.map(async ({ name }) => {
      const rows = await line.sql(`SELECT FROM ${schema}.${String(name)} AS t WHERE t::text LIKE '%${word}%' LIMIT 1`);
      return rows.length > 0 ? [String(name)] : [];
    }),
  );
  return found.flat();
}

function misread(event: ApplicableEvent): ApplicableEvent {
  if (event.outcome === 'ignored') return event;
  const messages = event.changes.messages.map((message) => ({ ...message, content: `${message.content} misread` }));
  return { ...event, changes: { ...event.changes, messages } };
}

async function erase(line: RebuildLine, user: string, calls: readonly string[]): Promise<void> {
  await line.store.forgetConversations(calls, ALL);
  await line.sql(`DELETE FROM user_profiles WHERE user_id = '${user}'`);
  await line.sql(`SELECT landline_forget_in_kept_tables('{${calls.join()}}', '{${user}}')`);
}

test('who is erased is nowhere in the tables of a rebuild, and a rebuild brings nobody back', async () => {
  const line = await aRebuild();
  const said = [saidBy('zenobia', 'c1', 'I am zenobia'), saidBy('zenobia', 'c2', 'x'), saidBy('other', 'c3', 'hello')];
  await line.apply(said.map(misread));
  await line.rebuild('no');
  const [waiting] = await line.rebuilds.kept();
  expect(await tablesWith(line, waiting?.schema ?? '', 'zenobia')).toContain('landline_differences');
  await erase(line, 'zenobia', ['c1', 'c2']);
  expect(await tablesWith(line, waiting?.schema ?? '', 'zenobia')).toEqual([]);

  expect(await line.rebuild('yes')).toMatchObject({ status: 'done' });
  const [old] = await line.rebuilds.kept();
  expect(await tablesWith(line, 'public', 'zenobia')).toEqual([]);
  expect(await tablesWith(line, old?.schema ?? '', 'zenobia')).toEqual([]);
  expect(await line.sql('SELECT id, erased_at IS NOT NULL AS erased FROM conversations ORDER BY id')).toEqual([
    { id: 'c1', erased: true },
    { id: 'c2', erased: true },
    { id: 'c3', erased: false },
  ]);
  expect(await line.sql('SELECT content FROM conversation_messages')).toEqual([{ content: 'hello' }]);
  await line.apply([saidBy('zenobia', 'c1', 'late', RECEIVED_AT + 5)]);
  expect(await line.rebuild('no')).toMatchObject({ message: 'Nothing differs.' });
  expect(await tablesWith(line, 'public', 'zenobia')).toEqual([]);
});

test('who is erased while a rebuild runs is in neither of its tables', async () => {
  const line = await aRebuild();
  await line.apply([saidBy('yolanda', 'd1', 'I am yolanda'), saidBy('u', 'd2', 'x')].map(misread));
  const rebuild = await line.ask('yes', 2);
  await vi.waitUntil(async () => (await line.rebuilds.kept()).length === 1, { timeout: 20_000, interval: 10 });
  await erase(line, 'yolanda', ['d1']);
  expect(await rebuild.ended()).toMatchObject({ status: 'done' });
  const [old] = await line.rebuilds.kept();
  expect(await tablesWith(line, 'public', 'yolanda')).toEqual([]);
  expect(await tablesWith(line, old?.schema ?? '', 'yolanda')).toEqual([]);
  expect(await line.sql('SELECT user_id FROM user_profiles')).toEqual([{ user_id: 'u' }]);
});
