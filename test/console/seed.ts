/**
 * Seeds a ledger by SQL, so that a test knows by hand what each list holds.
 *
 * Everything goes by a number `i` from 1 on; the greater, the older. `NEWEST` is when the first was received and began.
 */
export interface Size {
  events: number;
  conversations: number;
}

/** When the newest event was received, and the newest conversation began. */
export const NEWEST = Date.UTC(2026, 0, 20, 12);

/** The time between two events, and between two conversations. */
export const EVENT_MS = 600;
export const CONVERSATION_MS = 6_000;

/** How many messages each of the newest conversations has; the last of those has `LONG_TURNS`. */
export const TURNS = 30;
export const LONG_TURNS = 1_000;

export const AGENTS = 5;
export const LANGUAGES = ['en', 'ar', 'de'] as const;
export const REJECTED = 2_000;
export const OPERATIONS = 300;

/** Returns the id of the i-th event. */
export const eventId = (i: number): string => `00000000-0000-4000-8000-${i.toString(16).padStart(12, '0')}`;

/** How many conversations have messages. */
export const withMessages = ({ conversations }: Size): number => conversations / 50;

/** The conversation of `LONG_TURNS` messages. */
export const longConversation = (size: Size): string => `conv_${withMessages(size)}`;

/** Statements in the order in which they run. */
export function seedStatements(size: Size): string[] {
  return [
    `SELECT landline_make_body_partitions(date '2026-01-01', date '2026-01-20')`,
    ...conversationStatements(size),
    ...eventStatements(size),
    rejectedStatement,
    operationsStatement,
    runsStatement,
    'VACUUM ANALYZE',
  ];
}

const at = (i: string, ms: number) => `(timestamptz '2026-01-20T12:00:00Z' - ${i} * interval '${ms} milliseconds')`;
const uuid = (i: string, of = '00000000-0000') => `('${of}-4000-8000-' || lpad(to_hex(${i}), 12, '0'))::uuid`;

function conversationStatements(size: Size): string[] {
  const spoken = withMessages(size);
  return [
    `INSERT INTO conversations (id, agent_id, user_id, external_number, status, language, channel, direction, duration_seconds,
       call_successful, completeness, title, summary, started_at, ended_at, created_at, updated_at)
     SELECT 'conv_' || i, 'agent_' || i % ${AGENTS}, 'user_' || i / 10, '+1202' || lpad((i / 10)::text, 7, '0'),
       CASE WHEN i % 50 = 3 THEN 'in_progress' WHEN i % 50 = 4 THEN 'failed' ELSE 'done' END,
       (ARRAY['en', 'ar', 'de'])[i % 3 + 1], CASE WHEN i % 4 = 0 THEN 'web' ELSE 'phone' END, 'inbound', i % 600,
       CASE WHEN i % 10 = 0 THEN 'failure' WHEN i % 10 = 1 THEN 'unknown' ELSE 'success' END,
       CASE WHEN i % 50 = 6 THEN 'missing' WHEN i % 1000 = 7 THEN 'unfetchable' ELSE 'complete' END, 'Order ' || i, repeat('The caller asked where their order is, and was told. ', 8) || CASE WHEN i % ${size.conversations / 4} = 7 THEN 'Marzipan.' ELSE '' END,
       ${at('i', CONVERSATION_MS)}, ${at('i', CONVERSATION_MS)} + interval '60 seconds', ${at('i', CONVERSATION_MS)}, ${at('i', CONVERSATION_MS)}
     FROM generate_series(1, ${size.conversations}) i`,
    `INSERT INTO conversation_messages (conversation_id, source, event_key, position, role, content, language, time_in_call_seconds, interrupted, details, created_at, clock)
     SELECT 'conv_' || i, 'transcript', 'turn:' || turn, turn, CASE WHEN turn % 2 = 0 THEN 'agent' ELSE 'user' END,
       'Turn ' || turn || ' of the call: it is so, and nothing else was said of it.', 'en', turn * 3, false, '{}', ${at('i', CONVERSATION_MS)}, ${uuid('i')}
     FROM generate_series(1, ${spoken}) i, LATERAL generate_series(0, CASE WHEN i = ${spoken} THEN ${LONG_TURNS} ELSE ${TURNS} END - 1) turn`,
    `INSERT INTO agent_tool_calls (conversation_id, source, request_id, tool_name, parameters, result, is_error, latency_seconds, created_at, clock, clocks)
     SELECT 'conv_' || i, 'transcript', 'call_' || n, 'find_order', jsonb_build_object('order', i), '"on its way"', false, 0.4, ${at('i', CONVERSATION_MS)}, ${uuid('i')}, '{}'
     FROM generate_series(1, ${spoken}) i, generate_series(1, 2) n`,
    `INSERT INTO user_profiles (user_id, language, phone_number, attributes, first_seen_at, last_seen_at, clocks)
     SELECT 'user_' || i, 'en', '+1202' || lpad(i::text, 7, '0'), '{"tier": "gold"}', ${at('i', CONVERSATION_MS)}, ${at('i', CONVERSATION_MS)}, '{}'
     FROM generate_series(0, ${size.conversations / 10}) i`,
  ];
}

