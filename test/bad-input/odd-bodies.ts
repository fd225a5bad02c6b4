/** A verified body that breaks simple implementations, and that Landline accepts. */
export interface OddRow {
  name: string;
  /** Makes the body for a conversation, by whose id the test finds the row. */
  body: (conversationId: string) => string | Buffer;
  /** The table and the columns that the event must give; undefined for an event that is only recorded. */
  row?: { table: keyof typeof COLUMNS; columns: Readonly<Record<string, unknown>> };
  /** The conversation's id in the tables, where it differs from the one that was sent. */
  storedId?: (conversationId: string) => string;
}

type Columns = Readonly<Record<string, unknown>>;

/** Makes a conversation.message whose data is `"conversation_id": …` and then `fields`, a JSON text. */
function message(name: string, fields: string, columns: Columns): OddRow {
  return {
    name,
    body: (id) => `{"type": "conversation.message", "data": {"conversation_id": ${JSON.stringify(id)}, ${fields}}}`,
    row: { table: 'conversation_messages', columns },
  };
}

function conversation(type: string, name: string, fields: string, columns: Columns): OddRow {
  return {
    name,
    body: (id) => `{"type": "${type}", "data": {"conversation_id": ${JSON.stringify(id)}, ${fields}}}`,
    row: { table: 'conversations', columns },
  };
}

const transcription = (name: string, fields: string, columns: Columns) =>
  conversation('post_call_transcription', name, fields, columns);

function ignored(name: string, event: object): OddRow {
  return { name, body: (id) => JSON.stringify({ ...event, about: id }) };
}

const MEGABYTE = 'x'.repeat(1_000_000);

/** The columns to select: jsonb as exact text; `is_now` is whether the event's time is that of its signature. */
export const COLUMNS = {
  conversation_messages: `role, content, language, time_in_call_seconds, interrupted, source, details::text,
    abs(extract(epoch FROM created_at - now())) < 300 AS is_now, event_key`,
  conversations: `agent_id, user_id, status, language, dialect, duration_seconds, end_reason, title, summary,
    call_successful, cost_credits, analysis::text, metadata::text, ended_at, external_number, channel,
    abs(extract(epoch FROM started_at - now())) < 300 AS is_now`,
  agent_tool_calls: 'tool_name, parameters::text, result::text, is_error, latency_seconds',
};

