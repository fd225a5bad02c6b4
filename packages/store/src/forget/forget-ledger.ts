import { z } from 'zod';
import { plainArray, textArray, type Parameter, type Statement } from '../connection/statement.ts';
import type { Run } from '../connection/transactions.ts';
import { BY_INDEX, counted, type WhatToForget } from './forget-statements.ts';

/** Which events of the ledger: those of conversations, or some by their ids. */
export type WhichEvents = { conversations: readonly string[] } | { events: readonly string[] };

/** What `forgetInLedger` did. */
export interface ForgottenInLedger {
  /** How many bodies are gone. */
  bodies: number;
  /** How many rows held an error or a reference. */
  events: number;
  /** What the storage has of these events. */
  urls: string[];
  /** The ids of those that were dead. */
  letters: string[];
}

const foundSchema = z.array(z.object({ id: z.string(), is_dead: z.boolean(), urls: z.array(z.string()) }));
const countSchema = z.tuple([z.object({ count: z.number() })]);
const holdsSchema = z.tuple([z.object({ holds: z.boolean() })]);

/** Leaves of events nothing but their ids: no body, no error, no reference. What was dead is ignored then, for nobody can apply it any more. */
export async function forgetInLedger(which: WhichEvents, what: WhatToForget, run: Run): Promise<ForgottenInLedger> {
  await run(BY_INDEX);
  const chosen = choose(which, what);
  const count = async (statement: Statement) => countSchema.parse(await run(statement))[0].count;
  const found = foundSchema.parse(await run(findStatement(chosen)));
  // Before the references go, for they tell audio from the rest.
  // And first those that the ledger holds itself: one that is being moved is waited for, and found in its new place after that.
  const isOld = holdsSchema.parse(await run(LEDGER_HOLDS_BODIES))[0].holds;
  const old = isOld ? await count(emptyOldBodiesStatement(chosen)) : 0;
  const bodies = old + (await count(deleteBodiesStatement(chosen)));
  if (found.length > 0) await run(leaveIdsStatement(found.map(({ id }) => id)));
  return {
    bodies,
    events: found.length,
    urls: found.flatMap(({ urls }) => urls),
    letters: found.flatMap(({ id, is_dead }) => (is_dead ? [id] : [])),
  };
}

/** The condition on the ledger's rows `e`, and its only parameter. */
interface Chosen {
  condition: string;
  parameter: Parameter;
}

function choose(which: WhichEvents, { transcript, audio }: WhatToForget): Chosen {
  const hasAudio = `(COALESCE(e.type = 'post_call_audio', false) OR e.body_reference -> 'recording' IS NOT NULL)`;
  const kind = transcript && audio ? 'true' : transcript ? `NOT ${hasAudio}` : audio ? hasAudio : 'false';
  return 'events' in which
    ? { condition: `e.id = ANY ($1::uuid[]) AND ${kind}`, parameter: plainArray(which.events) }
    : { condition: `e.conversation_id = ANY ($1::text[]) AND ${kind}`, parameter: textArray(which.conversations) };
}

/** Finds the events that hold more than ids: `id`, whether each `is_dead`, and the `urls` of what the storage has of it. */
function findStatement({ condition, parameter }: Chosen): Statement {
  return {
    sql: `
    SELECT e.id::text, e.outcome = 'dead' AS is_dead,
      to_jsonb(array_remove(ARRAY[e.body_reference ->> 'bodyUrl', e.body_reference #>> '{recording,url}'], NULL)) AS urls
    FROM webhook_events AS e
    WHERE ${condition} AND (e.outcome = 'dead' OR e.error IS NOT NULL OR e.body_reference IS NOT NULL)
    ORDER BY e.id
    FOR UPDATE OF e`,
    parameters: [parameter],
  };
}

function deleteBodiesStatement({ condition, parameter }: Chosen): Statement {
  return {
    sql: counted(`DELETE FROM webhook_bodies AS b USING webhook_events AS e
      WHERE ${condition} AND b.received_at = e.received_at AND b.event_id = e.id RETURNING b.event_id`),
    parameters: [parameter],
  };
}

/** Tells whether the ledger holds bodies itself still: those of a version before, which are moved in batches. */
const LEDGER_HOLDS_BODIES: Statement = {
  sql: `
    SELECT EXISTS (
      SELECT FROM pg_attribute WHERE attrelid = 'webhook_events'::regclass AND attname = 'body' AND NOT attisdropped
    ) AS holds`,
  parameters: [],
};

function emptyOldBodiesStatement({ condition, parameter }: Chosen): Statement {
  return {
    sql: counted(`UPDATE webhook_events AS e SET body = NULL, body_bytes = octet_length(e.body)
      WHERE ${condition} AND e.body IS NOT NULL RETURNING e.id`),
    parameters: [parameter],
  };
}

/** Marks events that belong to no conversation, so that a repeat brings nothing back: the statements that record events leave an ignored one with an error alone. */
export function markEventsStatement(events: readonly string[]): Statement {
  return {
    sql: `UPDATE webhook_events SET error = '{"code": "erased"}' WHERE id = ANY ($1::uuid[]) AND outcome = 'ignored'`,
    parameters: [plainArray(events)],
  };
}

function leaveIdsStatement(events: readonly string[]): Statement {
  return {
    sql: `
    UPDATE webhook_events SET error = NULL, body_reference = NULL,
      outcome = CASE outcome WHEN 'dead' THEN 'ignored' ELSE outcome END
    WHERE id = ANY ($1::uuid[])`,
    parameters: [plainArray(events)],
  };
}
