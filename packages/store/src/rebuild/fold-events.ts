import { normalise, type Delivery } from '@landline/webhook';
import { z } from 'zod';
import type { Run } from '../connection/transactions.ts';
import { ledgerOn, type StoredBody } from '../find/ledger.ts';
import { chunksOf } from '../find/search-text.ts';
import { carryEventsStatement } from './carry-statements.ts';
import { writeChanges } from '../write-rows.ts';
import { foldableStatement, searchFirst, searchOnly } from './rebuild-statements.ts';

/** Events in one transaction, and bytes of their bodies: as many as the worker applies at once. */
export const FOLDED_AT_ONCE = { events: 1_000, bytes: 4 * 1024 * 1024 };

/** Where events are folded to. */
export interface FoldTarget {
  /** The rebuild's. */
  schema: string;
  /** That of the tables that are read; undefined: as role and database say. */
  place: string | undefined;
}

/** An event of the ledger that is applied there. */
type Applied = Extract<ReturnType<typeof normalise>, { outcome: 'applied' }>;

/** What became of events. */
export interface Folded {
  folded: number;
  /** Events that are applied in the ledger, and that this version does not apply. */
  refused: number;
  /** Ids of events whose body is gone, also where what is left of it does not tell what was applied. */
  gone: string[];
}

/** Folds events into the rebuilt tables with the product's own code, inside one transaction. Safe to repeat. */
export async function foldEvents(
  run: Run,
  bodies: readonly StoredBody[],
  { schema, place }: FoldTarget,
): Promise<Folded> {
  const { events, refused, gone } = readEvents(bodies);
  if (events.length > 0) {
    await run(searchFirst(schema));
    await writeChanges(
      events.map((event) => event.changes),
      run,
    );
    await run(searchOnly(place));
  }
  if (gone.length > 0) await run(carryEventsStatement(schema, gone));
  return { folded: events.length, refused, gone };
}

function readEvents(bodies: readonly StoredBody[]): { events: Applied[]; refused: number; gone: string[] } {
  const events: Applied[] = [];
  const gone: string[] = [];
  let refused = 0;
  for (const { id, delivery } of bodies) {
    const event = delivery === undefined ? undefined : normalise(delivery);
    if (event?.outcome === 'applied') events.push(event);
    else if (delivery === undefined || isEnvelopeOfDead(delivery)) gone.push(id);
    else refused += 1;
  }
  return { events, refused, gone };
}

/** The first delivery of the event was dead by its reference, which the ledger keeps, and a later one was applied. */
function isEnvelopeOfDead({ reference }: Delivery): boolean {
  return reference?.fault !== undefined;
}

const foldableSchema = z.array(z.object({ id: z.string(), storedBytes: z.number().nullable() }));

/** Folds these events of the ledger, as far as they are applied there, inside one transaction. */
export async function foldFromLedger(run: Run, ids: readonly string[], target: FoldTarget): Promise<void> {
  if (ids.length === 0) return;
  const events = foldableSchema.parse(await run(foldableStatement(ids)));
  const ledger = ledgerOn({ run: (work) => work(run, async (statement) => void (await run(statement))) });
  for (const chunk of chunksOf(events, FOLDED_AT_ONCE)) {
    // oxlint-disable no-await-in-loop -- so that not all bodies are held at once
    const there = chunk.flatMap(({ id, storedBytes }) => (storedBytes === null ? [] : [id]));
    const gone = chunk.flatMap(({ id, storedBytes }): StoredBody[] =>
      storedBytes === null ? [{ id, delivery: undefined, body: undefined }] : [],
    );
    await foldEvents(run, [...gone, ...(await ledger.bodies(there))], target);
    // oxlint-enable no-await-in-loop
  }
}