/** Odd bodies that Landline accepts. */
export const ODD_BODIES: readonly OddRow[] = [
  message('a string of a megabyte', `"text": "${MEGABYTE}"`, { content: MEGABYTE }),
  message('U+0000 in a text', String.raw`"text": "a\u0000b"`, { content: 'a\ufffdb' }),
  message('U+0000 in a key', String.raw`"k\u0000": "v\u0000"`, { details: '{"k\ufffd": "v\ufffd"}' }),
  message('a lone surrogate', String.raw`"text": "a\ud800b"`, { content: 'a\ufffdb' }),
  message('halves of a surrogate the wrong way round', String.raw`"x": ["\udc00\ud800"]`, {
    details: '{"x": ["\ufffd\ufffd"]}',
  }),
  message('an emoji as escapes', String.raw`"text": "\ud83d\udce5"`, { content: '📥' }),
  message('non-characters', '"text": "\uffff\u{10ffff}\u202e"', { content: '\uffff\u{10ffff}\u202e' }),
  message('huge integers', '"a": 12345678901234567890, "b": -9007199254740993', {
    details: '{"a": "12345678901234567890", "b": "-9007199254740993"}',
  }),
  message('numbers past a double', '"a": 1e400, "b": -1e999999', { details: '{"a": "1e400", "b": "-1e999999"}' }),
  message('numbers that vanish', '"a": 1e-400, "time_in_call_secs": 5e-324', {
    details: '{"a": 0}',
    time_in_call_seconds: 5e-324,
  }),
  message('__proto__', '"__proto__": {"role": "user"}, "constructor": {"prototype": 1}', {
    role: null,
    details: '{"__proto__": {"role": "user"}, "constructor": {"prototype": 1}}',
  }),
  message('duplicate keys: the last counts', '"role": "user", "role": "agent", "text": "a", "text": "b"', {
    role: 'agent',
    content: 'b',
  }),
  message('an unknown role', '"role": "narrator", "text": "a"', { role: null, details: '{"role": "narrator"}' }),
  message('a text that is an object', '"text": {"a": 1}', { content: null, details: '{"text": {"a": 1}}' }),
  message('an empty text', '"text": ""', { content: null, details: '{"text": ""}' }),
  message('a time that is no time', '"timestamp": "yesterday"', {
    is_now: true,
    details: '{"timestamp": "yesterday"}',
  }),
  message('a negative time', '"timestamp": -1', { is_now: true }),
  message('a time past the year 9999', '"timestamp": 1e300', { is_now: true }),
  message('a time that is an object', '"timestamp": {"seconds": 1}', { is_now: true }),
  message('a time of day that does not exist', '"timestamp": "2026-02-31T25:61:00Z"', { is_now: true }),
  message('an over-long message id', `"message_id": "${'m'.repeat(300)}", "text": "a"`, { content: 'a' }),
  message('quotes and semicolons', `"text": "'; DROP TABLE webhook_events; --"`, {
    content: "'; DROP TABLE webhook_events; --",
  }),
  message('braces as Postgres writes arrays', '"text": "{NULL,\\"a\\"}"', { content: '{NULL,"a"}' }),
  message('the text NULL', '"text": "NULL"', { content: 'NULL' }),
  message('backslashes', String.raw`"text": "\\x00\\N\\."`, { content: String.raw`\x00\N\.` }),
  message('a key without a name', '"": {"": []}', { details: '{"": {"": []}}' }),
  message('nesting just within the limit', `"x": ${'['.repeat(254)}${']'.repeat(254)}`, {
    details: `{"x": ${'['.repeat(254)}${']'.repeat(254)}}`,
  }),
  {
    name: 'a byte order mark',
    body: (id) => `\ufeff{"type": "conversation.message", "conversation_id": "${id}", "text": "a"}`,
    row: { table: 'conversation_messages', columns: { content: 'a' } },
  },
  {
    name: 'white space all around',
    body: (id) => `\r\n\t {"type":"conversation.message","conversation_id":"${id}","text":"a"}\n\n`,
    row: { table: 'conversation_messages', columns: { content: 'a' } },
  },
  {
    name: 'no data, the ids at the top',
    body: (id) => `{"event": "conversation.message", "data": null, "conversation_id": "${id}", "text": "a"}`,
    row: { table: 'conversation_messages', columns: { content: 'a' } },
  },
  {
    name: 'two types: the last counts',
    body: (id) => `{"type": "nonsense", "type": "conversation.message", "conversation_id": "${id}", "text": "a"}`,
    row: { table: 'conversation_messages', columns: { content: 'a' } },
  },
  {
    name: 'a conversation id with U+0000',
    body: (id) => `{"type": "conversation.message", "conversation_id": "${id}\\u0000", "text": "a"}`,
    storedId: (id) => `${id}\ufffd`,
    row: { table: 'conversation_messages', columns: { content: 'a' } },
  },
  {
    name: 'a conversation id of 256 characters',
    body: (id) => `{"type": "conversation.message", "conversation_id": "${id.padEnd(256, '漢')}", "text": "a"}`,
    storedId: (id) => id.padEnd(256, '漢'),
    row: { table: 'conversation_messages', columns: { content: 'a' } },
  },
  conversation('conversation.started', 'an over-long user id', `"user_id": "${'u'.repeat(300)}", "language": "en"`, {
    user_id: null,
    language: 'en',
    metadata: JSON.stringify({ user_id: 'u'.repeat(300) }).replace(':', ': '),
  }),
  conversation('conversation.started', 'a language that is none', '"language": "!!", "channel": 5', {
    language: null,
    channel: '5',
    metadata: '{"language": "!!"}',
  }),
  conversation('conversation.ended', 'durations that are none', '"duration_seconds": "long", "reason": []', {
    status: 'ended',
    duration_seconds: null,
    end_reason: null,
    metadata: '{"reason": [], "duration_seconds": "long"}',
  }),
  transcription(
    'metadata beyond all bounds',
    '"metadata": {"start_time_unix_secs": 1e308, "call_duration_secs": 1e308}',
    {
      is_now: true,
      duration_seconds: 1e308,
      ended_at: null,
    },
  ),
  transcription('an analysis that is a string', '"analysis": "good", "status": 7, "metadata": []', {
    status: 'done',
    analysis: null,
    metadata: '{"status": 7, "analysis": "good", "metadata": []}',
  }),
  transcription('turns that are none', '"transcript": [null, "a", 5, [], {"tool_calls": {}}]', { status: 'done' }),
  {
    name: 'tool calls of the wrong form',
    body: (id) =>
      `{"type": "post_call_transcription", "data": {"conversation_id": "${id}", "transcript": [{"tool_calls": [null],
        "tool_results": [{"result_value": "${'['.repeat(5000)}", "is_error": "no", "tool_latency_secs": "fast"}]}]}}`,
    row: {
      table: 'agent_tool_calls',
      columns: { tool_name: null, result: `"${'['.repeat(5000)}"`, is_error: null, latency_seconds: null },
    },
  },
  ignored('an unknown type', { type: 'voice_removed', data: { voice_id: 'v1' } }),
  ignored('an unknown type with data of any kind', { type: 'dubbing', data: 'text' }),
  ignored('a type that is a number', { type: 5 }),
  ignored('a type that every object has', { type: 'constructor' }),
  ignored('the type __proto__', { type: '__proto__' }),
  ignored('a known type in other letters', { type: 'Conversation.Started' }),
  ignored('a type with U+0000', { type: 'a\0b' }),
];
