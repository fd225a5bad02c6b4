import { openTransactions } from '../connection/transactions.ts';
import { ledgerOn, type Ledger } from './ledger.ts';

/** How to open a ledger. */
export interface LedgerOptions {
  /** postgresql://…; best the reader's. With `?schema=` the tables are those of that schema. */
  databaseUrl: string;
  /** How long one statement may run, in milliseconds. */
  statementTimeoutMs?: number;
}

/** A search reads a part while it looks at the one before. */
const CONNECTIONS = 2;

/** A ledger on connections of its own. */
export interface OpenLedger extends Ledger {
  close(): Promise<void>;
}

/** Opens the ledger for a process that only reads, in transactions that are read only; it connects with the first question. */
export function openLedger(options: LedgerOptions): OpenLedger {
  const transactions = openTransactions({ ...options, poolSize: CONNECTIONS, isReadOnly: true });
  return { ...ledgerOn(transactions), close: () => transactions.close() };
}
