/** The first words of queries that read. */
const READING = ['SELECT', 'WITH', 'TABLE', 'VALUES', 'SHOW', 'EXPLAIN'];

/** The first words of queries that EXPLAIN may take: EXPLAIN ANALYZE runs the query. */
const EXPLAINED = ['SELECT', 'WITH', 'TABLE', 'VALUES'];

/** The characters that Postgres takes for white space. Every other character may be part of a name, also U+2028. */
const SPACE = /[ \t\n\r\f\v]/;

/**
 * Checks that `sql` is one query that reads. The server refuses writes as well. This check names the fault in the words of the command,
 * and it refuses statements that a read-only transaction lets through: COPY … TO PROGRAM, DO and COMMIT.
 *
 * @returns  The fault as a sentence for the operator; undefined when the query may be run.
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

/** Reads the word at a position, and answers it in capitals. The answer is empty where no word begins. */
function wordAt(sql: string, at: number): string {
  return /^[A-Za-z]*/.exec(sql.slice(at))?.[0].toUpperCase() ?? '';
}

/** Skips EXPLAIN's options, old (ANALYZE VERBOSE) or new (in parentheses). Answers the position of the explained query. */
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

/** Finds the first semicolon that ends a statement. Answers its position, or -1. */
function findSemicolon(sql: string, from: number): number {
  for (let at = from; at < sql.length;) {
    if (sql[at] === ';') return at;
    at = Math.max(skipBlank(sql, at), skipQuoted(sql, at), at + 1);
  }
  return -1;
}

/** Skips white space and comments by Postgres' rules, and the character `also`. Answers the position after them. */
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

/** Skips the rest of a line. To Postgres a line ends at a line feed or at a carriage return. */
function skipLine(sql: string, from: number): number {
  const length = sql.slice(from).search(/[\r\n]/);
  return length < 0 ? sql.length : from + length;
}

/** Skips a comment. Comments nest. A comment without an end takes the rest of the text, and the server names that fault. */
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

/** Skips the name, text, quoted name or dollar-quoted text that begins at `from`. Answers `from` where none begins. */
function skipQuoted(sql: string, from: number): number {
  const rest = sql.slice(from);
  // Only E'…' has backslash escapes: U&'…', B'…', X'…' and N'…' end as '…' does. A doubled quotation mark counts as two adjoining texts.
  const text = /^(?:[eE]'(?:[^'\\]|\\[^])*(?:'|$)|'[^']*(?:'|$)|"[^"]*(?:"|$))/.exec(rest)?.[0];
  if (text !== undefined) return from + text.length;
  const tag = /^\$(?:[A-Za-z_\u0080-\uffff][\w\u0080-\uffff]*)?\$/.exec(rest)?.[0];
  if (tag !== undefined) {
    const end = sql.indexOf(tag, from + tag.length);
    return end < 0 ? sql.length : end + tag.length;
  }
  // A name is skipped as a whole: neither E'…' nor a dollar-quoted text begins inside a name.
  return from + (/^[A-Za-z_\u0080-\uffff][\w$\u0080-\uffff]*/.exec(rest)?.[0].length ?? 0);
}
