import { normalise } from '@landline/webhook';
import type { Changes, RecordingChange } from '@landline/webhook/changes';
import { z } from 'zod';
import type { Run } from '../connection/transactions.ts';
import { ledgerOn } from '../find/ledger.ts';
import { chunksOf } from '../find/search-text.ts';
import { deleteRowsStatement, makeRowsStatement, TABLES_OF_A_CALL } from '../forget/forget-statements.ts';
import { foldRecordings } from '../tables/fold.ts';
import { writeChanges } from '../write-rows.ts';
import {
  appliedEventsStatement,
  clearRowStatement,
  deleteUnkeptStatement,
  holdRowStatement,
  lowerStatement,
  planStatement,
  recordingsStatement,
  retellStatement,
} from './conversation-statements.ts';
import { FOLDED_AT_ONCE } from './fold-events.ts';

/** The most events of a conversation that is rebuilt by itself. Whoever writes an event of that call waits meanwhile: for more, longer than a second or two. */
export const MOST_CONVERSATION_EVENTS = 10_000;

/** The most bytes of their bodies, as the ledger has them: as many as these events have where each is a long turn. */
export const MOST_CONVERSATION_BYTES = 16 * 1024 * 1024;

/**
 * Why a conversation cannot be rebuilt by itself:
 *
 * - `erased`: nothing of it may come back.
 * - `no_events`: the ledger has no applied event of it.
 * - `too_many`: it has more than `MOST_CONVERSATION_EVENTS`.
 * - `too_large`: their bodies have more than `MOST_CONVERSATION_BYTES`.
 * - `too_slow`: all events waited for it, for as long as they may.
 * - `bodies_gone`: of so many `events`, the bodies of some are gone.
 * - `not_applied`: so many `events` are applied in the ledger, and this version does not apply them.
 */
export type ConversationRefusal =
  | { outcome: 'erased' | 'no_events' | 'too_many' | 'too_large' | 'too_slow' }
  | { outcome: 'bodies_gone'; events: number; withoutBody: number }
  | { outcome: 'not_applied'; events: number };

/** The row says less now than others may have found it to say: they must be kept away meanwhile. */
export interface LowerRow {
  outcome: 'lower';
}

/** Ends the transaction without effect. */
export type Stop = (why: ConversationRefusal | LowerRow) => never;

/** What a rebuild of one conversation would be about. */
export interface ConversationPlan {
  /** Its applied events. */
  events: number;
  /** Those whose body is gone. */
  withoutBody: number;
  /** The bytes of the bodies that are there. */
  bytes: number;
  isErased: boolean;
}

const planSchema = z.tuple([
  z.object({ events: z.number(), withoutBody: z.number(), bytes: z.number(), isErased: z.boolean() }),
]);

/** Reads the plan. */
export async function readPlan(run: Run, id: string): Promise<ConversationPlan> {
  return planSchema.parse(await run(planStatement(id)))[0];
}

/** Tells why a conversation cannot be rebuilt by itself, as far as its plan shows it; undefined: nothing speaks against it. */
export function refusalOf({ events, withoutBody, bytes, isErased }: ConversationPlan): ConversationRefusal | undefined {
  if (isErased) return { outcome: 'erased' };
  if (events === 0) return { outcome: 'no_events' };
  if (events > MOST_CONVERSATION_EVENTS) return { outcome: 'too_many' };
  if (withoutBody > 0) return { outcome: 'bodies_gone', events, withoutBody };
  return bytes > MOST_CONVERSATION_BYTES ? { outcome: 'too_large' } : undefined;
}

const heldSchema = z.tuple([z.object({ is_erased: z.boolean(), created_at: z.string(), clocks: z.string() })]);
const eventsSchema = z.array(z.object({ id: z.string(), storedBytes: z.number().nullable() }));
const keptSchema = z.array(z.object({ sha256: z.string() }));
const lowerSchema = z.tuple([z.object({ is_lower: z.boolean() })]);

/** An event of a conversation, and how many bytes of its body can be folded. */
interface Foldable {
  id: string;
  storedBytes: number;
}

/**
 * Makes a conversation's rows anew from its applied events, inside one transaction that holds its row: whoever writes an event of it has committed before, and
 * is folded here, or waits until the end, and merges into the new rows. Safe to repeat. Profiles stay: other calls make them as well.
 *
 * @param isAlone  Whether the transaction keeps away all who write events.
 * @returns        How many events it folded.
 */
