import { fromMs } from '../connection/statement.ts';
import { fingerprintOf } from './failure-fingerprint.ts';
import type { EventFilter } from './event-filter.ts';

/** A place in the ledger: events are listed by receipt, and those of one millisecond by id. */
export interface EventPosition {
  /** Unix milliseconds. */
  receivedAt: number;
  /** The ledger's id, a uuid. */
  id: string;
}

/** What is selected beside a filter. */
export interface SelectionOptions {
  /** Only events behind this place, in the order that is asked for. */
  after?: EventPosition | undefined;
  order?: 'newest' | 'oldest';
  /**
   * Events that were applied at this time or later (unix ms) match whatever `outcome`, `error` and `fingerprint` say: they matched before. So work that
   * goes through dead events finds the same ones when it begins anew at its checkpoint.
   */
  appliedSince?: number | undefined;
}

/** A part of a statement: SQL that begins with WHERE or is empty, and its parameters from `$1` on. */
export interface Conditions {
  where: string;
  parameters: string[];
}

/**
 * Makes the conditions of a filter on `webhook_events e`. `text` is no part of them: it is looked for in the bodies.
 *
 * What the partial indexes ask for stands in the statement as it is, for Postgres must see it there to take one.
 */
export function filterConditions(
  filter: EventFilter,
  { after, order = 'oldest', appliedSince }: SelectionOptions = {},
): Conditions {
  const parameters: string[] = [];
  const bind = (value: string | number): string => `$${parameters.push(String(value))}::text`;
  const time = (ms: number): string => `${fromMs(`${bind(ms)}::float8`)}::timestamptz(3)`;
  const all = [
    typeCondition(filter.type, bind),
    filter.conversation !== undefined && `e.conversation_id = ${bind(filter.conversation)}`,
    conversationsCondition(filter, bind),
    originCondition(filter.origin),
    filter.since !== undefined && `e.received_at >= ${time(filter.since)}`,
    filter.until !== undefined && `e.received_at < ${time(filter.until)}`,
    outcomeCondition(filter, { bind, appliedSince: appliedSince === undefined ? undefined : () => time(appliedSince) }),
    after !== undefined &&
      `(e.received_at, e.id) ${order === 'oldest' ? '>' : '<'} (${time(after.receivedAt)}, ${bind(after.id)}::uuid)`,
  ];
  const given = all.filter((condition) => condition !== false && condition !== undefined);
  return { where: given.length === 0 ? '' : `WHERE ${given.join('\n      AND ')}`, parameters };
}

type Bind = (value: string | number) => string;

/**
 * A person has few conversations, so these are read first, and then their events by the index. An agent may have a million: Postgres
 * chooses by what it knows of that agent.
 */
function conversationsCondition({ agent, user, number }: EventFilter, bind: Bind): string | undefined {
  const columns = { agent_id: agent, user_id: user, external_number: number };
  const conditions = Object.entries(columns).flatMap(([column, value]) =>
    value === undefined ? [] : [`c.${column} = ${bind(value)}`],
  );
  if (conditions.length === 0) return undefined;
  const ids = `SELECT c.id FROM conversations c WHERE ${conditions.join(' AND ')}`;
  const isPerson = user !== undefined || number !== undefined;
  return isPerson ? `e.conversation_id = ANY (ARRAY(${ids}))` : `e.conversation_id IN (${ids})`;
}

/** Most events of a call: no index has them, because it would cost each of them. They are found by their receipt. */
const FREQUENT_TYPES = ['conversation.message', 'agent.tool_call'];

function typeCondition(type: string | undefined, bind: Bind): string | undefined {
  if (type === undefined) return undefined;
  const seldom = FREQUENT_TYPES.map((frequent) => `e.type <> '${frequent}' AND `).join('');
  return `${FREQUENT_TYPES.includes(type) ? '' : seldom}e.type = ${bind(type)}`;
}

function originCondition(origin: EventFilter['origin']): string | undefined {
  if (origin === undefined) return undefined;
  return origin === 'webhook' ? `e.origin = 'webhook'` : `e.origin <> 'webhook' AND e.origin = '${origin}'`;
}

function outcomeCondition(
  { outcome, error, fingerprint }: EventFilter,
  { bind, appliedSince }: { bind: Bind; appliedSince: (() => string) | undefined },
): string | undefined {
  const conditions = [
    outcome !== undefined && `e.outcome = '${outcome}'`,
    (error ?? fingerprint) !== undefined && `e.outcome = 'dead'`,
    error !== undefined && `e.error ->> 'code' = ${bind(error)}`,
    // Last: of an event that an older version recorded, it costs more than all others.
    fingerprint !== undefined && `${fingerprintOf('e.error')} = ${bind(fingerprint)}`,
  ].filter((condition) => condition !== false);
  if (conditions.length === 0) return undefined;
  const matches = [...new Set(conditions)].join(' AND ');
  return appliedSince === undefined
    ? matches
    : `((${matches}) OR (e.outcome = 'applied' AND e.applied_at >= ${appliedSince()}))`;
}
