import { openTransactions } from '../connection/transactions.ts';
import { ledgerOn, type Ledger } from '../find/ledger.ts';
import { erasingOn, type ErasurePlan } from '../forget/erasing.ts';
import type { Subject } from '../forget/subject.ts';
import { operationsOn, type OperationStore } from '../operations/operation-store.ts';
import { readEventBeginning, readEventRow, selectEvent, type EventBeginning, type StoredEvent } from '../read/event.ts';
import { ATTENTION, readAttention, type Attention } from './attention.ts';
import { conversationLookupOn, type ConversationLookup } from './conversation-lookup.ts';
import { failureLookupOn, type FailureLookup } from './failure-lookup.ts';
import { isUuid } from './given-ids.ts';
import { reconcileLookupOn, type ReconcileLookup } from './reconcile-lookup.ts';
import { rejectedLookupOn, type RejectedLookup } from './rejected-lookup.ts';

/** How to open the look-ups. */
export interface LookupOptions {
  /** postgresql://…; best the reader's. With `?schema=` the tables are those of that schema. */
  databaseUrl: string;
  /** Connections at most. */
  poolSize?: number;
  /** How long one statement may run, in milliseconds. */
  statementTimeoutMs?: number;
}

/** All that the console looks up, and no way to change anything. Every method that fails throws a `StoreError`. */
export interface Lookups {
  readonly ledger: Ledger;
  readonly conversations: ConversationLookup;
  readonly failures: FailureLookup;
  readonly rejected: RejectedLookup;
  /** What comparisons with the provider have found. */
  readonly reconcile: ReconcileLookup;
  /** Of the table of operations what reads. */
  readonly operations: Pick<OperationStore, 'get' | 'list' | 'isUnderWay'>;
  /** Reads one event of the ledger with its body; undefined where there is none. @param id The ledger id. */
  event(id: string): Promise<StoredEvent | undefined>;
  /** Reads one event with the first bytes of its body, be it none: the body may have MiBs. Undefined where there is no such event. */
  eventBeginning(id: string, firstBytes: number): Promise<EventBeginning | undefined>;
  /** Counts what there is of somebody, or of a call, who is to be forgotten. */
  erasurePlan(subject: Subject): Promise<ErasurePlan>;
  /** Counts what may need somebody. */
  attention(): Promise<Attention>;
  /** Resolves when the database answers. */
  ping(): Promise<void>;
  /** Closes all connections. */
  close(): Promise<void>;
}

/** Opens the look-ups, in transactions that are read only; they connect with the first question. @throws ConfigurationError for a URL that cannot be meant */
export function openLookups({ databaseUrl, poolSize = 4, statementTimeoutMs = 5_000 }: LookupOptions): Lookups {
  const transactions = openTransactions({ databaseUrl, poolSize, statementTimeoutMs, isReadOnly: true });
  const operations = operationsOn(transactions);
  const erasing = erasingOn(transactions);
  return {
    ledger: ledgerOn(transactions),
    conversations: conversationLookupOn(transactions),
    failures: failureLookupOn(transactions),
    rejected: rejectedLookupOn(transactions),
    reconcile: reconcileLookupOn(transactions),
    operations: {
      get: async (id) => (isUuid(id) ? operations.get(id) : undefined),
      list: (limit, page) => operations.list(limit, page),
      isUnderWay: (kind) => operations.isUnderWay(kind),
    },
    event: async (id) =>
      isUuid(id)
        ? transactions.run(async (run) =>
            readEventRow(await run({ sql: selectEvent('$1::text::uuid'), parameters: [id] })),
          )
        : undefined,
    eventBeginning: async (id, firstBytes) =>
      isUuid(id)
        ? transactions.run(async (run) => {
            const sql = selectEvent('$1::text::uuid', '$2::text::int');
            return readEventBeginning(await run({ sql, parameters: [id, String(firstBytes)] }));
          })
        : undefined,
    erasurePlan: (subject) => erasing.plan(subject),
    attention: () => transactions.run(async (run) => readAttention(await run(ATTENTION))),
    ping: () => transactions.run(async () => undefined),
    close: () => transactions.close(),
  };
}
