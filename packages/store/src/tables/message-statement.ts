import type { MessageChange } from '@landline/webhook/changes';
import { isObject } from '@landline/webhook/json';
import { fromMs, json, plainArray, textArray, type Parameter, type Statement } from '../connection/statement.ts';

type Name = keyof MessageChange;

/** How a column travels. */
interface Column {
  /** The type of the array that the parameter is sent as. */
  sent: string;
  /** What makes the column's value of an element, where that is not the value itself. */
  read?: (element: string) => string;
  parameter: (messages: readonly MessageChange[]) => Parameter;
  /** Whether a message leaves the column as its default is. The column is not sent where all messages do. */
  isEmpty?: (message: MessageChange) => boolean;
}

/** The columns, in the order of the statement's parameters. A field of `MessageChange` without one does not compile. */
const COLUMNS: Readonly<Record<Name, Column>> = {
  conversation_id: { sent: 'text', parameter: (messages) => textArray(messages.map((m) => m.conversation_id)) },
  source: { sent: 'text', parameter: (messages) => plainArray(messages.map((m) => m.source)) },
  event_key: { sent: 'text', parameter: (messages) => textArray(messages.map((m) => m.event_key)) },
  position: {
    sent: 'int',
    parameter: (messages) => plainArray(messages.map((m) => m.position)),
    isEmpty: (m) => m.position === null,
  },
  role: { sent: 'text', parameter: (messages) => plainArray(messages.map((m) => m.role)) },
  content: { sent: 'text', parameter: (messages) => textArray(messages.map((m) => m.content)) },
  language: {
    sent: 'text',
    parameter: (messages) => textArray(messages.map((m) => m.language)),
    isEmpty: (m) => m.language === null,
  },
  time_in_call_seconds: {
    sent: 'float8',
    parameter: (messages) => plainArray(messages.map((m) => m.time_in_call_seconds)),
    isEmpty: (m) => m.time_in_call_seconds === null,
  },
  interrupted: {
    sent: 'boolean',
    parameter: (messages) => plainArray(messages.map((m) => m.interrupted)),
    isEmpty: (m) => m.interrupted === null,
  },
  details: {
    sent: 'text',
    read: (element) => `${element}::jsonb`,
    parameter: (messages) => textArray(messages.map((m) => json(m.details))),
    isEmpty: ({ details }) => isObject(details) && Object.keys(details).length === 0,
  },
  created_at: {
    sent: 'float8',
    read: fromMs,
    parameter: (messages) => plainArray(messages.map((m) => m.created_at)),
  },
  clock: { sent: 'uuid', parameter: (messages) => plainArray(messages.map((m) => m.clock)) },
};

const KEY: readonly string[] = ['conversation_id', 'source', 'event_key'] satisfies Name[];

/**
 * Inserts messages, one statement for all. A message that is there already under its key is replaced only by a later
 * account of it.
 *
 * @param messages  At most one for a key, sorted by key.
 */
export function messageStatement(messages: readonly MessageChange[]): Statement {
  const columns = Object.entries(COLUMNS).filter(
    ([, { isEmpty }]) => isEmpty === undefined || !messages.every(isEmpty),
  );
  return {
    sql: insertSql(columns),
    parameters: columns.map(([, { parameter }]) => parameter(messages)),
  };
}

function insertSql(columns: readonly (readonly [name: string, column: Column])[]): string {
  const names = columns.map(([name]) => name).join(', ');
  // A column that is not sent has its default in EXCLUDED.
  const others = Object.keys(COLUMNS).filter((name) => !KEY.includes(name));
  return `
    INSERT INTO conversation_messages AS t (${names})
    SELECT ${columns.map(([name, { read }]) => read?.(`e.${name}`) ?? `e.${name}`).join(', ')}
    FROM unnest(${columns.map(([, { sent }], i) => `$${i + 1}::${sent}[]`).join(', ')}) AS e (${names})
    ON CONFLICT (${KEY.join(', ')}) DO UPDATE SET
      ${others.map((name) => `${name} = EXCLUDED.${name}`).join(',\n      ')}
    WHERE t.clock < EXCLUDED.clock`;
}
