import { existsSync, readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { changesOf, columns, fixture, ms, read, SIGNED_AT, values } from './support/deliver.ts';

/** Payloads as the provider published them or as they were captured; beside the repository, on some machines only. */
const SAMPLES = new URL('../../../../shared/samples/', import.meta.url);
const ARE_HERE = existsSync(SAMPLES);

interface Rows {
  id: string;
  fields: Record<string, unknown>;
  metadata: Record<string, unknown>;
  /** Position, role and time of each. */
  messages: unknown[];
  /** Request id and columns of each. */
  toolCalls: unknown[];
  profile: string | null;
}

function rowsOf(text: string): Rows {
  const { conversation, messages, toolCalls, profile } = changesOf(text);
  return {
    id: conversation.id,
    fields: columns(conversation),
    metadata: values(conversation.metadata),
    messages: messages.map((message) => [message.position, message.role, message.created_at]),
    toolCalls: toolCalls.map((call) => [call.request_id, values(call.fields)]),
    profile: profile?.user_id ?? null,
  };
}

const FAILED_AT = ms('2025-10-08T13:54:12Z');
const FAILED = { agent_id: 'xyz', status: 'failed', channel: 'phone', direction: 'outbound', failure_reason: 'busy' };
const SIP_SID = 'd8e7f6a5-b4c3-4d5e-8f9a-0b1c2d3e4f5a';
const BUSY_HERE = {
  type: 'sip',
  sip_status_code: 486,
  error_reason: 'INVITE failed: sip status: 486: Busy here (SIP 486)',
  sip_status: 'Busy here',
  twirp_code: 'unavailable',
};

const SAMPLE_ROWS: [name: string, expected: Rows][] = [
  [
    'call-initiation-failure.twilio',
    {
      id: 'abc',
      fields: {
        ...FAILED,
        external_number: '+441111111111',
        agent_number: '+11111111111',
        call_sid: 'CA8367245817625617832576245724',
        started_at: FAILED_AT,
      },
      metadata: {
        call_initiation_failure: expect.objectContaining({
          type: 'twilio',
          CallStatus: 'busy',
          SipResponseCode: '487',
          Direction: 'outbound-api',
        }),
      },
      messages: [],
      toolCalls: [],
      profile: '+441111111111',
    },
  ],
  [
    'call-initiation-failure.sip',
    {
      id: 'abc',
      fields: {
        ...FAILED,
        external_number: '+11111111111',
        agent_number: '+441111111111',
        call_sid: SIP_SID,
        started_at: FAILED_AT,
      },
      metadata: { call_initiation_failure: BUSY_HERE },
      messages: [],
      toolCalls: [],
      profile: '+11111111111',
    },
  ],
  [
    'call-initiation-failure.sip-without-numbers',
    {
      id: 'abc',
      fields: { ...FAILED, call_sid: SIP_SID, started_at: FAILED_AT },
      metadata: { call_initiation_failure: BUSY_HERE },
      messages: [],
      toolCalls: [],
      profile: null,
    },
  ],
  [
    'post-call-audio',
    {
      id: 'conv_6601k9mywx20fxcbpyv2wtff3zph',
      fields: {
        agent_id: 'agent_5001k9myfdmae9ntkrhxfr5b4tqy',
        status: 'ended',
        started_at: ms('2025-02-14T12:48:39Z'),
      },
      metadata: { recording: { available: true, format: 'mp3', size_bytes: 1678 } },
      messages: [],
      toolCalls: [],
      profile: null,
    },
  ],
  [
    'post-call-transcription-otel',
    {
      id: 'conv_9001k1zph3fkeh5s8xg9z90swaqa',
      fields: {
        agent_id: 'agent_7101k5zvyjhmfg983brhmhkd98n6',
        status: 'done',
        started_at: ms('2023-11-14T22:13:20Z'),
      },
      metadata: { otel: { span_count: 1 } },
      messages: [],
      toolCalls: [],
      profile: null,
    },
  ],
  [
    'post-call-transcription',
    {
      id: 'abc',
      fields: {
        agent_id: 'xyz',
        user_id: 'user123',
        status: 'done',
        failure_reason: null,
        language: 'en',
        dialect: null,
        started_at: ms('2025-02-14T12:48:17Z'),
        ended_at: ms('2025-02-14T12:48:39Z'),
        duration_seconds: 22,
        cost_credits: 296,
        call_successful: 'success',
        summary: expect.stringMatching(/^The conversation begins with the agent asking how Angelo is/),
        analysis: expect.objectContaining({ call_successful: 'success', data_collection_results: {} }),
        delete_transcript_at: ms('2027-02-14T12:48:40Z'),
        delete_audio_at: ms('2027-02-14T12:48:40Z'),
      },
      metadata: {
        authorization_method: 'authorization_header',
        charging: { dev_discount: true },
        termination_reason: '',
        conversation_initiation_client_data: expect.objectContaining({ dynamic_variables: { user_name: 'angelo' } }),
      },
      messages: [
        [0, 'agent', ms('2025-02-14T12:48:17Z')],
        [1, 'user', ms('2025-02-14T12:48:19Z')],
        [2, 'agent', ms('2025-02-14T12:48:26Z')],
      ],
      toolCalls: [],
      profile: 'user123',
    },
  ],
  [
    'transcript-turns.tool-call',
    {
      id: 'c',
      fields: { status: 'done', started_at: SIGNED_AT * 1000 },
      metadata: {},
      messages: [
        [0, 'agent', SIGNED_AT * 1000 + 20_000],
        [1, 'agent', SIGNED_AT * 1000 + 20_000],
      ],
      toolCalls: [
        [
          'identificar_cliente_d11c6807fd6b4978a61cc41d90021680',
          {
            tool_name: 'identificar_cliente',
            tool_type: 'webhook',
            parameters: { id_llamada: 'default_id', dni: '00000000T', nombre: 'Javier' },
            result: {
              status: 'success',
              message: 'Cliente encontrado exitosamente',
              data: {
                clientes: [{ codigo_cliente: '701795F00', nombre_cliente: 'JAVIER EJEMPLO' }],
                tipo_busqueda: 'D',
              },
            },
            is_error: false,
            latency_seconds: 3.743_929_623_975_418_5,
            details: expect.objectContaining({
              tool_has_been_called: true,
              result: { tool_has_been_called: true, dynamic_variable_updates: [] },
            }),
          },
        ],
      ],
      profile: null,
    },
  ],
];

/** A sample as an event: that of single turns is put into a transcript. */
function eventOf(name: string): string {
  const text = readFileSync(new URL(`${name}.json`, SAMPLES), 'utf8');
  if (!text.startsWith('[')) return text;
  return `{"type": "post_call_transcription", "data": {"conversation_id": "c", "transcript": ${text}}}`;
}

// Our own fixture runs through the same checks, so these tests never pass without a sample.
const OWN = 'post-call-audio';
const OWN_ROWS: Rows = {
  id: 'conv_7401k9n2x8fae5vbq3t6m0cgdr4h',
  fields: {
    agent_id: 'agent_3101k1e6xrv2f4eb0xz6nbbrz035',
    status: 'ended',
    started_at: ms('2025-10-09T08:55:50Z'),
  },
  metadata: { recording: { available: true, format: 'mp3', size_bytes: 35 } },
  messages: [],
  toolCalls: [],
  profile: null,
};

const CASES: [title: string, text: string, expected: Rows][] = [
  [`our own ${OWN}; the samples are ${ARE_HERE ? 'here too' : 'NOT on this machine'}`, fixture(OWN), OWN_ROWS],
  ...(ARE_HERE ? SAMPLE_ROWS : []).map(([name, rows]): [string, string, Rows] => [name, eventOf(name), rows]),
];

test.each(CASES)('%s', (_, text, expected) => {
  expect(rowsOf(text)).toEqual({ ...expected, metadata: expect.objectContaining(expected.metadata) });
});

const NO_EVENTS: [title: string, text: string, outcome: string][] = [
  ['a body that names no type', '{"caller_id": "+12525550101"}', 'dead'],
  ...(ARE_HERE
    ? [
        ['conversation-initiation.request', 'dead'],
        ['conversation-initiation.response', 'ignored'],
      ]
    : []
  ).map(([name = '', outcome = '']): [string, string, string] => [name, eventOf(name), outcome]),
];

test.each(NO_EVENTS)('is no event of ours: %s', (_, text, outcome) => {
  expect(read(text).outcome).toBe(outcome);
});
