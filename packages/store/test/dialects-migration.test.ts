import { randomUUID } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { readLanguage } from '@landline/webhook/language';
import { afterAll, beforeAll, expect, inject, test } from 'vitest';
import { runSql } from '../../../test/support/run-sql.ts';
import { createStore, type Store } from '../src/store.ts';
import { anEvent, AT } from './support/an-event.ts';

const MIGRATIONS = new URL('../../../prisma/migrations/', import.meta.url);
const FIRST = '20261128000200';
const NAMES = readdirSync(MIGRATIONS, { withFileTypes: true })
  .filter((entry) => entry.isDirectory())
  .map(({ name }) => name)
  .toSorted();

const database = `migrated_${randomUUID().replaceAll('-', '')}`;
let url: string;
let store: Store;

const sql = (statement: string) => runSql(url, statement);

async function migrateBy(names: readonly string[]): Promise<void> {
  // oxlint-disable-next-line no-await-in-loop -- in their order
  for (const name of names) await sql(readFileSync(new URL(`${name}/migration.sql`, MIGRATIONS), 'utf8'));
}

/** The clock of an event that was told live, as the tables hold it. */
const clockAt = (at: number) => `02${at.toString(16).padStart(12, '0')}${'a'.repeat(18)}`;

/** All clocks of a row of which only language and dialect were told, in these places. */
const clocks = (length: number, places: readonly number[], at: number) =>
  `ARRAY[${Array.from({ length }, (_, i) => (places.includes(i + 1) ? `'${clockAt(at)}'` : 'NULL')).join(',')}]::uuid[]`;

const text = (value: string | null) => (value === null ? 'NULL' : `'${value}'`);

/** A row as a worker of the version before writes it. */
function oldConversation(id: string, language: string | null, dialect: string | null, at = AT): string {
  return `INSERT INTO conversations (id, status, language, dialect, started_at, created_at, updated_at, clocks, title)
    VALUES ('${id}', 'in_progress', ${text(language)}, ${text(dialect)}, now(), now(), now(),
      ${clocks(20, language === null ? [] : [9, 10], at)}, 'kept')
    ON CONFLICT (id) DO UPDATE SET language = EXCLUDED.language, dialect = EXCLUDED.dialect, clocks = EXCLUDED.clocks`;
}

function oldProfile(id: string, language: string, dialect: string | null): string {
  return `INSERT INTO user_profiles (user_id, language, dialect, first_seen_at, last_seen_at, clocks)
    VALUES ('${id}', '${language}', ${text(dialect)}, now(), now(), ${clocks(4, [1, 2], AT)})`;
}

const heard = (conversation_id: string, at: number, language: string) =>
  anEvent({ type: 'conversation.started', at, data: { conversation_id, user_id: `${conversation_id}'s`, language } });

const rowOf = async (id: string) =>
  (await sql(`SELECT language, dialect, dialects FROM conversations WHERE id = '${id}'`))[0];

beforeAll(async () => {
  await runSql(inject('databaseUrl'), `CREATE DATABASE ${database} TEMPLATE template0`);
  url = Object.assign(new URL(inject('databaseUrl')), { pathname: database }).href;
  await migrateBy(NAMES.filter((name) => name < FIRST));
  await sql(
    [
      oldConversation('heard', 'ar', 'eg'),
      oldConversation('bare', 'en', null),
      oldConversation('unknown', 'unknown', null),
      oldConversation('auto', 'auto-detect', 'eg'),
      oldConversation('named', 'العربية', null),
      oldConversation('silent', null, null),
      oldProfile('known', 'fr', 'ca'),
      oldProfile('nobody', 'und', 'eg'),
    ].join(';\n'),
  );
  await migrateBy(NAMES.filter((name) => name >= FIRST));
  store = createStore({ databaseUrl: url });
});

afterAll(async () => {
  await store.close();
  await runSql(inject('databaseUrl'), `DROP DATABASE ${database} WITH (FORCE)`);
});

