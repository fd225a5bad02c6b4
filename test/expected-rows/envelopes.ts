import { AT, event, iso, transcript, type Scenario } from './scenario.ts';

const TURNS = [
  { role: 'agent', message: 'Welcome.', time_in_call_secs: 0 },
  { role: 'user', message: 'Hi.', time_in_call_secs: 3 },
];
/** Makes a conversation as the API returns it. */
const CONVERSATION = {
  agent_id: 'a',
  conversation_id: 'c',
  status: 'done',
  user_id: null,
  transcript: TURNS,
  metadata: { start_time_unix_secs: AT, call_duration_secs: 11, phone_call: null, main_language: 'en' },
  analysis: { call_successful: 'success', transcript_summary: 'A greeting.' },
};
const EVENT = { type: 'post_call_transcription', event_timestamp: AT + 12, data: CONVERSATION };
const MESSAGE = event('conversation.message', 5, { role: 'user', message: 'hi' }).body;
const REQUEST = {
  headers: { host: 'n8n.example.org', type: 'x' },
  params: {},
  query: {},
  webhookUrl: 'https://x',
  executionMode: 'production',
};

const APPLIED = (at: number) => ({
  webhook_events: [{ type: 'post_call_transcription', conversation_id: 'c', outcome: 'applied', event_at: iso(at) }],
  conversations: [
    {
      id: 'c',
      agent_id: 'a',
      status: 'done',
      language: 'en',
      started_at: iso(0),
      ended_at: iso(11),
      duration_seconds: 11,
      summary: 'A greeting.',
      call_successful: 'success',
    },
  ],
  conversation_messages: [
    { role: 'agent', content: 'Welcome.' },
    { role: 'user', content: 'Hi.', created_at: iso(3) },
  ],
});
const applied = (name: string, body: unknown, at = 11): Scenario => ({
  name: `${name} is applied as a transcript`,
  deliveries: [{ body }],
  rows: APPLIED(at),
});
const message = (name: string, body: unknown): Scenario => ({
  name: `a live event in ${name} is applied`,
  deliveries: [{ body }],
  rows: {
    webhook_events: [{ type: 'conversation.message', outcome: 'applied', event_at: iso(5) }],
    conversation_messages: [{ role: 'user', content: 'hi' }],
  },
});
const dead = (name: string, body: unknown, error: object): Scenario => ({
  name: `${name} is a dead letter`,
  deliveries: [{ body }],
  rows: {
    webhook_events: [
      { outcome: 'dead', ...Object.fromEntries(Object.entries(error).map(([key, value]) => [`error.${key}`, value])) },
    ],
    conversations: [],
  },
});

