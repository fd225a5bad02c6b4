import { quoteName, quoteText } from './database-url.ts';

/** What holds for each transaction. */
export interface TransactionSettings {
  /** How long one statement may run, in milliseconds; 0: for ever. */
  statementTimeoutMs: number;
  /** How long a statement may wait for a lock, in milliseconds; 0: for ever. */
  lockTimeoutMs: number;
  /** How long a transaction may do nothing before the server ends it, in milliseconds; `statementTimeoutMs` by default. */
  idleTimeoutMs?: number | undefined;
  /** The schema of the tables; undefined: as the role's search path says. */
  schema: string | undefined;
  /** Whether the transaction may change nothing; by default it may. */
  isReadOnly?: boolean;
}

/**
 * The first statement of each transaction, sent with its BEGIN. It sets everything for that transaction alone, so that a pooler such as
 * PgBouncer may stand in between, and relies on nothing that another of the pooler's clients has left on the connection:
 * - the limits of time;
 * - the search path: every table is looked up in the one schema, whatever a session has set before. NULL means what role and database say;
 * - a commit that is on the disk, and on the synchronous replica where there is one: the job leaves Redis after it. `off` and `local`, from
 *   wherever they come, become `on`; what is as strong stays.
 */
export function settingsStatement(settings: TransactionSettings): string {
  const { statementTimeoutMs, lockTimeoutMs, schema, isReadOnly = false } = settings;
  const { idleTimeoutMs = statementTimeoutMs } = settings;
  const path = schema === undefined ? 'NULL' : quoteText(quoteName(schema));
  const readOnly = isReadOnly ? `,\n    set_config('transaction_read_only', 'on', true)` : '';
  return `SELECT set_config('statement_timeout', '${statementTimeoutMs}', true),
    set_config('lock_timeout', '${lockTimeoutMs}', true),
    set_config('idle_in_transaction_session_timeout', '${idleTimeoutMs}', true),
    set_config('search_path', ${path}, true),
    set_config('synchronous_commit', CASE current_setting('synchronous_commit') WHEN 'off' THEN 'on' WHEN 'local' THEN 'on'
      ELSE current_setting('synchronous_commit') END, true)${readOnly}`;
}
