import { AT, event, iso, transcript, type Scenario } from './scenario.ts';

const said = (at: number | undefined, data: object) => event('conversation.message', at, { role: 'user', ...data });
const action = (at: number | undefined, status: string, more: object = {}) =>
  event('agent.action', at, { action_id: 'a1', action: 'book', status, ...more });
const call = (at: number | undefined, more: object) => event('agent.tool_call', at, { tool_call_id: 't1', ...more });

/** Scenarios about events of one second, events without a time, and empty values. */
export const ties: Scenario[] = [
  {
    name: 'of two statuses of one command without times, in one second, the one received later stands',
    deliveries: [action(undefined, 'requested'), action(undefined, 'done')],
    rows: { user_commands: [{ action_id: 'a1', status: 'done' }] },
  },
  {
    name: 'the same the other way round, so that it is no chance',
    deliveries: [action(undefined, 'done'), action(undefined, 'requested')],
    rows: { user_commands: [{ status: 'requested' }] },
  },
  {
    name: 'the same with one whole second as the time of both',
    deliveries: [action(5, 'requested'), action(5, 'running'), action(5, 'done')],
    rows: { user_commands: [{ status: 'done' }] },
  },
  {
    name: 'partial and final text of one whole second: the one received later stands',
    deliveries: ['I', 'I wo', 'I would'].map((message) => said(5, { message_id: '1', message })),
    rows: { conversation_messages: [{ content: 'I would', created_at: iso(5) }] },
  },
  {
    name: 'a corrected text may be shorter than the one before',
    deliveries: ['fourty-two', 'forty', '42'].map((message) => said(undefined, { message_id: '1', message })),
    rows: { conversation_messages: [{ content: '42' }] },
  },
  {
    name: 'two results of one tool call in one second: the later received',
    deliveries: [call(undefined, { result: 'busy' }), call(undefined, { result: 'free' })],
    rows: { agent_tool_calls: [{ result: 'free' }] },
  },
  {
    name: 'the time that an event names counts before its receipt',
    deliveries: [action(9, 'done'), action(8, 'running')],
    rows: { user_commands: [{ status: 'done' }] },
  },
  {
    name: 'a later second counts before a later receipt in an earlier one',
    deliveries: [
      { ...action(undefined, 'done'), signed: 0 },
      { ...action(undefined, 'requested', { note: 1 }), signed: -5 },
    ],
    rows: { user_commands: [{ status: 'done' }] },
  },
  {
    name: 'seconds into the call are no time: the signature’s is',
    deliveries: [event('conversation.message', undefined, { timestamp: 12.5, role: 'user', message: 'hi' })],
    rows: { conversation_messages: [{ content: 'hi', 'details.timestamp': 12.5 }] },
  },
  ...(
    [
      ['zero', 0],
      ['the year 1', '0001-01-01T00:00:00Z'],
      ['milliseconds into the call', 12_500],
      ['the last second of 1999', 946_684_799],
      ['a text of seconds', '61'],
    ] as const
  ).map(([name, timestamp]) => ({
    name: `${name} is no time: the next name that holds one is read`,
    deliveries: [{ body: { type: 'conversation.started', timestamp, created_at: AT, conversation_id: 'c' } }],
    rows: { conversations: [{ started_at: iso(0), created_at: iso(0) }] },
  })),
  {
    name: 'the first second of the year 2000 is a time',
    deliveries: [{ body: { type: 'conversation.started', timestamp: 946_684_800, conversation_id: 'c' } }],
    rows: { conversations: [{ started_at: '2000-01-01T00:00:00+00:00' }] },
  },
  {
    name: 'a started_at before 2000 is no start',
    deliveries: [event('conversation.started', 3, { started_at: 0.5 })],
    rows: { conversations: [{ started_at: iso(3) }] },
  },
  {
    name: 'empty parameters of a command say nothing',
    deliveries: [action(1, 'requested', { parameters: { day: 1 } }), action(2, 'done', { parameters: {} })],
    rows: { user_commands: [{ status: 'done', parameters: { day: 1 } }] },
  },
  {
    name: 'an empty text of a message does not take its words away',
    deliveries: [said(1, { message_id: '1', message: 'hello' }), said(2, { message_id: '1', message: '' })],
    rows: { conversation_messages: [{ content: 'hello' }] },
  },
  {
    name: 'nor does an event of a message that has no text at all',
    deliveries: [said(1, { message_id: '1', message: 'hello' }), said(2, { message_id: '1', interrupted: true })],
    rows: { conversation_messages: [{ content: 'hello' }] },
  },
  {
    name: 'an empty personality or attribute says nothing of a user',
    deliveries: [
      event('conversation.started', 1, { user_id: 'u', personality: { pace: 'slow' }, user_profile: { tier: 'gold' } }),
      event('conversation.ended', 2, { user_id: 'u', personality: {}, user_profile: { tier: '' } }),
    ],
    rows: { user_profiles: [{ personality: { pace: 'slow' }, attributes: { tier: 'gold' } }] },
  },
  {
    name: 'an empty object in what an event adds to the metadata says nothing',
    deliveries: [
      event('conversation.started', 1, { campaign: { name: 'autumn' } }),
      event('conversation.ended', 2, { campaign: {} }),
    ],
    rows: { conversations: [{ metadata: { campaign: { name: 'autumn' } } }] },
  },
  {
    name: 'empty details of a command say nothing',
    deliveries: [action(1, 'requested', { result: { id: 4 } }), action(2, 'done', { result: {} })],
    rows: { user_commands: [{ status: 'done', details: { result: { id: 4 } } }] },
  },
  ...(
    [
      ['of null', [null]],
      ['of an empty turn', [{}]],
      [
        'of redacted turns',
        [{ role: 'user', message: null, time_in_call_secs: 1, tool_calls: [], interrupted: false }],
      ],
      [
        'of turns with empty texts',
        [
          { role: 'user', message: '' },
          { role: 'agent', message: '' },
        ],
      ],
      ['of turns of white space', [{ role: 'user', message: ' ' }]],
      ['of turns with empty lists', [{ role: 'user', message: null, file_inputs: [], original_message: '' }]],
      ['of no turn', []],
    ] as const
  ).map(([name, turns]) => ({
    name: `a transcript ${name} leaves what live events said`,
    deliveries: [said(1, { message: 'hello' }), call(2, { tool_name: 'find' }), transcript({ transcript: turns })],
    rows: {
      conversation_messages: [{ source: 'live', content: 'hello' }],
      agent_tool_calls: [{ source: 'live', tool_name: 'find' }],
      conversations: [{ status: 'done' }],
    },
  })),
  {
    name: 'a transcript of one tool call takes the place of what live events said',
    deliveries: [
      said(1, { message: 'hello' }),
      transcript({
        transcript: [{ role: 'agent', message: null, tool_calls: [{ request_id: 'r', tool_name: 'find' }] }],
      }),
    ],
    rows: {
      conversation_messages: [{ source: 'transcript', content: null }],
      agent_tool_calls: [{ tool_name: 'find' }],
    },
  },
  {
    name: 'a transcript in several voices takes the place of what live events said',
    deliveries: [
      said(1, { message: 'hello' }),
      transcript({ transcript: [{ role: 'agent', message: null, multivoice_message: { parts: [{ text: 'Hi!' }] } }] }),
    ],
    rows: { conversation_messages: [{ source: 'transcript', content: null }] },
  },
  {
    name: 'a later transcript without words leaves an earlier one’s turns',
    deliveries: [
      transcript({ transcript: [{ role: 'user', message: 'hello' }] }),
      transcript({ transcript: [{ role: 'user', message: null, file: 'x' }] }, 200),
    ],
    rows: {
      conversation_messages: [{ source: 'transcript', content: 'hello' }],
      conversations: [{ 'metadata.transcript': [{ role: 'user', message: null, file: 'x' }] }],
    },
  },
];
