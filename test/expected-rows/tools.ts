import { AT, event, iso, transcript, type Delivered, type Scenario } from './scenario.ts';

type Fields = Record<string, unknown>;

const call = (tool_name: string, parameters: object, more: Fields = {}): Fields => ({
  type: 'webhook',
  tool_name,
  params_as_json: JSON.stringify(parameters),
  ...more,
});
const result = (tool_name: string, result_value: unknown, more: Fields = {}): Fields => ({
  type: 'webhook',
  tool_name,
  result_value,
  is_error: false,
  ...more,
});
const calls = (seconds: number, ...tool_calls: unknown[]): Fields => ({
  role: 'agent',
  message: null,
  tool_calls,
  tool_results: [],
  time_in_call_secs: seconds,
});
const results = (seconds: number, ...tool_results: unknown[]): Fields => ({
  ...calls(seconds),
  tool_results,
});

/** Makes the transcript of a finished call that began at `AT`, with these turns. */
const finished = (...turns: unknown[]): Delivered =>
  transcript({ transcript: turns, metadata: { start_time_unix_secs: AT } });

/** Scenarios about tool calls in the transcript of a finished call. */
const inTranscripts: Scenario[] = [
  {
    name: 'an id used twice, an empty id and no ids: each call is a row with its own result, and texts stay texts',
    deliveries: [
      finished(
        calls(1, call('find_order', { n: 1 }, { request_id: 'tool_0' })),
        results(2, result('find_order', '{"order":1}', { request_id: 'tool_0' })),
        calls(3, call('find_order', { n: 2 }, { request_id: 'tool_0' })),
        results(4, result('find_order', '{"order":2}', { request_id: 'tool_0' })),
        calls(5, call('send_mail', { to: 'a' }, { request_id: '' })),
        results(6, result('send_mail', 'sent a', { request_id: '' })),
        calls(7, call('send_sms', { to: '+12015550149' }), call('send_sms', { to: '+12015550150' })),
        results(8, result('send_sms', '12015550149'), result('send_sms', '12015550150')),
      ),
    ],
    rows: {
      agent_tool_calls: [
        { request_id: 'tool_0', tool_name: 'find_order', parameters: { n: 1 }, result: { order: 1 } },
        { request_id: 'tool_0#2', tool_name: 'find_order', parameters: { n: 2 }, result: { order: 2 } },
        { request_id: '4.0', tool_name: 'send_mail', parameters: { to: 'a' }, result: 'sent a' },
        { request_id: '6.0', parameters: { to: '+12015550149' }, result: '12015550149', created_at: iso(7) },
        { request_id: '6.1', parameters: { to: '+12015550150' }, result: '12015550150', created_at: iso(7) },
      ],
    },
  },
  {
    name: 'a call and its result without ids are one row',
    deliveries: [
      finished(
        calls(4, call('crear_entrada', { cantidad: '2' }, { tool_has_been_called: true })),
        results(5, result('crear_entrada', 'Entrada creada: 00123', { tool_latency_secs: 0.8 })),
      ),
    ],
    rows: {
      agent_tool_calls: [
        {
          source: 'transcript',
          request_id: '0.0',
          tool_name: 'crear_entrada',
          tool_type: 'webhook',
          parameters: { cantidad: '2' },
          result: 'Entrada creada: 00123',
          is_error: false,
          latency_seconds: 0.8,
          details: { tool_has_been_called: true },
        },
      ],
    },
  },
  {
    name: 'results that stand before their calls join them in order, and one too many is a row of its own',
    deliveries: [
      finished(
        results(1, result('find', '"first"', { request_id: 'r' }), result('find', 'second', { request_id: 'r' })),
        calls(2, call('find', { n: 1 }, { request_id: 'r' })),
        results(3, result('find', 'third', { request_id: 'r' })),
        calls(4, call('find', { n: 2 }, { request_id: 'r' })),
      ),
    ],
    rows: {
      agent_tool_calls: [
        { request_id: 'r', parameters: { n: 1 }, result: '"first"', created_at: iso(2) },
        { request_id: 'r#2', parameters: null, result: 'third', created_at: iso(3) },
        { request_id: 'r#3', parameters: { n: 2 }, result: 'second', created_at: iso(4) },
      ],
    },
  },
  {
    name: 'three calls of one id beside one whose id reads like its second use',
    deliveries: [
      finished(
        calls(1, call('find', { n: 1 }, { request_id: 'x' }), call('find', { n: 2 }, { request_id: 'x' })),
        calls(2, call('find', { n: 3 }, { request_id: 'x' }), call('find', { n: 4 }, { request_id: 'x#2' })),
        results(3, result('find', 'of the last', { request_id: 'x#2' }), result('find', 'of 1', { request_id: 'x' })),
        results(4, result('find', 'of 2', { request_id: 'x' }), result('find', 'of 3', { request_id: 'x' })),
      ),
    ],
    rows: {
      agent_tool_calls: [
        { request_id: 'x', parameters: { n: 1 }, result: 'of 1' },
        { request_id: 'x#3', parameters: { n: 2 }, result: 'of 2' },
        { request_id: 'x#2', parameters: { n: 4 }, result: 'of the last' },
        { request_id: 'x#4', parameters: { n: 3 }, result: 'of 3' },
      ],
    },
  },
  {
    name: 'ids that are numbers are ids, and ids that are null, an object or too long are none',
    deliveries: [
      finished(
        calls(1, call('a', { n: 1 }, { request_id: 7 }), call('b', { n: 2 }, { request_id: null })),
        calls(2, call('c', { n: 3 }, { request_id: { id: 1 } }), call('d', { n: 4 }, { request_id: 'x'.repeat(300) })),
        results(3, result('d', 'd', { request_id: 'x'.repeat(300) }), result('c', 'c', { request_id: { id: 1 } })),
        results(4, result('b', 'b', { request_id: null }), result('a', 'a', { request_id: '7' })),
      ),
    ],
    rows: {
      agent_tool_calls: [
        { request_id: '0.1', tool_name: 'b', parameters: { n: 2 }, result: 'b' },
        { request_id: '7', tool_name: 'a', parameters: { n: 1 }, result: 'a' },
        { request_id: '1.0', tool_name: 'c', parameters: { n: 3 }, result: 'c', 'details.request_id': { id: 1 } },
        { request_id: '1.1', tool_name: 'd', parameters: { n: 4 }, result: 'd' },
      ],
    },
  },
  {
    name: 'without an id a result joins an earlier call of the same tool only',
    deliveries: [
      finished(
        results(1, result('find', 'before')),
        calls(2, call('find', { n: 1 }), call('other', { n: 2 })),
        results(3, result('nobody', 'no such call')),
        calls(4, call('find', { n: 3 })),
        results(5, result('find', 'of 1'), result('find', 'of 3'), result('find', 'one too many')),
      ),
    ],
    rows: {
      agent_tool_calls: [
        { request_id: '0.0', tool_name: 'find', parameters: null, result: 'before' },
        { request_id: '1.0', tool_name: 'find', parameters: { n: 1 }, result: 'of 1' },
        { request_id: '1.1', tool_name: 'other', parameters: { n: 2 }, result: null },
        { request_id: '2.0', tool_name: 'nobody', parameters: null, result: 'no such call' },
        { request_id: '3.0', tool_name: 'find', parameters: { n: 3 }, result: 'of 3' },
        { request_id: '4.2', tool_name: 'find', parameters: null, result: 'one too many' },
      ],
    },
  },
  {
    name: 'an id that only the call or only the result has is the id of their row',
    deliveries: [
      finished(
        calls(1, call('a', { n: 1 }, { request_id: 'of_call' }), call('b', { n: 2 })),
        results(2, result('a', 'a'), result('b', 'b', { request_id: 'of_result' })),
      ),
    ],
    rows: {
      agent_tool_calls: [
        { request_id: 'of_call', parameters: { n: 1 }, result: 'a' },
        { request_id: 'of_result', parameters: { n: 2 }, result: 'b' },
      ],
    },
  },
  {
    name: 'a call and a result that do not belong together are two rows, though they stand at the same place of a turn',
    deliveries: [
      finished({ ...calls(1, call('a', { n: 1 })), tool_results: [result('b', 'of b')] }, calls(2, call('c', {}))),
    ],
    rows: {
      agent_tool_calls: [
        { request_id: '0.0', tool_name: 'a', parameters: { n: 1 }, result: null },
        { request_id: '0.0#2', tool_name: 'b', parameters: null, result: 'of b' },
        { request_id: '1.0', tool_name: 'c', parameters: {}, result: null },
      ],
    },
  },
  {
    name: 'a result that is no object and no array stays the text it is',
    deliveries: [
      finished(
        results(1, result('a', '12015550149', { request_id: '1' }), result('a', 'true', { request_id: '2' })),
        results(2, result('a', '"quoted"', { request_id: '3' }), result('a', 'null', { request_id: '4' })),
        results(3, result('a', ' {"an": "object"}', { request_id: '5' }), result('a', '[1, 2]', { request_id: '6' })),
        results(4, result('a', '{broken', { request_id: '7' }), result('a', '1e400', { request_id: '8' })),
        calls(5, { tool_name: 'a', params_as_json: '0044', request_id: '9' }),
      ),
    ],
    rows: {
      agent_tool_calls: [
        { request_id: '1', result: '12015550149' },
        { request_id: '2', result: 'true' },
        { request_id: '3', result: '"quoted"' },
        { request_id: '4', result: 'null' },
        { request_id: '5', result: { an: 'object' } },
        { request_id: '6', result: [1, 2] },
        { request_id: '7', result: '{broken' },
        { request_id: '8', result: '1e400' },
        { request_id: '9', parameters: '0044' },
      ],
    },
  },
  {
    name: 'results and calls that are null are ignored',
    deliveries: [finished({ ...calls(1, null), tool_results: [null, {}, { result_value: null }] })],
    rows: { agent_tool_calls: [] },
  },
];

