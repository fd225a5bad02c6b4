import type { EventTypeName } from '@landline/webhook';

/** What an example's texts and times are made from. */
interface ExampleEvent {
  conversationId: string;
  at: Date;
  sequence: number;
}

type Example = (event: ExampleEvent) => object;

/** One event of each type, shaped as ElevenLabs or a bridge sends it. Names, numbers and texts are made up. */
const EXAMPLES: Partial<Record<EventTypeName, Example>> = {
  'conversation.started': (event) =>
    live('conversation.started', event, {
      language: 'ar-EG',
      channel: 'phone',
      direction: 'inbound',
      caller_number: '+12025550123',
      called_number: '+12025550100',
      call_sid: `CA${String(event.sequence).padStart(32, '0')}`,
    }),
  'conversation.message': (event) =>
    live('conversation.message', event, {
      message_id: `msg_${event.conversationId}_${event.sequence}`,
      role: event.sequence % 2 === 0 ? 'user' : 'agent',
      message:
        event.sequence % 2 === 0 ? 'When does the shop open tomorrow?' : 'We open at nine. Shall I book a table?',
      language: 'en-us',
    }),
  'conversation.ended': (event) =>
    live('conversation.ended', event, {
      reason: 'user_hung_up',
      duration_seconds: 42,
      summary: 'Asked for the opening hours.',
    }),
  'agent.tool_call': (event) =>
    live('agent.tool_call', event, {
      tool_call_id: `call_${event.conversationId}_${event.sequence}`,
      tool_name: 'opening_hours',
      parameters: { day: 'tomorrow' },
      result: { opens: '09:00', closes: '18:00' },
      is_error: false,
    }),
  'agent.action': (event) =>
    live('agent.action', event, {
      action_id: `action_${event.conversationId}_${event.sequence}`,
      action: 'book_table',
      parameters: { people: 2, time: '19:30' },
      status: 'requested',
    }),
  post_call_transcription: ({ conversationId, at }) =>
    provided('post_call_transcription', at, {
      agent_id: AGENT,
      conversation_id: conversationId,
      status: 'done',
      user_id: 'user_42',
      transcript: transcriptOf(conversationId),
      metadata: {
        start_time_unix_secs: seconds(at) - 22,
        call_duration_secs: 22,
        cost: 296,
        main_language: 'en',
        termination_reason: 'Client ended call',
        phone_call: {
          type: 'twilio',
          direction: 'inbound',
          phone_number_id: 'phnum_1',
          agent_number: '+12025550100',
          external_number: '+12025550123',
          call_sid: `CA_${conversationId}`,
        },
      },
      analysis: {
        call_successful: 'success',
        transcript_summary: 'The caller asked for the opening hours.',
        call_summary_title: 'Opening hours',
        evaluation_criteria_results: {},
        data_collection_results: {},
      },
      conversation_initiation_client_data: { dynamic_variables: { caller_name: 'Sam' } },
    }),
  post_call_transcription_otel: ({ conversationId, at }) =>
    provided('post_call_transcription_otel', at, {
      conversation_id: conversationId,
      agent_id: AGENT,
      otlp_traces: {
        resourceSpans: [
          {
            resource: { attributes: [{ key: 'service.name', value: { stringValue: 'elevenlabs-convai' } }] },
            scopeSpans: [
              {
                scope: { name: 'elevenlabs.convai', version: '1.0.0' },
                spans: [
                  {
                    traceId: '0af7651916cd43dd8448eb211c80319c',
                    spanId: 'b7ad6b7169203331',
                    name: 'agent_response',
                    startTimeUnixNano: `${at.getTime() - 22_000}000000`,
                    endTimeUnixNano: `${at.getTime()}000000`,
                  },
                ],
              },
            ],
          },
        ],
      },
    }),
  call_initiation_failure: ({ conversationId, at }) =>
    provided('call_initiation_failure', at, {
      agent_id: AGENT,
      conversation_id: conversationId,
      failure_reason: 'busy',
      metadata: {
        type: 'sip',
        body: {
          from_number: '+12025550100',
          to_number: '+12025550123',
          sip_status_code: 486,
          error_reason: 'INVITE failed: sip status: 486: Busy here (SIP 486)',
          call_sid: `sip_${conversationId}`,
          sip_status: 'Busy here',
        },
      },
    }),
  post_call_audio: ({ conversationId, at }) =>
    provided('post_call_audio', at, {
      agent_id: AGENT,
      conversation_id: conversationId,
      // An MP3's header and silence.
      full_audio: Buffer.concat([Buffer.from('ID3'), Buffer.alloc(3_000)]).toString('base64'),
    }),
};

