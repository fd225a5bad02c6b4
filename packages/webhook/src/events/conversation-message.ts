import type { Changes, MessageChange } from '../changes.ts';
import { latestClock } from '../clock.ts';
import { addProfile, changesOf, type EventContext } from '../event-context.ts';
import { readRole } from '../role.ts';
import { addSpoken, readSpoken } from '../spoken.ts';

/** conversation.message: one thing said while the call goes on. What a user speaks is the conversation's language. */
export function conversationMessage(event: EventContext): Changes {
  const { fields, eventAt, id } = event;
  const clock = latestClock('live', eventAt, id);
  const changes = changesOf(event, 'live', 'in_progress');
  const role = readRole(fields);
  const spoken = readSpoken(fields);
  if (role === 'user') addSpoken(changes.conversation, spoken, clock);
  addProfile(event, changes);
  const message: MessageChange = {
    conversation_id: event.conversationId,
    source: 'live',
    event_key: fields.key('message_id') ?? event.eventKey ?? id,
    clock,
    position: null,
    role,
    content: fields.text('message', 'text', 'content') ?? null,
    language: spoken?.language ?? null,
    time_in_call_seconds: fields.number('time_in_call_seconds', 'time_in_call_secs') ?? null,
    interrupted: fields.boolean('interrupted') ?? null,
    details: {},
    created_at: eventAt,
  };
  message.details = { ...fields.rest(), ...(spoken?.dialect ? { dialect: spoken.dialect } : {}) };
  changes.messages.push(message);
  return changes;
}