/** Of 50 events one is dead, for one of three causes, and one is ignored. Of 20 events one is the account of a call. */
function eventStatements({ events, conversations }: Size): string[] {
  return [
    `INSERT INTO webhook_events (id, type, event_key, conversation_id, event_at, received_at, applied_at, origin, outcome, error, body_bytes)
     SELECT ${uuid('i')}, CASE i % 20 WHEN 0 THEN 'post_call_transcription' WHEN 1 THEN 'conversation.started' ELSE 'conversation.message' END,
       'key_' || i, 'conv_' || i % ${conversations} + 1, ${at('i', EVENT_MS)}, ${at('i', EVENT_MS)},
       CASE WHEN i % 50 = 7 THEN NULL ELSE ${at('i', EVENT_MS)} + interval '40 milliseconds' END, 'webhook',
       CASE i % 50 WHEN 7 THEN 'dead' WHEN 9 THEN 'ignored' ELSE 'applied' END,
       CASE WHEN i % 50 = 7 THEN jsonb_build_object('code', (ARRAY['23514', '22P02', '57014'])[i / 50 % 3 + 1], 'attempts', 8, 'fingerprint', repeat(substr('abc', i / 50 % 3 + 1, 1), 12), 'message',
         (ARRAY['new row for relation "conversations" violates a check: row ', 'no valid number: ', 'canceling statement due to timeout, process '])[i / 50 % 3 + 1] || i)
       END, 200
     FROM generate_series(1, ${events}) i`,
    `INSERT INTO webhook_bodies (received_at, event_id, body)
     SELECT ${at('i', EVENT_MS)}, ${uuid('i')}, convert_to('{"type":"conversation.message","data":{"conversation_id":"conv_' || i % ${conversations} + 1 || '","message":"word ' || i || '"}}', 'UTF8')
     FROM generate_series(1, ${events / 10}) i`,
  ];
}

/** Two of three were signed with another secret, the others are too old; every fifth was readmitted. */
const rejectedStatement = `
  INSERT INTO rejected_requests (id, received_at, code, cause, advice, header, headers, body, body_bytes, sender, readmitted_at)
  SELECT ${uuid('i', '11111111-0000')}, ${at('i', 1_000)}, CASE WHEN i % 3 = 0 THEN 'signature_expired' ELSE 'signature_mismatch' END,
    CASE WHEN i % 3 = 0 THEN 'stale' ELSE 'another_secret' END, 'Signed with another secret. Add the secret of the sender to ELEVENLABS_WEBHOOK_SECRET.',
    't=1768910400,v0=' || repeat('0', 64), '{"content-type": "application/json", "user-agent": "ElevenLabs/1.0"}', convert_to(repeat('{"a":1}', 100), 'UTF8'), 700, '203.0.113.7',
    CASE WHEN i % 5 = 0 THEN ${at('0', 1)} END
  FROM generate_series(1, ${REJECTED}) i`;

const operationsStatement = `
  INSERT INTO operations (id, kind, filter, status, total, done, failed, requested_by, created_at, started_at, updated_at, finished_at)
  SELECT ${uuid('i', '22222222-0000')}, 'replay', '{"outcome": "dead"}', 'done', 500, 500, 0, 'admin', ${at('i', 60_000)}, ${at('i', 60_000)}, ${at('i', 60_000)}, ${at('i', 60_000)}
  FROM generate_series(1, ${OPERATIONS}) i`;

/** A comparison with the provider each quarter of an hour, in the order of the operations. */
const runsStatement = `
  INSERT INTO reconciliations (id, window_from, window_to, started_at, finished_at, listed, complete)
  SELECT ${uuid('i', '33333333-0000')}, ${at('i', 900_000)} - interval '3 days', ${at('i', 900_000)}, ${at('i', 900_000)}, ${at('i', 900_000)}, 43200, 43000
  FROM generate_series(1, ${OPERATIONS}) i`;
