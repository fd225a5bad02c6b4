import { AT, event, iso, transcript, type Scenario } from './scenario.ts';

const said = (at: number | undefined, data: object) => event('conversation.message', at, { role: 'user', ...data });
/** Makes an event whose envelope has an id. */
const flat = (type: string, fields: object) => ({ body: { type, conversation_id: 'c', ...fields } });

/** Scenarios about the identity of a message, a tool call or a command. */
export const identity: Scenario[] = [
  {
    name: 'a message sent twice under its id is one row, with the later text',
    deliveries: [said(1, { message_id: '1', message: 'I wo' }), said(2, { message_id: '1', message: 'I would like' })],
    rows: {
      conversation_messages: [{ event_key: 'user:1', role: 'user', content: 'I would like', created_at: iso(2) }],
      conversations: [{ id: 'c', status: 'in_progress', started_at: iso(1) }],
      webhook_events: [{ outcome: 'applied' }, { outcome: 'applied' }],
    },
  },
  {
    name: 'number 1 of the user and number 1 of the agent are two messages',
    deliveries: [
      said(1, { message_id: '1', message: 'Is anybody there?' }),
      said(2, { role: 'agent', message_id: '1', message: 'I am.' }),
    ],
    rows: {
      conversation_messages: [
        { role: 'user', content: 'Is anybody there?' },
        { role: 'agent', content: 'I am.' },
      ],
    },
  },
  {
    name: 'assistant is another word for agent, so its message is the same one',
    deliveries: [
      said(1, { role: 'assistant', message_id: 7, message: 'One mo' }),
      said(2, { role: 'agent', message_id: '7', message: 'One moment' }),
    ],
    rows: { conversation_messages: [{ role: 'agent', content: 'One moment' }] },
  },
  {
    name: 'user, agent and system may all have a message of one id in data',
    deliveries: ['user', 'agent', 'system'].map((role, i) => said(i, { role, id: 'm', message: role })),
    rows: { conversation_messages: [{ content: 'user' }, { content: 'agent' }, { content: 'system' }] },
  },
  {
    name: 'data.id names a message: partial and final text are one row',
    deliveries: [said(1, { id: 'm1', message: 'I wo' }), said(3, { id: 'm1', message: 'I would' })],
    rows: { conversation_messages: [{ content: 'I would', 'details.id': null }] },
  },
  {
    name: 'an event id names a message where nothing else does',
    deliveries: [
      {
        body: {
          type: 'conversation.message',
          event_id: 'e1',
          timestamp: AT,
          data: { conversation_id: 'c', text: 'a' },
        },
      },
      {
        body: {
          type: 'conversation.message',
          event_id: 'e1',
          timestamp: AT + 1,
          data: { conversation_id: 'c', text: 'b' },
        },
      },
    ],
    rows: { conversation_messages: [{ content: 'b' }] },
  },
  {
    name: 'an id at the top is the session: three messages stay three',
    deliveries: ['one', 'two', 'three'].map((message, i) =>
      flat('conversation.message', { id: 'session_9', timestamp: AT + i, data: { role: 'user', message } }),
    ),
    rows: { conversation_messages: [{ content: 'one' }, { content: 'two' }, { content: 'three' }] },
  },
  {
    name: 'the same in messages without data',
    deliveries: ['one', 'two'].map((text, i) =>
      flat('conversation.message', { id: 'session_9', timestamp: AT + i, role: 'user', text }),
    ),
    rows: { conversation_messages: [{ content: 'one' }, { content: 'two' }] },
  },
  {
    name: 'the same word twice under the session’s id at the top, without times, is two messages',
    deliveries: [-30, 0].map((signed) => ({
      ...flat('conversation.message', { id: 'session_9', role: 'user', text: 'yes' }),
      signed,
    })),
    rows: { conversation_messages: [{ content: 'yes' }, { content: 'yes' }] },
  },
  {
    name: 'tool calls under the session’s id at the top stay apart',
    deliveries: ['a', 'b'].map((tool_name, i) =>
      flat('agent.tool_call', { id: 'session_9', timestamp: AT + i, data: { tool_name } }),
    ),
    rows: { agent_tool_calls: [{ tool_name: 'a' }, { tool_name: 'b' }] },
  },
  {
    name: 'the conversation’s id in the place of a message’s is no id',
    deliveries: [said(1, { message_id: 'c', message: 'one' }), said(2, { id: 'c', message: 'two' })],
    rows: { conversation_messages: [{ content: 'one' }, { content: 'two' }] },
  },
  {
    name: 'yes, said twice with no id and no time, is two messages',
    deliveries: [-30, 0].map((signed) => ({ ...said(undefined, { message: 'yes' }), signed })),
    rows: {
      conversation_messages: [{ content: 'yes' }, { content: 'yes' }],
      webhook_events: [{ outcome: 'applied' }, { outcome: 'applied' }],
    },
  },
  {
    name: 'one such message that is delivered again with its signature is one',
    firstDecides: true,
    deliveries: [0, 0].map((signed) => ({ ...said(undefined, { message: 'yes' }), signed })),
    rows: { conversation_messages: [{ content: 'yes' }] },
  },
  {
    name: 'a message with an id, signed anew, is one',
    firstDecides: true,
    deliveries: [-30, 0].map((signed) => ({ ...said(undefined, { message_id: '5', message: 'yes' }), signed })),
    rows: { conversation_messages: [{ content: 'yes' }], webhook_events: [{ outcome: 'applied' }] },
  },
  {
    name: 'a message with a time, signed anew, is one',
    firstDecides: true,
    deliveries: [-30, 0].map((signed) => ({ ...said(4, { message: 'yes' }), signed })),
    rows: { conversation_messages: [{ content: 'yes', created_at: iso(4) }], webhook_events: [{ outcome: 'applied' }] },
  },
  {
    name: 'a tool called twice with the same parameters, with no id and no time, is two calls',
    deliveries: [-30, 0].map((signed) => ({
      ...event('agent.tool_call', undefined, { tool_name: 'hold', parameters: { seconds: 5 } }),
      signed,
    })),
    rows: { agent_tool_calls: [{ tool_name: 'hold' }, { tool_name: 'hold' }] },
  },
  {
    name: 'a command given twice, with no id and no time, is two commands',
    deliveries: [-60, -30, 0].map((signed) => ({ ...event('agent.action', undefined, { action: 'repeat' }), signed })),
    rows: { user_commands: [{ command: 'repeat' }, { command: 'repeat' }, { command: 'repeat' }] },
  },
  {
    name: 'a transcript that names no time, signed anew, is one event',
    firstDecides: true,
    deliveries: [-30, 0].map((signed) => ({
      body: { type: 'post_call_transcription', data: { conversation_id: 'c', status: 'done' } },
      signed,
    })),
    rows: { webhook_events: [{ outcome: 'applied' }] },
  },
  {
    name: 'a transcript takes the place of messages under any of these keys',
    deliveries: [
      said(1, { message_id: '1', message: 'live' }),
      said(2, { role: 'agent', message_id: '1', message: 'live' }),
      said(undefined, { message: 'live' }),
      transcript({ transcript: [{ role: 'user', message: 'in full' }] }),
    ],
    rows: { conversation_messages: [{ source: 'transcript', content: 'in full' }] },
  },
];
