import { z } from 'zod';
import type { Run } from '../connection/transactions.ts';
import { forgetInLedger } from './forget-ledger.ts';
import {
  deleteRecordingsStatement,
  deleteRowsStatement,
  emptyRowsStatement,
  forgetInKeptTablesStatement,
  lockRowsStatement,
  makeRowsStatement,
  TABLES_OF_A_CALL,
  type WhatToForget,
} from './forget-statements.ts';
import { addCountsStatement } from './person-statements.ts';
import { removeLaterStatement } from './recordings-to-remove.ts';

/** How much was forgotten, by place. What had been forgotten before does not count. */
export interface ForgottenCounts {
  conversations: number;
  messages: number;
  tool_calls: number;
  commands: number;
  /** Rows of webhook_bodies. */
  bodies: number;
  /** Rows of the ledger that held an error or a reference. */
  events: number;
  recordings: number;
  /** Rows of the tables that a rebuild makes or has kept. */
  kept_rows: number;
}

/** What of conversations is forgotten, and where it is counted. */
export interface HowToForget extends WhatToForget {
  /** The id of the erasure that this is a part of: its row is counted up in the same transaction. */
  erasure?: string;
}

/** What `forgetConversations` did. */
export interface Forgotten {
  counts: ForgottenCounts;
  /** What the storage is to lose: audio and raw bodies. They are in recordings_to_remove as well, so nothing is lost with this list. */
  urls: string[];
  /** The ledger ids of the events that were dead: their dead letters are to go. */
  letters: string[];
  /** The ids that had no row: each has one now, which is nothing but the mark. */
  made: string[];
}

const rowsSchema = z.array(z.object({ id: z.string(), is_new: z.boolean() }));
const idsSchema = z.array(z.object({ id: z.string() }));
const urlsSchema = z.array(z.object({ url: z.string().nullable() }));
const countSchema = z.tuple([z.object({ count: z.number() })]);

/**
 * Forgets conversations in one transaction; safe to repeat. With `transcript` the row of each gets the mark `erased_at`: its events are recorded
 * without their bodies from then on, and change no table. An id that no conversation has gets a row for that mark.
 *
 * The rows are locked first. A transaction that applies events of these conversations has either committed by then, and what it wrote is
 * forgotten here; or it finds the mark when it gets the lock.
 *
 * @param ids   A hundred at most: the transaction holds their rows, and must end within the limit of a statement.
 */
export async function forgetConversations(ids: readonly string[], what: HowToForget, run: Run): Promise<Forgotten> {
  if (ids.length === 0) return { counts: NOTHING, urls: [], letters: [], made: [] };
  const made = what.transcript ? idsSchema.parse(await run(makeRowsStatement(ids))).map(({ id }) => id) : [];
  const locked = rowsSchema.parse(await run(lockRowsStatement(ids)));
  const rows = what.transcript ? await forgetRows(ids, run) : NO_ROWS;
  const ledger = await forgetInLedger({ conversations: ids }, what, run);
  const recordings = what.audio ? urlsSchema.parse(await run(deleteRecordingsStatement(ids))) : [];
  const urls = [...new Set([...ledger.urls, ...recordings.flatMap(({ url }) => url ?? [])])];
  if (urls.length > 0) await run(removeLaterStatement(urls));
  const [{ count: kept_rows }] = countSchema.parse(await run(forgetInKeptTablesStatement(ids, [])));
  const isNew = ({ id, is_new }: z.infer<typeof rowsSchema>[number]) => is_new && !made.includes(id);
  const conversations = what.transcript ? locked.filter(isNew).length : 0;
  const { bodies, events, letters } = ledger;
  const counts = { conversations, ...rows, bodies, events, recordings: recordings.length, kept_rows };
  if (what.erasure !== undefined) await run(addCountsStatement(what.erasure, counts));
  return { counts, urls, letters, made };
}

const NO_ROWS = { messages: 0, tool_calls: 0, commands: 0 };
const NOTHING: ForgottenCounts = { conversations: 0, ...NO_ROWS, bodies: 0, events: 0, recordings: 0, kept_rows: 0 };

async function forgetRows(ids: readonly string[], run: Run): Promise<typeof NO_ROWS> {
  await run(emptyRowsStatement(ids));
  const counts = { ...NO_ROWS };
  for (const [table, name] of TABLES_OF_A_CALL) {
    // oxlint-disable-next-line no-await-in-loop -- one statement after the other
    counts[name] = countSchema.parse(await run(deleteRowsStatement(table, ids)))[0].count;
  }
  return counts;
}