export async function rebuildConversation(
  run: Run,
  id: string,
  { isAlone, stop }: { isAlone: boolean; stop: Stop },
): Promise<number> {
  const isNew = (await run(makeRowsStatement([id]))).length > 0;
  const [held] = heldSchema.parse(await run(holdRowStatement(id)));
  if (held.is_erased) stop({ outcome: 'erased' });
  const events = readFoldable(
    eventsSchema.parse(await run(appliedEventsStatement(id, MOST_CONVERSATION_EVENTS + 1))),
    stop,
  );
  const isKept = await clear(run, id);
  const kept: RecordingChange[] = [];
  let notApplied = 0;
  for (const chunk of chunksOf(events, FOLDED_AT_ONCE)) {
    // oxlint-disable no-await-in-loop -- so that not all bodies are held at once
    const changes = await readChanges(run, chunk, async () => stop(await goneMeanwhile(run, id, events.length)));
    notApplied += chunk.length - changes.length;
    // Merged with a row that is wrong, an event could win, and say again where its audio lay at first.
    await writeChanges(
      changes.map((change) => without(change, isKept)),
      run,
    );
    // oxlint-enable no-await-in-loop
    kept.push(...changes.flatMap(({ recordings }) => recordings.filter(isKept)));
  }
  if (notApplied > 0) stop({ outcome: 'not_applied', events: notApplied });
  if (kept.length > 0) await run(retellStatement(foldRecordings(kept)));
  const isSafe = isAlone || isNew || !lowerSchema.parse(await run(lowerStatement(id, held)))[0].is_lower;
  if (!isSafe) stop({ outcome: 'lower' });
  return events.length;
}

/** Returns the events, if all of them can be folded. */
function readFoldable(events: z.infer<typeof eventsSchema>, stop: Stop): Foldable[] {
  const foldable = events.flatMap(({ id, storedBytes }) => (storedBytes === null ? [] : [{ id, storedBytes }]));
  const withoutBody = events.length - foldable.length;
  const bytes = foldable.reduce((sum, { storedBytes }) => sum + storedBytes, 0);
  const refusal = refusalOf({ events: events.length, withoutBody, bytes, isErased: false });
  if (refusal !== undefined) stop(refusal);
  return foldable;
}

/** Takes away what events tell. Returns which recordings are left: those of which the storage knows something. */
async function clear(run: Run, id: string): Promise<(recording: RecordingChange) => boolean> {
  await run(clearRowStatement(id));
  for (const [table] of TABLES_OF_A_CALL) {
    // oxlint-disable-next-line no-await-in-loop -- one statement after the other
    await run(deleteRowsStatement(table, [id]));
  }
  await run(deleteUnkeptStatement(id));
  const kept = new Set(keptSchema.parse(await run(recordingsStatement(id))).map(({ sha256 }) => sha256));
  return (recording) => recording.conversation_id === id && kept.has(recording.sha256);
}

function without(change: Changes, isKept: (recording: RecordingChange) => boolean): Changes {
  return { ...change, recordings: change.recordings.filter((recording) => !isKept(recording)) };
}

/** @param whereGone  Never returns: a body that was there a statement ago is gone. */
async function readChanges(run: Run, events: readonly Foldable[], whereGone: () => Promise<never>): Promise<Changes[]> {
  const ledger = ledgerOn({ run: (work) => work(run, async (statement) => void (await run(statement))) });
  const bodies = await ledger.bodies(events.map(({ id }) => id));
  const deliveries = bodies.flatMap(({ delivery }) => (delivery === undefined ? [] : [delivery]));
  if (deliveries.length < events.length) return whereGone();
  return deliveries.flatMap((delivery) => {
    const event = normalise(delivery);
    return event.outcome === 'applied' ? [{ ...event.changes, profile: null }] : [];
  });
}

/** Retention has dropped a day between two statements. Counts again, for that day may be in any part of the call. @param listed  How many events it had. */
async function goneMeanwhile(run: Run, id: string, listed: number): Promise<ConversationRefusal> {
  const { events, withoutBody } = await readPlan(run, id);
  return { outcome: 'bodies_gone', events: listed, withoutBody: listed - (events - withoutBody) };
}
