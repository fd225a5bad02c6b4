import {
  FOLDED_AT_ONCE,
  StoreError,
  type AppliedEvents,
  type EventPosition,
  type Folded,
  type StoredBody,
} from '@landline/store';
import { counted } from '../counted.ts';
import type { OperationContext } from '../operation-kind.ts';
import { createPace } from '../pace.ts';
import type { RebuildPorts } from './rebuild-ports.ts';
import { rebuildCheckpointSchema } from './rebuild-request.ts';

/** With a rate, there are this many transactions a second. */
const TRANSACTIONS_A_SECOND = 4;

/** Transactions under way at once: while Postgres works on one, the next is parsed. */
const MOST_UNDER_WAY = 3;

/** A transaction under way, and what is reported when it is committed. */
interface UnderWay {
  ended: Promise<Counts>;
  last: EventPosition;
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
  const limits = { ...FOLDED_AT_ONCE, events: eventsAtOnce(operation.rate) };
  const underWay: UnderWay[] = [];

  function read(after: EventPosition | undefined): Promise<AppliedEvents> {
    const reading = context.retry(() => rebuilds.readApplied(after, limits));
    // It is awaited in its turn; until then its failure is nobody's.
    reading.catch(() => undefined);
    return reading;
  }

  async function settleFirst(): Promise<void> {
    const first = underWay.shift();
    if (first !== undefined) report(context, { ...(await first.ended), schema, last: first.last });
  }

  async function fold(bodies: readonly StoredBody[], last: EventPosition): Promise<void> {
    await pace.take(bodies.length, signal);
    while (underWay.length >= MOST_UNDER_WAY) await settleFirst();
    const ended = foldApart({ context, rebuilds, schema }, bodies);
    ended.catch(() => undefined);
    underWay.push({ ended, last });
  }

  try {
    // oxlint-disable no-await-in-loop -- one part after the other
    let reading = read(rebuildCheckpointSchema.parse(context.progress().checkpoint ?? {}).position);
    for (let isMore = true; isMore;) {
      const part = await reading;
      isMore = part.isMore;
      // The next part is read while this one is folded.
      if (isMore) reading = read(part.last);
      if (part.last !== undefined) await fold(part.bodies, part.last);
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
  /** Everything up to here is folded. */
  last: EventPosition;
}

function report(context: OperationContext, { schema, last, ...counts }: Settled): void {
  const { done, failed } = context.progress();
  const refused = failed + counts.refused;
  context.report({
    done: done + counts.done,
    failed: refused,
    message:
      refused === 0
        ? null
        : `${counted(refused, 'event')} ${refused === 1 ? 'is' : 'are'} applied in the ledger, and not by this version`,
    checkpoint: { schema, position: { receivedAt: last.receivedAt, id: last.id } },
  });
}
