import { fromMs, type Statement } from '../connection/statement.ts';
import { ACCOUNTS } from './known-statements.ts';

/** The most conversations that are looked at: each is a look-up in the ledger. */
const MOST = 200;

/**
 * Reads how the accounts of complete calls came that began between two times, the newest call first. One that was fetched although the webhook had brought
 * one, such as for its turns, came by the webhook. A call whose account has left the ledger is left out. So is a call that ended before the first comparison
 * began, as far as comparisons are kept: it may be older than the webhook, and then only fetching can bring it.
 */
export function arrivalsStatement(from: number, to: number): Statement {
  return {
    sql: `
    SELECT CASE WHEN a.by_webhook THEN 'webhook' ELSE 'fetched' END AS came
    FROM (
      SELECT c.id, c.started_at, c.ended_at, c.completeness, c.erased_at FROM conversations AS c
      WHERE c.started_at >= ${fromMs('$1::text::float8')} AND c.started_at <= ${fromMs('$2::text::float8')}
      ORDER BY c.started_at DESC LIMIT ${MOST}
    ) AS c, LATERAL (
      SELECT bool_or(e.origin <> 'backfill') AS by_webhook FROM webhook_events AS e WHERE e.conversation_id = c.id AND e.type IN ${ACCOUNTS}
    ) AS a
    WHERE c.completeness = 'complete' AND c.erased_at IS NULL AND a.by_webhook IS NOT NULL
      AND COALESCE(c.ended_at, c.started_at) >= (SELECT min(r.started_at) FROM reconciliations AS r)
    ORDER BY c.started_at DESC, c.id`,
    parameters: [String(from), String(to)],
  };
}