/** Scenarios about what may be around an event. */
export const envelopes: Scenario[] = [
  applied('a conversation as the API returns it', CONVERSATION),
  applied('data without a type', { data: CONVERSATION }),
  applied('data without a type, its id beside it', {
    conversation_id: 'c',
    data: { ...CONVERSATION, conversation_id: undefined },
  }),
  applied('data without a type, with a time', { event_timestamp: AT + 30, data: CONVERSATION }, 30),
  applied('an event in a body', { ...REQUEST, body: EVENT }, 12),
  applied('an array of one request', [{ ...REQUEST, body: EVENT }], 12),
  applied('an array of one event', [EVENT], 12),
  applied('an array of one conversation', [CONVERSATION]),
  applied('a conversation in a body', { body: CONVERSATION }),
  applied('a body in a body', { body: { body: [{ body: EVENT }] } }, 12),
  applied('a body that is JSON in a text', { ...REQUEST, body: JSON.stringify(EVENT) }, 12),
  applied('an item with json', [{ json: { ...REQUEST, body: EVENT }, pairedItem: { item: 0 } }], 12),
  applied('a payload', { payload: EVENT, id: 'x' }, 12),
  applied('an event in data', { data: EVENT }, 12),
  {
    name: 'a conversation without its transcript is known by its status and metadata',
    deliveries: [{ body: { ...CONVERSATION, transcript: undefined } }],
    rows: { webhook_events: [{ type: 'post_call_transcription', event_at: iso(11) }], conversation_messages: [] },
  },
  {
    name: 'a conversation that names no duration has the time of its signature',
    deliveries: [{ body: { conversation_id: 'c', transcript: TURNS, metadata: { start_time_unix_secs: AT } } }],
    rows: { conversations: [{ started_at: iso(0), status: 'done' }], webhook_events: [{ outcome: 'applied' }] },
  },
  {
    name: 'a webhook’s account outranks the same conversation fetched later',
    deliveries: [
      { body: EVENT },
      {
        body: {
          ...CONVERSATION,
          transcript: [{ role: 'user', message: 'fetched' }],
          analysis: { transcript_summary: 'f' },
        },
      },
    ],
    rows: {
      conversations: [{ summary: 'A greeting.' }],
      conversation_messages: APPLIED(11).conversation_messages,
    },
  },
  message('a body', { body: MESSAGE }),
  message('an array of one', [MESSAGE]),
  message('an array of one request', [{ ...REQUEST, body: MESSAGE }]),
  message('a body that is JSON in a text', { body: JSON.stringify(MESSAGE) }),
  message('a JSON text', JSON.stringify(JSON.stringify(MESSAGE))),
  dead('an array of two', [EVENT, EVENT], {
    code: 'body_has_several',
    message: 'The body is an array of 2 items. Send one each: a request carries one event.',
  }),
  dead('an array of two requests', [{ body: EVENT }, { body: MESSAGE }], { code: 'body_has_several' }),
  dead('an array of two within a body', { body: [EVENT, MESSAGE, MESSAGE] }, { code: 'body_has_several' }),
  dead('an empty array', [], { code: 'body_not_object' }),
  dead('a body without an event', { ...REQUEST, body: { hello: 'world' } }, { code: 'type_missing' }),
  dead('a conversation without an id', { transcript: TURNS }, { code: 'conversation_id_missing' }),
  {
    name: 'the body of a failed call is no wrapper',
    deliveries: [
      event('call_initiation_failure', 1, {
        failure_reason: 'busy',
        metadata: {
          type: 'sip',
          body: { type: 'conversation.message', to_number: '+12015550146', sip_status_code: 486 },
        },
      }),
    ],
    rows: {
      webhook_events: [{ type: 'call_initiation_failure' }],
      conversations: [{ status: 'failed', external_number: '+12015550146', failure_reason: 'busy' }],
      conversation_messages: [],
    },
  },
  {
    name: 'a field body of a live event is no wrapper',
    deliveries: [
      event('conversation.message', 1, { role: 'user', message: 'hi', body: { type: 'conversation.ended' } }),
    ],
    rows: {
      webhook_events: [{ type: 'conversation.message' }],
      conversation_messages: [{ content: 'hi', details: { body: { type: 'conversation.ended' } } }],
    },
  },
  {
    name: 'an event of a type that we do not know is not looked into',
    deliveries: [{ body: { type: 'tunnel.request', body: EVENT } }],
    rows: { webhook_events: [{ type: 'tunnel.request', outcome: 'ignored' }], conversations: [] },
  },
  {
    name: 'what stands one level too high is read where it stands',
    deliveries: [
      {
        body: {
          type: 'post_call_transcription',
          agent_id: 'a',
          conversation_id: 'c',
          event_timestamp: AT + 100,
          data: {
            status: 'done',
            user_id: 'u',
            main_language: 'en',
            termination_reason: 'Client disconnected: 1005',
            start_time_unix_secs: AT,
            call_duration_secs: 58,
            transcript: [...TURNS, { speaker_name: 'agent', message: 'How are you?', start_time_unix_secs: AT + 4 }],
            metadata: { llm_price: 0.2, phone_call: { from_number: '+12015550146', to_number: '+12015550100' } },
            analysis: { call_successful: 'success', summary: 'Small talk.' },
          },
        },
      },
    ],
    rows: {
      conversations: [
        {
          channel: 'phone',
          language: 'en',
          end_reason: 'Client disconnected: 1005',
          started_at: iso(0),
          ended_at: iso(58),
          duration_seconds: 58,
          external_number: '+12015550146',
          agent_number: '+12015550100',
          direction: null,
          summary: 'Small talk.',
        },
      ],
      conversation_messages: [
        { role: 'agent', created_at: iso(0) },
        { role: 'user', created_at: iso(3) },
        { role: 'agent', content: 'How are you?', created_at: iso(4), time_in_call_seconds: 4 },
      ],
      user_profiles: [{ user_id: 'u', phone_number: '+12015550146', language: 'en' }],
    },
  },
  {
    name: 'all of the metadata and of the analysis may stand in data',
    deliveries: [
      transcript({
        start_time_unix_secs: AT + 1,
        duration_seconds: 9,
        cost: 12,
        phone_call: { direction: 'outbound', from_number: '+12015550100', to_number: '+12015550146' },
        call_summary_title: 'Title',
        transcript_summary: 'Summary.',
        call_successful: 'failure',
      }),
    ],
    rows: {
      conversations: [
        {
          started_at: iso(1),
          ended_at: iso(10),
          cost_credits: 12,
          channel: 'phone',
          direction: 'outbound',
          external_number: '+12015550146',
          agent_number: '+12015550100',
          title: 'Title',
          summary: 'Summary.',
          call_successful: 'failure',
        },
      ],
    },
  },
  {
    name: 'what stands in its place counts before what stands one level too high',
    deliveries: [
      transcript({
        cost: 1,
        main_language: 'de',
        metadata: { cost: 2, main_language: 'fr' },
        summary: 'x',
        analysis: { transcript_summary: 'y' },
      }),
    ],
    rows: { conversations: [{ cost_credits: 2, language: 'fr', summary: 'y' }] },
  },
  {
    name: 'numbers may stand beside the phone call, which names the direction',
    deliveries: [
      transcript({
        metadata: { phone_call: { direction: 'inbound' }, from_number: '+12015550146', to_number: '+12015550100' },
      }),
    ],
    rows: { conversations: [{ direction: 'inbound', external_number: '+12015550146', agent_number: '+12015550100' }] },
  },
  {
    name: 'who is the caller is only implied without a direction, and gives way to what was said',
    deliveries: [
      event('conversation.started', 0, {
        direction: 'outbound',
        from_number: '+12015550100',
        to_number: '+12015550146',
      }),
      transcript({ metadata: { phone_call: { from_number: '+12015550100', to_number: '+12015550146' } } }),
    ],
    rows: { conversations: [{ direction: 'outbound', external_number: '+12015550146', agent_number: '+12015550100' }] },
  },
];
