import { expect, test } from 'vitest';
import { checkQuery } from '../src/sql/check-query.ts';

test.each([
  'SELECT 1',
  'select 1;',
  ' \t\n\r\f\vSELECT 1 ; ; -- done\n',
  'WITH a AS (SELECT 1) TABLE a',
  'TABLE conversations',
  'VALUES (1)',
  'SHOW server_version',
  'EXPLAIN SELECT 1',
  'EXPLAIN ANALYZE VERBOSE SELECT 1',
  'explain /* ) */ (analyze, format json) -- )\n (select 1)',
  'EXPLAIN (SELECT 1)',
  "EXPLAIN (FORMAT 'text)') TABLE conversations",
  '((SELECT 1) UNION (SELECT 2))',
  '-- COPY\rSELECT 1',
  '/* a /* nested */ COPY; */ SELECT 1',
  "SELECT ';'",
  "SELECT 'it''s; so'",
  "SELECT E'\\';'",
  'SELECT 1 AS "a;b"',
  'SELECT $$;$$, $tag$ $$; $tag$',
  "SELECT name'a;b' FROM (SELECT 1)",
  'SELECT 1 -- ; DROP TABLE conversations',
  'SELECT 1 /* ; */',
  'SELECT a$1$b;',
  "SELECT e'\\\\';",
  `SELECT 1 /* ${'/* '.repeat(1000)}`,
])('lets %j through', (sql) => {
  expect(checkQuery(sql)).toBeUndefined();
});

test.each([
  "COPY (SELECT 1) TO PROGRAM 'id'",
  " --\rCOPY (SELECT 1) TO PROGRAM 'id'",
  " --\u2028SELECT 1\rCOPY (SELECT 1) TO PROGRAM 'id'",
  "/* /* */ SELECT 1 */ COPY (SELECT 1) TO PROGRAM 'id'",
  "/**/--\nCOPY (SELECT 1) TO PROGRAM 'id'",
  '\u2028SELECT 1',
  'DO $$ BEGIN END $$',
  'DELETE FROM conversations',
  'SELECTED',
  'SET transaction_read_only = off',
  'COMMIT',
  'CALL x()',
  'EXECUTE x',
  '(',
  '-- SELECT 1',
  '',
])('refuses %j, which does not begin as a query does', (sql) => {
  expect(checkQuery(sql)).toMatch(/begins with one of SELECT, WITH, TABLE, VALUES, SHOW, EXPLAIN/);
});

test.each([
  'SELECT 1; SELECT 2',
  "SELECT 1;COPY (SELECT 1) TO PROGRAM 'id'",
  'SELECT 1; /* */ -- x\rCOMMIT',
  "SELECT ';'; COMMIT",
  "SELECT '\\'; COMMIT",
  "SELECT E'\\'';'; COMMIT",
  'SELECT $a$ $b$ $a$; COMMIT',
  'SELECT a$a$; COMMIT; $a$',
  'SELECT 1 /* /* */ */; COMMIT',
])('refuses %j, which is more than one', (sql) => {
  expect(checkQuery(sql)).toMatch(/nothing may follow its semicolon/);
});

test.each([
  'EXPLAIN ANALYZE CREATE TABLE mine AS SELECT 1',
  'EXPLAIN (ANALYZE) CREATE TABLE mine AS SELECT 1',
  'EXPLAIN ANALYZE VERBOSE REFRESH MATERIALIZED VIEW mine',
  "EXPLAIN (FORMAT 'x) SELECT 1 --') CREATE TABLE mine AS SELECT 1",
  'EXPLAIN (ANALYZE /* ) SELECT */ ) DELETE FROM conversations',
  'EXPLAIN ANALYZE EXECUTE plan',
  'EXPLAIN',
  'EXPLAIN (ANALYZE',
])('explains no statement that writes: %j', (sql) => {
  expect(checkQuery(sql)).toMatch(/explains a query that begins with one of SELECT, WITH, TABLE, VALUES/);
});
