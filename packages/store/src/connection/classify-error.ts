import { adviceFor } from './advice.ts';
import { StoreError, type FaultClass } from '../errors.ts';
import { classifyPoolerError } from './pooler-errors.ts';

/** Codes in full, or their first two characters: SQLSTATE's classes, Prisma's codes, Node's codes. */
const CLASSES: readonly (readonly [FaultClass, readonly string[]])[] = [
  ['conflict', ['40001', '40003', '40P01', '55P03', 'P2034']],
  [
    'connection',
    ['08', '57P01', '57P02', '57P03', '57P04', '57P05', '25P03', 'P1001', 'P1002', 'P1008', 'P1017', 'P1018'].concat([
      'ECONNREFUSED',
      'ECONNRESET',
      'EPIPE',
      'ETIMEDOUT',
      'EHOSTUNREACH',
      'ENETUNREACH',
      'ENOTFOUND',
      'EAI_AGAIN',
      'EHOSTDOWN',
      'ENETDOWN',
    ]),
  ],
  // 25006: it only reads, as a replica does and as many hosts make one whose disk is full.
  ['resources', ['53', '58000', '58030', '25006', 'P2037']],
  ['timeout', ['57014', '25P04', 'P2028', 'P2024']],
  [
    'configuration',
    ['28', '3D000', '42501', '42P01', '42703', 'P1000', 'P1003', 'P1010', 'P1011', 'P2021', 'P2022', 'ERR_INVALID_URL'],
  ],
  ['data', ['22', '23502', '23514', '54000', '54001']],
  ['corruption', ['XX']],
];

/**
 * What is said without a SQLSTATE, or under a code that means several things (P2028: no connection, or too slow a
 * transaction). The server's own limit comes before a read time-out: where that is met, nobody is there to answer.
 */
const UNANSWERED =
  /Connection terminated|timeout exceeded when trying to connect|Query read timeout|not queryable|Can't reach database|Unable to start a transaction/i;

/**
 * Reads any error of Prisma, its adapter, pg or Node as a `StoreError`. By SQLSTATE first: raw queries always fail as
 * P2010, a failure at COMMIT has no Prisma code at all, and a message may quote the event, whatever that says.
 *
 * @param databaseUrl  Where it happened: what to do about it names user, database and schema.
 */
export function classifyError(error: unknown, databaseUrl = ''): StoreError {
  if (error instanceof StoreError) return error;
  const message = messageOf(error);
  const [faultClass, code] = classOf(error, message);
  return new StoreError(message, { faultClass, code, cause: error, advice: adviceFor(code, databaseUrl) });
}

function classOf(error: unknown, message: string): [faultClass: FaultClass, code: string] {
  const { sqlState, codes } = codesOf(error);
  const byPooler = classifyPoolerError(sqlState, message);
  if (byPooler !== undefined) return [byPooler, sqlState ?? codes[0] ?? 'unknown'];
  if (sqlState === undefined && UNANSWERED.test(message)) return ['connection', codes[0] ?? 'unknown'];
  for (const code of sqlState === undefined ? codes : [sqlState]) {
    const found = CLASSES.find(([, known]) => known.some((c) => (c.length === 2 ? code.startsWith(c) : c === code)));
    if (found) return [found[0], code];
  }
  return ['unknown', sqlState ?? codes[0] ?? 'unknown'];
}

/** Postgres' own words where there are any, without Prisma's around them. */
function messageOf(error: unknown): string {
  const causes = [at(error, 'meta', 'driverAdapterError', 'cause'), at(error, 'cause')];
  const said = causes.map((cause) => at(cause, 'originalMessage')).find((text) => typeof text === 'string');
  return said ?? spokenOut(error instanceof Error ? error.message.trim() : String(error), causes);
}

/** The adapter names some errors in one word, and Node says no more of a URL that it cannot read. */
function spokenOut(message: string, causes: readonly unknown[]): string {
  if (message === 'Invalid URL') {
    return 'The URL of the database cannot be read. In a user name and a password, write @ : / ? # [ ] and % as %40 %3A %2F %3F %23 %5B %5D and %25';
  }
  if (message !== 'DatabaseNotReachable') return message;
  const named = ['host', 'port'].map((name) => causes.map((cause) => at(cause, name)).find(Boolean));
  const [host, port] = named.map((part) => (typeof part === 'string' || typeof part === 'number' ? part : undefined));
  return `No Postgres answers at ${host ?? 'its address'}${port === undefined ? '' : `, port ${port}`}`;
}

/** The SQLSTATE that the error carries, else Prisma's and Node's codes, the most telling first. */
function codesOf(error: unknown): { sqlState: string | undefined; codes: string[] } {
  const causes = [at(error, 'meta', 'driverAdapterError', 'cause'), at(error, 'cause')];
  const sqlState = causes.map((cause) => at(cause, 'originalCode')).find((code) => typeof code === 'string');
  const kinds = causes.map((cause) => kindCode(at(cause, 'kind')));
  const codes = [...kinds, at(error, 'code'), at(error, 'cause', 'code')].filter((code) => typeof code === 'string');
  return { sqlState, codes };
}

/** The adapter names some errors instead of passing their code on. */
const KINDS: Readonly<Record<string, string>> = {
  TransactionWriteConflict: '40001',
  DatabaseNotReachable: 'P1001',
  ConnectionClosed: 'P1017',
  SocketTimeout: 'P1008',
  TooManyConnections: '53300',
  AuthenticationFailed: '28P01',
  DatabaseAccessDenied: '42501',
  DatabaseDoesNotExist: '3D000',
  TableDoesNotExist: '42P01',
  ColumnNotFound: '42703',
  LengthMismatch: '22001',
  ValueOutOfRange: '22003',
  NullConstraintViolation: '23502',
  InvalidInputValue: '22P02',
  TlsConnectionError: 'P1011',
};

function kindCode(kind: unknown): string | undefined {
  return typeof kind === 'string' ? KINDS[kind] : undefined;
}

function at(value: unknown, ...path: string[]): unknown {
  let current = value;
  for (const name of path) {
    if (typeof current !== 'object' || current === null) return undefined;
    current = Reflect.get(current, name);
  }
  return current;
}
