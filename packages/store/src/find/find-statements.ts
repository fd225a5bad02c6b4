import { plainArray, type Statement } from '../connection/statement.ts';
import { BODY, JOIN_BODIES, LEDGER_WITH_BODIES, STORED_BYTES } from '../ledger/bodies.ts';
import type { EventFilter } from './event-filter.ts';
import { filterConditions, type SelectionOptions } from './filter-conditions.ts';
import { FOUND_COLUMNS, toMs } from './found-event.ts';

/** One page of events. */
export interface PageOptions extends SelectionOptions {
  limit: number;
}

/** A person's or a conversation's events are few: they are gathered first, or Postgres may walk through all others in search of them. */
function isNarrow({ conversation, user, number }: EventFilter): boolean {
  return conversation !== undefined || user !== undefined || number !== undefined;
}

/** Lists events, the newest first unless `order` says otherwise. */
export function listStatement(filter: EventFilter, options: PageOptions): Statement {
  return pageStatement(filter, options, { columns: FOUND_COLUMNS, join: '' });
}

/** Adds to each listed event how many bytes its body has in the ledger; null where the body is gone. Reads no body. */
export function sizedListStatement(filter: EventFilter, options: PageOptions): Statement {
  return pageStatement(filter, options, {
    columns: `${FOUND_COLUMNS}, ${STORED_BYTES}::float8 AS "storedBytes"`,
    join: JOIN_BODIES,
  });
}

function pageStatement(
  filter: EventFilter,
  { limit, order = 'newest', ...options }: PageOptions,
  { columns, join }: { columns: string; join: string },
): Statement {
  const { where, parameters } = filterConditions(filter, { order, ...options });
  const materialized = isNarrow(filter) ? 'MATERIALIZED' : 'NOT MATERIALIZED';
  const direction = order === 'newest' ? 'DESC' : 'ASC';
  return {
    sql: `
    WITH matching AS ${materialized} (
      SELECT e.* FROM webhook_events e
      ${where}
    )
    SELECT ${columns}
    FROM (
      SELECT * FROM matching ORDER BY received_at ${direction}, id ${direction} LIMIT $${parameters.length + 1}::text::int
    ) AS e ${join}
    ORDER BY e.received_at ${direction}, e.id ${direction}`,
    parameters: [...parameters, String(limit)],
  };
}

/** Counts events by type and outcome, and says when the first and the last came. */
export function countStatement(filter: EventFilter, options: SelectionOptions = {}): Statement {
  const { where, parameters } = filterConditions(filter, options);
  return {
    sql: `
    SELECT e.type, e.outcome, count(*)::float8 AS events, ${toMs('min(e.received_at)')} AS first, ${toMs('max(e.received_at)')} AS last
    FROM webhook_events e
      ${where}
    GROUP BY e.type, e.outcome`,
    parameters,
  };
}

/** Reads events with their bodies; mind how many bytes the listing says they have. A body that is gone is null. */
export function bodiesStatement(ids: readonly string[]): Statement {
  return {
    sql: `
    SELECT e.id::text, ${toMs('e.received_at')} AS "receivedAt", ${toMs('e.event_at')} AS "eventAt", e.origin,
      e.body_reference AS reference, ${BODY} AS body
    FROM ${LEDGER_WITH_BODIES}
    WHERE e.id = ANY ($1::uuid[])
    ORDER BY e.received_at, e.id`,
    parameters: [plainArray(ids)],
  };
}

/** Reads what became of events. */
export function statesStatement(ids: readonly string[]): Statement {
  return {
    sql: `
    SELECT e.id::text, e.outcome, e.error ->> 'code' AS code, COALESCE((e.error ->> 'attempts')::int, 0) AS attempts
    FROM webhook_events e
    WHERE e.id = ANY ($1::uuid[])`,
    parameters: [plainArray(ids)],
  };
}
