import { fromMs, clockArray, plainArray, textArray, type Statement } from '../connection/statement.ts';
import type { MergedRow } from './merged-row.ts';
import { CONVERSATIONS } from './merged-tables.ts';

/** How stored conversations stand to the rows of some events. */
export interface ConversationStates {
  /** The ids that no row has. */
  missing: Set<string>;
  /** The ids whose row does not say yet all that events imply which say nothing of their own. */
  behind: Set<string>;
}

/**
 * Asks which of these conversations have no row, and which of those whose events say nothing of their own are behind them. It locks
 * nothing: clocks only grow and `created_at` only falls, so a row that was not behind once never is.
 */
export function behindStatement(rows: readonly MergedRow[]): Statement {
  return {
    sql: BEHIND,
    parameters: [
      textArray(rows.map(({ key }) => key[0] ?? '')),
      plainArray(rows.map(({ latest }) => latest === null)),
      plainArray(rows.map(({ earliest }) => earliest)),
      ...IMPLIED.map((name) => clockArray(rows.map(({ registers }) => registers[name]?.clock ?? null))),
    ],
  };
}

/** Reads what `behindStatement` returned. */
export function readStates(rows: readonly Record<string, unknown>[]): ConversationStates {
  const states: ConversationStates = { missing: new Set(), behind: new Set() };
  for (const { id, missing } of rows) (missing === true ? states.missing : states.behind).add(String(id));
  return states;
}

const IMPLIED = Object.keys(CONVERSATIONS.implied ?? {});

/** Whether the stored register is no older than the one sent; a null that is sent says nothing. */
function isCovered(name: string): string {
  const place = CONVERSATIONS.registers.findIndex(([register]) => register === name) + 1;
  return `(k.${name} IS NULL OR c.clocks[${place}] >= k.${name})`;
}

const BEHIND = `
    SELECT k.id, c.id IS NULL AS missing
    FROM unnest($1::text[], $2::boolean[], $3::float8[], ${IMPLIED.map((_, i) => `$${i + 4}::uuid[]`).join(', ')})
      AS k (id, says_nothing, earliest, ${IMPLIED.join(', ')})
    LEFT JOIN conversations c ON c.id = k.id
    WHERE c.id IS NULL OR (k.says_nothing AND (
      c.created_at <= ${fromMs('k.earliest')}::timestamptz(3) AND ${IMPLIED.map(isCovered).join(' AND ')}) IS NOT TRUE)`;
