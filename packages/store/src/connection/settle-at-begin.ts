/**
 * Makes a connection send settings in the message of each BEGIN, which saves a transaction a round trip. Prisma's adapter sends the BEGIN by
 * itself, and has no place for more. Not for transactions with an isolation level: Postgres takes none after a statement.
 *
 * @param connection  One of pg.
 * @param settings    A statement without parameters: it goes as the adapter's BEGIN goes, by the simple protocol.
 */
export function settleAtBegin(connection: object, settings: string): void {
  const query: unknown = Reflect.get(connection, 'query');
  if (typeof query !== 'function') throw new TypeError('A connection without the function query was given.');
  const text = `BEGIN;\n${settings}`;
  Reflect.set(connection, 'query', (...args: unknown[]): unknown => {
    const [first, ...rest] = args;
    return Reflect.apply(query, connection, isBegin(first) ? [{ ...first, text }, ...rest] : args);
  });
}

/** @throws Error for another BEGIN than the adapter's: its transaction would have no settings, and nobody would notice. */
function isBegin(statement: unknown): statement is { text: string } {
  if (typeof statement !== 'object' || statement === null || !('text' in statement)) return false;
  const { text } = statement;
  if (text === 'BEGIN') return true;
  if (typeof text !== 'string' || !/^\s*(BEGIN|START)\b/i.test(text)) return false;
  throw new Error(`A transaction begins without its settings: ${text.slice(0, 40)}`);
}