test('the dialect of a row that was there is that of its language', async () => {
  expect(
    await sql(
      `SELECT id, language, dialect, dialects, dialects_clocks ->> 'ar' AS clock, title FROM conversations ORDER BY id`,
    ),
  ).toEqual([
    { id: 'auto', language: null, dialect: null, dialects: {}, clock: null, title: 'kept' },
    { id: 'bare', language: 'en', dialect: null, dialects: {}, clock: null, title: 'kept' },
    { id: 'heard', language: 'ar', dialect: 'eg', dialects: { ar: 'eg' }, clock: clockAt(AT), title: 'kept' },
    { id: 'named', language: 'العربية', dialect: null, dialects: {}, clock: null, title: 'kept' },
    { id: 'silent', language: null, dialect: null, dialects: {}, clock: null, title: 'kept' },
    { id: 'unknown', language: null, dialect: null, dialects: {}, clock: null, title: 'kept' },
  ]);
  expect(await sql('SELECT user_id, language, dialect, dialects FROM user_profiles ORDER BY user_id')).toEqual([
    { user_id: 'known', language: 'fr', dialect: 'ca', dialects: { fr: 'ca' } },
    { user_id: 'nobody', language: null, dialect: null, dialects: {} },
  ]);
});

test('every word that names no language is one to the migrations as well', async () => {
  const source = readFileSync(new URL('../../webhook/src/language.ts', import.meta.url), 'utf8');
  const words = /const NO_LANGUAGE = new Set\(\s*`([^`]+)`/.exec(source)?.[1]?.trim().split(/\s+/) ?? [];
  expect(words.length).toBeGreaterThan(40);
  expect(words.filter((word) => readLanguage(word) !== undefined)).toEqual([]);
  for (const name of NAMES.filter((one) => /dialects_of_/.test(one))) {
    const migration = readFileSync(new URL(`${name}/migration.sql`, MIGRATIONS), 'utf8');
    const known = new RegExp(/language ~ '([^']+)'/.exec(migration)?.[1] ?? '^$');
    expect(words.filter((word) => !known.test(word))).toEqual([]);
  }
});

test('every row has a time of change, and no column lost its clock but that of a language that is none', async () => {
  expect(await sql('SELECT 1 FROM conversations WHERE changed_at IS NULL')).toEqual([]);
  expect(await sql(`SELECT id FROM conversations WHERE clocks[9] IS NULL AND clocks[10] IS NULL ORDER BY id`)).toEqual([
    { id: 'auto' },
    { id: 'silent' },
    { id: 'unknown' },
  ]);
});

test('events go on from there: earlier ones and bare ones leave the dialect, any language replaces a word for none', async () => {
  await store.apply([heard('heard', AT - 60_000, 'ar-SA')]);
  await store.apply([heard('heard', AT + 60_000, 'en-GB')]);
  await store.apply([heard('heard', AT + 120_000, 'ar')]);
  expect(await rowOf('heard')).toEqual({ language: 'ar', dialect: 'eg', dialects: { ar: 'eg', en: 'gb' } });
  await store.apply([heard('unknown', AT - 60_000, 'pt-BR')]);
  expect(await rowOf('unknown')).toEqual({ language: 'pt', dialect: 'br', dialects: { pt: 'br' } });
});

test('a worker of the version before still writes rows, and the dialect it told stands until another is told', async () => {
  await sql(oldConversation('mixed', 'ar', 'eg', AT));
  expect(await rowOf('mixed')).toEqual({ language: 'ar', dialect: 'eg', dialects: {} });
  await store.apply([heard('mixed', AT - 60_000, 'en-GB')]);
  expect(await rowOf('mixed')).toMatchObject({ language: 'ar', dialect: 'eg' });
  await store.apply([heard('mixed', AT + 30_000, 'ar')]);
  expect(await rowOf('mixed')).toMatchObject({ language: 'ar', dialect: 'eg' });
  await store.apply([heard('mixed', AT + 60_000, 'ar-SA')]);
  expect(await rowOf('mixed')).toMatchObject({ language: 'ar', dialect: 'sa' });
});

test('a newer event keeps a worker of the version before from writing an older dialect', async () => {
  await store.apply([heard('newer', AT, 'ar')]);
  const [row] = await sql(`SELECT clocks[9] = clocks[10] AS is_same FROM conversations WHERE id = 'newer'`);
  expect(row).toEqual({ is_same: true });
});
