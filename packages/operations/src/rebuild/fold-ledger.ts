import { chunksOf, FOLDED_AT_ONCE, StoreError, type Folded, type SizedEvent, type StoredBody } from '@landline/store';
import type { OperationContext } from '../operation-kind.ts';
import { createPace } from '../pace.ts';
import type { RebuildPorts } from './rebuild-ports.ts';
import { rebuildCheckpointSchema } from './rebuild-request.ts';

/** Events of the ledger that are listed at once. */
const PAGE = 5_000;

/** With a rate, there are this many transactions a second. */
const TRANSACTIONS_A_SECOND = 4;

/** Transactions under way at once: while Postgres works on one, the next is parsed. */
const MOST_UNDER_WAY = 3;

/** A transaction under way, and what is reported when it is committed. */
interface UnderWay {
  ended: Promise<Counts>;
  last: SizedEvent;
}

/** Events that were gone through. */
interface Counts {
  /** Also those whose body is gone: their conversations are carried over. */
  done: number;
  /** Applied in the ledger, and not by this version. */
  refused: number;
}

/**
 * Folds all applied events of the ledger, in the order of their receipt, from the checkpoint on. Events that come meanwhile may be among them; all of them are
 * noted as well.
 */
export async function foldLedger(context: OperationContext, { rebuilds }: RebuildPorts, schema: string): Promise<void> {
  const { operation, signal } = context;
  const pace = createPace(operation.rate);
  const most = { ...FOLDED_AT_ONCE, events: eventsAtOnce(operation.rate) };
  const underWay: UnderWay[] = [];
  let after = rebuildCheckpointSchema.parse(context.progress().checkpoint ?? {}).position;
  let isMore = true;

  async function settleFirst(): Promise<void> {
    const first = underWay.shift();
    if (first !== undefined) report(context, { ...(await first.ended), schema, last: first.last });
  }

  async function foldChunk(events: readonly SizedEvent[], last: SizedEvent): Promise<void> {
    await pace.take(events.length, signal);
    while (underWay.length >= MOST_UNDER_WAY) await settleFirst();
    const bodies = await context.retry(() => rebuilds.ledger.bodies(idsWithBody(events)));
    const ended = foldApart({ context, rebuilds, schema }, [...bodies, ...goneOf(events)]);
    // It is awaited in its turn; until then its failure is nobody's.
    ended.catch(() => undefined);
    underWay.push({ ended, last });
  }

  try {
    // oxlint-disable no-await-in-loop -- one page after the other
    while (isMore) {
      const options = { order: 'oldest', after, limit: PAGE } as const;
      const page = await context.retry(() => rebuilds.ledger.page({ outcome: 'applied' }, options));
      for (const chunk of chunksOf(page, most)) {
        const last = chunk.at(-1);
        if (last !== undefined) await foldChunk(chunk, last);
      }
      after = page.at(-1);
      isMore = page.length === PAGE;
    }
    while (underWay.length > 0) await settleFirst();
    // oxlint-enable no-await-in-loop
  } finally {
    await Promise.allSettled(underWay.map(({ ended }) => ended));
  }
}

function eventsAtOnce(rate: number | null): number {
  const { events } = FOLDED_AT_ONCE;
  return rate === null ? events : Math.max(1, Math.min(events, Math.floor(rate / TRANSACTIONS_A_SECOND)));
}

function idsWithBody(events: readonly SizedEvent[]): string[] {
  return events.flatMap(({ id, storedBytes }) => (storedBytes === null ? [] : [id]));
}

function goneOf(events: readonly SizedEvent[]): StoredBody[] {
  return events.flatMap(({ id, storedBytes }) =>
    storedBytes === null ? [{ id, delivery: undefined, body: undefined }] : [],
  );
}

interface Folding extends Pick<RebuildPorts, 'rebuilds'> {
  context: OperationContext;
  schema: string;
}

/** Folds events in one transaction; where Postgres refuses one of them, halves them until that one stands alone. */
async function foldApart(folding: Folding, bodies: readonly StoredBody[]): Promise<Counts> {
  const { context, rebuilds, schema } = folding;
  try {
    const folded: Folded = await context.retry(() => rebuilds.fold(schema, bodies));
    return { done: bodies.length - folded.refused, refused: folded.refused };
  } catch (error) {
    if (!(error instanceof StoreError) || error.faultClass !== 'data') throw error;
    if (bodies.length <= 1) return { done: 0, refused: bodies.length };
  }
  const middle = Math.ceil(bodies.length / 2);
  const first = await foldApart(folding, bodies.slice(0, middle));
  const second = await foldApart(folding, bodies.slice(middle));
  return { done: first.done + second.done, refused: first.refused + second.refused };
}

interface Settled extends Counts {
  schema: string;
  /** Everything up to this event is folded. */
  last: SizedEvent;
}

function report(context: OperationContext, { schema, last, ...counts }: Settled): void {
  const { done, failed } = context.progress();
  const refused = failed + counts.refused;
  context.report({
    done: done + counts.done,
    failed: refused,
    message: refused === 0 ? null : `${refused} events are applied in the ledger, and this version does not apply them`,
    checkpoint: { schema, position: { receivedAt: last.receivedAt, id: last.id } },
  });
}