const step = (requests: unknown[], answers: unknown[]): Fields => ({
  type: 'nested_tools',
  requests,
  results: answers,
});
const edge = { type: 'edge', edge_id: 'e' };
const workflow = (request_id: string, steps: unknown[], more: Fields = {}): Fields =>
  result('notify', JSON.stringify({ steps }), { type: 'workflow', request_id, ...more });

/** Scenarios about tool calls in the result of a workflow. */
const inWorkflows: Scenario[] = [
  {
    name: 'the calls that a workflow made are rows of their own, once, though the provider prints them twice',
    deliveries: [
      finished(
        calls(8, call('notify', {}, { type: 'workflow', request_id: 'w' })),
        results(
          9,
          workflow('w', [
            step(
              [call('transfer', { reason: '' }, { type: 'system', request_id: 'n' })],
              [result('transfer', '{"status":"success"}', { type: 'system', request_id: 'n' })],
            ),
            edge,
          ]),
        ),
        calls(10, call('end_call', { reason: 'done' }, { type: 'system', request_id: 'e' })),
      ),
    ],
    rows: {
      agent_tool_calls: [
        { request_id: 'w', tool_name: 'notify', tool_type: 'workflow', parameters: {}, created_at: iso(8) },
        {
          request_id: 'n',
          tool_name: 'transfer',
          tool_type: 'system',
          parameters: { reason: '' },
          result: { status: 'success' },
          is_error: false,
          created_at: iso(9),
        },
        { request_id: 'e', tool_name: 'end_call', result: null },
      ],
    },
  },
  {
    name: 'steps in the object beside the text are read once',
    deliveries: [
      finished(
        results(
          1,
          workflow('w', [step([call('a', {}, { request_id: 'n' })], [])], {
            result: { steps: [step([call('a', {}, { request_id: 'n' })], [])] },
          }),
        ),
      ),
    ],
    rows: { agent_tool_calls: [{ request_id: 'n', tool_name: 'a' }, { request_id: 'w' }] },
  },
  {
    name: 'nested calls without ids join within their workflow alone',
    deliveries: [
      finished(
        calls(1, call('find', { n: 'outside' })),
        results(2, workflow('w', [step([call('find', { n: 'inside' })], [result('find', 'inside')])])),
        results(3, workflow('v', [edge, step([], [result('find', 'of nobody')])])),
        results(4, result('find', 'outside')),
      ),
    ],
    rows: {
      agent_tool_calls: [
        { request_id: '0.0', parameters: { n: 'outside' }, result: 'outside' },
        { request_id: '1.0.0.0', parameters: { n: 'inside' }, result: 'inside' },
        { request_id: 'w', tool_name: 'notify' },
        { request_id: '2.0.1.0', parameters: null, result: 'of nobody' },
        { request_id: 'v', tool_name: 'notify' },
      ],
    },
  },
  {
    name: 'the calls of a workflow within a workflow are rows as well',
    deliveries: [
      finished(
        results(
          1,
          workflow('outer', [
            step(
              [call('notify', {}, { type: 'workflow', request_id: 'inner' })],
              [workflow('inner', [step([call('deep', { n: 1 }, { request_id: 'd' })], [])])],
            ),
          ]),
        ),
      ),
    ],
    rows: {
      agent_tool_calls: [
        { request_id: 'd', tool_name: 'deep', parameters: { n: 1 } },
        { request_id: 'inner', tool_name: 'notify', parameters: {} },
        { request_id: 'outer', tool_name: 'notify', parameters: null },
      ],
    },
  },
  {
    name: 'steps in what another tool returned, and steps that hold no calls, are no calls',
    deliveries: [
      finished(
        results(
          1,
          result('build', JSON.stringify({ steps: [{ requests: [{ tool_name: 'a' }] }] }), { request_id: 'b' }),
        ),
        results(2, workflow('w', [null, 7, { requests: 'a', results: { 0: 1 } }, step([null, 'a', {}], [{ id: 1 }])])),
      ),
    ],
    rows: { agent_tool_calls: [{ request_id: 'b' }, { request_id: 'w' }] },
  },
];

