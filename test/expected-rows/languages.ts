import { AT, event, transcript, type Delivered, type Scenario } from './scenario.ts';

type Fields = Record<string, unknown>;

const user_id = 'u';
const spoken = (at: number, language: string, more: Fields = {}): Delivered =>
  event('conversation.message', at, { user_id, role: 'user', message_id: `${at}`, language, ...more });
const started = (at: number, data: Fields): Delivered => event('conversation.started', at, { user_id, ...data });

/** Returns the rows of the conversation and the user's profile, which must both have this language. */
const both = (columns: Fields): Scenario['rows'] => ({ conversations: [columns], user_profiles: [columns] });

const heard: Scenario[] = [
  {
    name: 'a language keeps its dialect, also with other languages in between',
    deliveries: [spoken(1, 'ar-SA'), spoken(2, 'en-GB'), spoken(3, 'ar')],
    rows: both({ language: 'ar', dialect: 'sa', dialects: { ar: 'sa', en: 'gb' } }),
  },
  {
    name: 'a message in the language of the start keeps the dialect of the start',
    deliveries: [started(1, { language: 'ar', dialect: 'eg' }), spoken(2, 'ar')],
    rows: both({ language: 'ar', dialect: 'eg', dialects: { ar: 'eg' } }),
  },
  {
    name: 'of two dialects of a language the later stands, and the language spoken last has none',
    deliveries: [spoken(1, 'ar-EG'), spoken(2, 'ar_SA'), spoken(3, 'ar'), spoken(4, 'fr')],
    rows: both({ language: 'fr', dialect: null, dialects: { ar: 'sa' } }),
  },
  {
    name: 'two languages in turn keep one dialect each',
    deliveries: [spoken(1, 'es-MX'), spoken(2, 'pt-BR'), spoken(3, 'es'), spoken(4, 'pt')],
    rows: both({ language: 'pt', dialect: 'br', dialects: { es: 'mx', pt: 'br' } }),
  },
  {
    name: 'a profile keeps the dialect across calls, a conversation has only its own',
    deliveries: [
      event('conversation.started', 1, { conversation_id: 'c1', user_id, language: 'ar-EG' }),
      event('conversation.started', 2, { conversation_id: 'c2', user_id, language: 'en', dialect: 'UK' }),
      event('conversation.started', 3, { conversation_id: 'c3', user_id, language: 'ar' }),
    ],
    rows: {
      conversations: [
        { id: 'c1', language: 'ar', dialect: 'eg' },
        { id: 'c2', language: 'en', dialect: 'uk' },
        { id: 'c3', language: 'ar', dialect: null },
      ],
      user_profiles: [{ user_id, language: 'ar', dialect: 'eg', dialects: { ar: 'eg', en: 'uk' } }],
    },
  },
  {
    name: 'a tag with a script is its language and region',
    deliveries: [
      event('conversation.started', 1, { conversation_id: 'c1', language: 'zh-Hant-TW' }),
      event('conversation.started', 2, { conversation_id: 'c2', language: 'sr-Latn' }),
      event('conversation.started', 3, { conversation_id: 'c3', language: 'sr_Cyrl_RS' }),
    ],
    rows: {
      conversations: [
        { id: 'c1', language: 'zh', dialect: 'tw' },
        { id: 'c2', language: 'sr', dialect: null },
        { id: 'c3', language: 'sr', dialect: 'rs' },
      ],
    },
  },
];

const wordless: Scenario[] = [
  {
    name: 'words that name no language say nothing',
    deliveries: [
      started(1, { language: 'ar', dialect: 'eg' }),
      spoken(2, 'unknown'),
      spoken(3, 'UND'),
      spoken(4, 'n/a', { dialect: 'sa' }),
    ],
    rows: {
      ...both({ language: 'ar', dialect: 'eg', dialects: { ar: 'eg' } }),
      conversation_messages: [
        { event_key: 'user:2', language: null, details: { language: 'unknown' } },
        { event_key: 'user:3', language: null, details: { language: 'UND' } },
        { event_key: 'user:4', language: null, details: { language: 'n/a', dialect: 'sa' } },
      ],
    },
  },
  {
    name: 'a dialect of no language is kept beside the rest',
    deliveries: [started(1, { language: 'auto', dialect: 'eg' }), spoken(2, '')],
    rows: {
      conversations: [{ language: null, dialect: null, dialects: {}, metadata: { language: 'auto', dialect: 'eg' } }],
      user_profiles: [{ language: null, dialect: null }],
    },
  },
  {
    name: 'a dialect that says nothing leaves the one that is known',
    deliveries: [spoken(1, 'ar-EG'), spoken(2, 'ar', { dialect: 'unknown' }), spoken(3, 'ar', { dialect: '' })],
    rows: both({ language: 'ar', dialect: 'eg', dialects: { ar: 'eg' } }),
  },
  {
    name: 'a configured language that is none says nothing',
    deliveries: [
      transcript({ user_id, metadata: { main_language: 'multi' } }),
      spoken(1, 'es-MX'),
      transcript(
        { user_id, conversation_initiation_client_data: noOverride(), metadata: { main_language: 'de' } },
        101,
      ),
    ],
    rows: both({ language: 'es', dialect: 'mx' }),
  },
];

