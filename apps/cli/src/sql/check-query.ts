/** How a query that only reads may begin. */
const READING = ['SELECT', 'WITH', 'TABLE', 'VALUES', 'SHOW', 'EXPLAIN'];

/** What may be explained: with ANALYZE it is carried out. */
const EXPLAINED = ['SELECT', 'WITH', 'TABLE', 'VALUES'];

/** What Postgres takes for white space, and no more: to it, U+2028 is part of a name. */
const SPACE = /[ \t\n\r\f\v]/;

/**
 * Says why `sql` is not one query that reads. The server refuses writes as well; this names the fault in terms of the command, and
 * refuses what a transaction that is read only lets through (COPY … TO PROGRAM, DO, COMMIT).
 *
 * @returns  A sentence for the operator, or undefined when the query may be tried.
 */
export function checkQuery(sql: string): string | undefined {
  const start = skipBlank(sql, 0, '(');
  const word = wordAt(sql, start);
  if (word === 'EXPLAIN' && !EXPLAINED.includes(wordAt(sql, skipExplain(sql, start + word.length)))) {
    return `sql explains a query that begins with one of ${EXPLAINED.join(', ')}.`;
  }
  if (!READING.includes(word)) return `sql takes one query that begins with one of ${READING.join(', ')}.`;
  const end = findSemicolon(sql, start);
  const isLast = end < 0 || skipBlank(sql, end, ';') === sql.length;
  return isLast ? undefined : 'sql takes one query: nothing may follow its semicolon.';
}

/** The word at a place, in capitals; empty where none stands there. */
function wordAt(sql: string, at: number): string {
  return /^[A-Za-z]*/.exec(sql.slice(at))?.[0].toUpperCase() ?? '';
}

/** Skips EXPLAIN's options, old (ANALYZE VERBOSE) or new (in parentheses), up to the first word of what is explained. */
function skipExplain(sql: string, from: number): number {
  const start = skipBlank(sql, from, '(');
  const inParentheses = sql.slice(from, start).includes('(') && !EXPLAINED.includes(wordAt(sql, start));
  let at = start;
  if (inParentheses) {
    while (at < sql.length && sql[at] !== ')') at = Math.max(skipBlank(sql, at), skipQuoted(sql, at), at + 1);
    return skipBlank(sql, at + 1, '(');
  }
  while (['ANALYZE', 'ANALYSE', 'VERBOSE'].includes(wordAt(sql, at))) at = skipBlank(sql, at + 7, '(');
  return at;
}

/** The place of the first semicolon that ends a statement, or -1. */
function findSemicolon(sql: string, from: number): number {
  for (let at = from; at < sql.length;) {
    if (sql[at] === ';') return at;
    at = Math.max(skipBlank(sql, at), skipQuoted(sql, at), at + 1);
  }
  return -1;
}

/** Skips white space and comments by Postgres' rules, and the character `also`. */
function skipBlank(sql: string, from: number, also = ''): number {
  let at = from;
  for (;;) {
    const before = at;
    while (at < sql.length && (SPACE.test(sql.charAt(at)) || sql[at] === also)) at++;
    if (sql.startsWith('--', at)) at = skipLine(sql, at);
    else if (sql.startsWith('/*', at)) at = skipComment(sql, at);
    if (at === before) return at;
  }
}

/** A line ends at a line feed or at a carriage return. */
function skipLine(sql: string, from: number): number {
  const length = sql.slice(from).search(/[\r\n]/);
  return length < 0 ? sql.length : from + length;
}

/** Comments nest. One without an end takes the rest: the server says what is wrong. */
function skipComment(sql: string, from: number): number {
  let depth = 0;
  for (let at = from; at < sql.length;) {
    if (sql.startsWith('/*', at)) depth++;
    else if (sql.startsWith('*/', at)) depth--;
    else {
      at++;
      continue;
    }
    at += 2;
    if (depth === 0) return at;
  }
  return sql.length;
}

/** Skips a name or a number, a text or a quoted name that begins at `from`; answers `from` where none does. */
function skipQuoted(sql: string, from: number): number {
  const rest = sql.slice(from);
  // E'…' alone has backslashes; U&'…', B'…', X'…' and N'…' end as '…' does. A doubled mark is two texts beside each other here.
  const text = /^(?:[eE]'(?:[^'\\]|\\[^])*(?:'|$)|'[^']*(?:'|$)|"[^"]*(?:"|$))/.exec(rest)?.[0];
  if (text !== undefined) return from + text.length;
  const tag = /^\$(?:[A-Za-z_\u0080-\uffff][\w\u0080-\uffff]*)?\$/.exec(rest)?.[0];
  if (tag !== undefined) {
    const end = sql.indexOf(tag, from + tag.length);
    return end < 0 ? sql.length : end + tag.length;
  }
  // A name as a whole: what follows a letter is neither E'…' nor a dollar's tag.
  return from + (/^[A-Za-z_\u0080-\uffff][\w$\u0080-\uffff]*/.exec(rest)?.[0].length ?? 0);
}