const liveCall = (at: number, data: Fields): Delivered => event('agent.tool_call', at, { tool_call_id: 't', ...data });
const asked = (at: number, data: Fields): Delivered => event('agent.action', at, { action_id: 'a', ...data });

/** Scenarios about tool calls and actions in several live events. */
const live: Scenario[] = [
  {
    name: 'the result event echoes empty parameters: those of the call stay',
    deliveries: [
      liveCall(1, { tool_name: 'find', parameters: { day: 1 }, trace: { id: 5 } }),
      liveCall(2, { result: { open: true }, parameters: {}, trace: {} }),
    ],
    rows: {
      agent_tool_calls: [
        {
          request_id: 't',
          tool_name: 'find',
          parameters: { day: 1 },
          result: { open: true },
          details: { trace: { id: 5 } },
        },
      ],
    },
  },
  {
    name: 'parameters printed as an empty list, an empty text or the text of an empty object say nothing either',
    deliveries: [
      liveCall(1, { parameters: { day: 1 } }),
      liveCall(2, { parameters: [] }),
      liveCall(3, { arguments: '' }),
      liveCall(4, { params_as_json: '{}' }),
    ],
    rows: { agent_tool_calls: [{ parameters: { day: 1 }, details: null }] },
  },
  {
    name: 'empty parameters do not hide those under another name',
    deliveries: [liveCall(1, { parameters: {}, arguments: '{"day": 1}' })],
    rows: { agent_tool_calls: [{ parameters: { day: 1 }, details: null }] },
  },
  {
    name: 'an empty result says nothing, and an empty list is a result',
    deliveries: [
      liveCall(1, { result: { found: 2 } }),
      liveCall(2, { result: {} }),
      liveCall(3, { tool_call_id: 'u', result: '[]' }),
    ],
    rows: {
      agent_tool_calls: [
        { request_id: 't', result: { found: 2 } },
        { request_id: 'u', result: [] },
      ],
    },
  },
  {
    name: 'a live result that came as a text stays one, and a number stays a number',
    deliveries: [
      liveCall(1, { tool_call_id: '1', result: '12015550149' }),
      liveCall(2, { tool_call_id: '2', result: 'true' }),
      liveCall(3, { tool_call_id: '3', result: 7 }),
      liveCall(4, { tool_call_id: '4', tool_output: '{"a": 1}' }),
    ],
    rows: {
      agent_tool_calls: [
        { request_id: '1', result: '12015550149' },
        { request_id: '2', result: 'true' },
        { request_id: '3', result: 7 },
        { request_id: '4', result: { a: 1 } },
      ],
    },
  },
  {
    name: 'an action whose later word has empty parameters and details keeps what the first said',
    deliveries: [
      asked(1, { action: 'book', parameters: { people: 2 }, status: 'requested', result: { seat: 4 } }),
      asked(2, { status: 'done', parameters: {}, result: {} }),
    ],
    rows: {
      user_commands: [{ command: 'book', parameters: { people: 2 }, status: 'done', details: { result: { seat: 4 } } }],
    },
  },
];

/** Scenarios about tool calls: each is a row, with its parameters and its own result. */
export const tools: Scenario[] = [...inTranscripts, ...inWorkflows, ...live];