function noOverride(): Fields {
  return { conversation_config_override: { agent: { language: 'auto' } } };
}

/** Makes a transcript of a call that began at `AT`, configured in English, with a call of language_detection in it. */
function detecting(call: Fields, result: Fields | null): Delivered {
  const detection = { type: 'system', request_id: 'd', tool_name: 'language_detection' };
  return transcript({
    user_id,
    metadata: { start_time_unix_secs: AT, main_language: 'en' },
    transcript: [
      {
        role: 'agent',
        time_in_call_secs: 4,
        tool_calls: [{ ...detection, params_as_json: '{"language":"fr"}', ...call }],
      },
      { role: 'agent', time_in_call_secs: 5, tool_results: result ? [{ ...detection, ...result }] : [] },
    ],
  });
}

const english = both({ language: 'en', dialect: null });
const changed = { is_error: false, tool_has_been_called: true, result_value: '{"status":"success"}' };

const detected: Scenario[] = [
  {
    name: 'a change of language that failed leaves the language, and the tool calls of that call are all there',
    deliveries: [
      transcript({
        user_id,
        metadata: { start_time_unix_secs: AT, main_language: 'en' },
        transcript: [
          turn(4, 'tool_calls', tool('language_detection', { params_as_json: '{"language":"fr"}' })),
          turn(4, 'tool_results', tool('language_detection', { result_value: 'not supported', is_error: true })),
          turn(8, 'tool_calls', tool('list_events', { params_as_json: '{"day":"2026-03-05"}' })),
          turn(9, 'tool_results', tool('list_events', { result_value: '[{"type":"text"}]', is_error: false })),
          turn(11, 'tool_calls', tool('transfer_to_agent', { params_as_json: '{"agent_number":0}' })),
          turn(11, 'tool_results', tool('transfer_to_agent', { result_value: '{"status":"success"}' })),
          turn(20, 'tool_calls', tool('transfer_to_number', { params_as_json: '{"reason":"human"}' })),
        ],
      }),
    ],
    rows: {
      ...english,
      agent_tool_calls: [
        { tool_name: 'language_detection', parameters: { language: 'fr' }, result: 'not supported', is_error: true },
        { tool_name: 'list_events', result: [{ type: 'text' }], is_error: false },
        { tool_name: 'transfer_to_agent', result: { status: 'success' } },
        { tool_name: 'transfer_to_number', parameters: { reason: 'human' }, result: null },
      ],
    },
  },
  { name: 'a change of language that has no result is none', deliveries: [detecting({}, null)], rows: english },
  {
    name: 'a change of language that was not called is none',
    deliveries: [detecting({ tool_has_been_called: true }, { ...changed, tool_has_been_called: false })],
    rows: english,
  },
  {
    name: 'a change of language that says in its own words that it failed is none',
    deliveries: [detecting({}, { ...changed, result: { status: 'error', language: 'fr' } })],
    rows: english,
  },
  {
    name: 'a change of language without success is none',
    deliveries: [detecting({}, { ...changed, result_value: '{"success":false,"error":"not supported"}' })],
    rows: english,
  },
  {
    name: 'a change of language counts, and its result knows better than its parameters',
    deliveries: [detecting({}, { ...changed, result_value: '{"status":"success","language":"ar-EG"}' })],
    rows: both({ language: 'ar', dialect: 'eg' }),
  },
  {
    name: 'a change of language counts though its result names none, with the dialect that was heard of it',
    deliveries: [spoken(1, 'fr-CA'), detecting({}, { ...changed, result: { status: 'success', language: 'unknown' } })],
    rows: both({ language: 'fr', dialect: 'ca' }),
  },
  {
    name: 'a change of language to no language is none',
    deliveries: [detecting({ params_as_json: '{"language":"auto"}' }, changed)],
    rows: english,
  },
  {
    name: 'a change of language in a live event counts like that in a transcript',
    deliveries: [
      spoken(1, 'ar-EG'),
      event('agent.tool_call', 2, {
        user_id,
        tool_call_id: '1',
        tool_name: 'language_detection',
        parameters: { language: 'en' },
      }),
      event('agent.tool_call', 3, {
        user_id,
        tool_call_id: '1',
        tool_name: 'language_detection',
        result: { status: 'success', language: 'fr' },
        is_error: false,
      }),
      event('agent.tool_call', 4, {
        user_id,
        tool_call_id: '2',
        tool_name: 'language_detection',
        parameters: { language: 'de' },
        result: 'failed',
        is_error: true,
      }),
    ],
    rows: both({ language: 'fr', dialect: null, dialects: { ar: 'eg' } }),
  },
];

function turn(time_in_call_secs: number, list: string, item: Fields): Fields {
  return { role: 'agent', message: null, time_in_call_secs, [list]: [item] };
}

function tool(tool_name: string, fields: Fields): Fields {
  return { tool_name, request_id: tool_name, ...fields };
}

/** Scenarios about the spoken language and its dialect. */
export const languages: Scenario[] = [...heard, ...wordless, ...detected];