const BY_NAME = new Map<string, Example>(Object.entries(EXAMPLES));

const AGENT = 'agent_example';

function live(type: string, { conversationId, at, sequence }: ExampleEvent, data: object): object {
  return {
    type,
    event_id: `evt_${conversationId}_${sequence}`,
    timestamp: at.toISOString(),
    data: { conversation_id: conversationId, agent_id: AGENT, user_id: 'user_42', ...data },
  };
}

function provided(type: string, at: Date, data: object): object {
  return { type, event_timestamp: seconds(at), data };
}

/** A question, a tool call with its result, and the answer. */
function transcriptOf(conversationId: string): object[] {
  return [
    turn('agent', 'Good morning, how can I help?', 0),
    turn('user', 'When does the shop open tomorrow?', 3),
    {
      ...turn('agent', null, 5),
      tool_calls: [
        {
          type: 'webhook',
          request_id: `opening_hours_${conversationId}`,
          tool_name: 'opening_hours',
          params_as_json: '{"day": "tomorrow"}',
          tool_has_been_called: true,
        },
      ],
    },
    {
      ...turn('agent', null, 6),
      tool_results: [
        {
          type: 'webhook',
          request_id: `opening_hours_${conversationId}`,
          tool_name: 'opening_hours',
          result_value: '{"opens": "09:00"}',
          is_error: false,
          tool_has_been_called: true,
          tool_latency_secs: 0.42,
        },
      ],
    },
    turn('agent', 'We open at nine.', 7),
  ];
}

function turn(role: 'user' | 'agent', message: string | null, atSeconds: number): object {
  return { role, message, tool_calls: [], tool_results: [], feedback: null, time_in_call_secs: atSeconds };
}

function seconds(at: Date): number {
  return Math.floor(at.getTime() / 1000);
}

/** The types that a bridge sends while a call goes on, in the order of a short call. */
const LIVE_TYPES: readonly EventTypeName[] = [
  'conversation.started',
  'conversation.message',
  'conversation.message',
  'agent.tool_call',
  'conversation.message',
  'conversation.message',
  'agent.action',
  'conversation.message',
  'conversation.message',
  'conversation.ended',
];

/** What `send` can make: every event type, and `live`, calls of ten live events each. */
export const EXAMPLE_NAMES: readonly string[] = [...Object.keys(EXAMPLES), 'live'];

/**
 * Makes the body of the `sequence`-th event of a run.
 *
 * @param name      One of `EXAMPLE_NAMES`.
 * @param run       A word that no other run has: conversation ids are made from it.
 * @param place     `sequence`: 0 for the first; a conversation of its own each, and ten to a conversation for `live`. `at`: when it
 *                  happened.
 */
export function exampleBody(
  name: string,
  run: string,
  { sequence, at }: Pick<ExampleEvent, 'sequence' | 'at'>,
): Buffer {
  const isLive = name === 'live';
  const conversationId = `conv_${run}_${isLive ? Math.floor(sequence / LIVE_TYPES.length) : sequence}`;
  const type = isLive ? LIVE_TYPES[sequence % LIVE_TYPES.length] : name;
  const example = type === undefined ? undefined : BY_NAME.get(type);
  if (!example) throw new Error(`There is no example event "${name}".`);
  return Buffer.from(JSON.stringify(example({ conversationId, at, sequence })));
}
