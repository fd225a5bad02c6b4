import type { Statement } from '../connection/statement.ts';

/**
 * Takes the lock of the words of lists, until the transaction ends. Those who write such words share it, and look for erasures once they have it. Whoever
 * clears them takes it alone for a moment, once the row of its erasure is committed, and then begins. So no words are written that neither of them sees. It comes before any row.
 */
export function wordsLockStatement(how: 'shared' | 'alone'): Statement {
  const name = how === 'shared' ? 'pg_advisory_xact_lock_shared' : 'pg_advisory_xact_lock';
  return {
    sql: `SELECT ${name}(hashtextextended('landline words of lists ' || current_schema(), 0))::text`,
    parameters: [],
  };
}
