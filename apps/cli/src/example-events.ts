import type { EventTypeName } from '@landline/webhook';
import { AGENT, PROVIDED_EXAMPLES, type Example, type ExampleEvent } from './provided-examples.ts';

/** One example of each event type, shaped as ElevenLabs or a bridge sends it. Names, numbers and texts are invented. */
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
  ...PROVIDED_EXAMPLES,
};

const BY_NAME = new Map<string, Example>(Object.entries(EXAMPLES));

function live(type: string, { conversationId, at, sequence }: ExampleEvent, data: object): object {
  return {
    type,
    event_id: `evt_${conversationId}_${sequence}`,
    timestamp: at.toISOString(),
    data: { conversation_id: conversationId, agent_id: AGENT, user_id: 'user_42', ...data },
  };
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

/** The names that `send` takes: every event type, and `live` for calls of ten live events each. */
export const EXAMPLE_NAMES: readonly string[] = [...Object.keys(EXAMPLES), 'live'];

/**
 * Makes the body of the `sequence`-th event of a run.
 *
 * @param name      One of `EXAMPLE_NAMES`.
 * @param run       A word that no other run uses: the conversation ids contain it.
 * @param place     `sequence` counts from 0: each event has its own conversation, and `live` puts ten into one. `at` is the event's time.
 * @returns         The body, as JSON.
 * @throws          When there is no example of that name.
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
