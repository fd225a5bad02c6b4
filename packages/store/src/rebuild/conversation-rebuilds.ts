import { openTransactions, type Run, type Transactions } from '../connection/transactions.ts';
import { StoreError } from '../errors.ts';
import {
  readPlan,
  rebuildConversation,
  type ConversationPlan,
  type ConversationRefusal,
  type LowerRow,
} from './rebuild-conversation.ts';
import { shortLimits, STOP_WRITERS } from './rebuild-statements.ts';

/**
 * How long it waits for a lock, in ms. Postgres looks for rings after 1,000 ms (deadlock_timeout), and ends the one that has looked: where an erasure and a
 * rebuild wait for each other, the rebuild must have given way by then.
 */
const LOCK_MS = 500;
/** How long a statement may run, in ms, while others wait for what it holds. */
const STATEMENT_MS = 60_000;
/** How long all events wait for it at most, in ms. */
const ALONE_MS = 2_000;

/** What became of a rebuild of one conversation; where it was refused, nothing has changed. */
export type RebuiltConversation = { outcome: 'rebuilt'; events: number } | ConversationRefusal;

/** Rebuilds of single conversations, in the tables that are read. Every method that fails throws a `StoreError`. */
export interface ConversationRebuilds {
  /** Says what a rebuild would be about. */
  plan(id: string): Promise<ConversationPlan>;
  /**
   * Makes a conversation's rows anew from its applied events: in `conversations`, messages, tool calls and commands. Of recordings stays where the audio lies and
   * that it was deleted. Safe to repeat, beside events that come and beside a rebuild of all tables. 55P03 where others hold its row for half a second: try again.
   */
  rebuild(id: string): Promise<RebuiltConversation>;
  close(): Promise<void>;
}

/** Opens them; connects with the first question. @param isReadOnly  For who only asks for plans. */
export function openConversationRebuilds({
  databaseUrl,
  isReadOnly = false,
}: {
  databaseUrl: string;
  isReadOnly?: boolean;
}): ConversationRebuilds {
  const limits = { statementTimeoutMs: STATEMENT_MS, lockTimeoutMs: LOCK_MS };
  return conversationRebuildsOn(openTransactions({ databaseUrl, poolSize: 1, isReadOnly, ...limits }));
}

/** Limits of an attempt that keeps all writers away, in ms. */
interface AloneLimits {
  aloneMs: number;
  lockMs: number;
}

/**
 * Makes them in these transactions, and closes them with itself.
 *
 * @param limits  How long all events wait for one at most, and how long it waits for a lock meanwhile.
 */
export function conversationRebuildsOn(
  transactions: Transactions,
  { aloneMs = ALONE_MS, lockMs = LOCK_MS } = {},
): ConversationRebuilds {
  return {
    plan: (id) => transactions.run((run) => readPlan(run, id)),
    async rebuild(id) {
      const first = await attempt(transactions, id);
      if (first.outcome !== 'lower') return first;
      const alone = await attempt(transactions, id, { aloneMs, lockMs });
      if (alone.outcome === 'lower') throw new Error('A rebuild that is alone asks for no other one.');
      return alone;
    },
    close: () => transactions.close(),
  };
}

/**
 * Rebuilds in one transaction. A writer that finds a row not behind its event does not write it (docs/locks.md). Where the new row says less than the old one did,
 * the second attempt keeps all writers away, so that none has asked before.
 *
 * @param alone  How long it keeps all writers away at most; undefined: it does not.
 */
async function attempt(
  transactions: Transactions,
  id: string,
  alone?: AloneLimits,
): Promise<RebuiltConversation | LowerRow> {
  let stopped: ConversationRefusal | LowerRow | undefined;
  const stop = (why: ConversationRefusal | LowerRow): never => {
    stopped = why;
    throw new Error(`The rebuild stops: ${why.outcome}.`);
  };
  const until = performance.now() + (alone?.aloneMs ?? Infinity);
  try {
    const events = await transactions.run(async (run) => {
      if (alone === undefined) return rebuildConversation(run, id, { isAlone: false, stop });
      const inTime = runUntil(run, { until, lockMs: alone.lockMs }, () => stop({ outcome: 'too_slow' }));
      await inTime(STOP_WRITERS);
      return rebuildConversation(inTime, id, { isAlone: true, stop });
    });
    return { outcome: 'rebuilt', events };
  } catch (error) {
    if (stopped !== undefined) return stopped;
    if (error instanceof StoreError && error.code === CANCELLED && performance.now() >= until) {
      return { outcome: 'too_slow' };
    }
    throw error;
  }
}

/** Postgres says so of a statement that took longer than it may. */
const CANCELLED = '57014';

/** Runs statements until then. Where this process stands still, Postgres ends the transaction by then all the same. */
function runUntil(run: Run, { until, lockMs }: { until: number; lockMs: number }, stop: () => never): Run {
  return async (statement) => {
    const statementMs = Math.ceil(until - performance.now());
    if (statementMs <= 0) stop();
    await run(shortLimits({ lockMs, statementMs }));
    return run(statement);
  };
}
