import type { EventTypeName } from '@landline/webhook';

/** The values that an example's ids and times are made from. */
export interface ExampleEvent {
  conversationId: string;
  at: Date;
  sequence: number;
}

/** Makes the body of an example, as an object. */
export type Example = (event: ExampleEvent) => object;

/** The agent id of every example. */
export const AGENT = 'agent_example';

/** One example of each event type that ElevenLabs sends after a call, shaped as ElevenLabs sends it. Names, numbers and texts are invented. */
export const PROVIDED_EXAMPLES: Partial<Record<EventTypeName, Example>> = {
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
      // The header of an MP3, and zeros.
      full_audio: Buffer.concat([Buffer.from('ID3'), Buffer.alloc(3_000)]).toString('base64'),
    }),
};

function provided(type: string, at: Date, data: object): object {
  return { type, event_timestamp: seconds(at), data };
}

/** Makes the turns of a call: a question, a tool call with its result, and the answer. */
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
