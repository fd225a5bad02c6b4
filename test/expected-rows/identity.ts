import { AT, event, iso, type Scenario } from './scenario.ts';

/** What tells one message from another, and which telling of it stands. */
export const identity: Scenario[] = [
  {
    name: 'a message told twice under its id is one row, the later telling of it',
    deliveries: [
      event('conversation.message', 1, { message_id: '1', role: 'user', message: 'I wo' }),
      event('conversation.message', 2, { message_id: '1', role: 'user', message: 'I would like' }),
    ],
    rows: {
      conversation_messages: [{ role: 'user', content: 'I would like', created_at: iso(2) }],
      conversations: [{ id: 'c', status: 'in_progress', started_at: iso(1) }],
      webhook_events: [{ outcome: 'applied' }, { outcome: 'applied' }],
    },
  },
  {
    name: 'unix milliseconds and seconds are the same time',
    deliveries: [{ body: { type: 'conversation.started', timestamp: AT * 1000, conversation_id: 'c' } }],
    rows: { conversations: [{ started_at: iso(0) }] },
  },
];
