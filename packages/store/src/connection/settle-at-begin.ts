/**
 * Makes a connection send settings in the message of each BEGIN, which saves a transaction a round trip. Prisma's adapter sends the BEGIN by
 * itself, and has no place for more.
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

function isBegin(statement: unknown): statement is { text: string } {
  return typeof statement === 'object' && statement !== null && 'text' in statement && statement.text === 'BEGIN';
}
