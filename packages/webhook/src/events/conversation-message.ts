import type { Changes, MessageChange } from '../changes.ts';
import { latestClock } from '../clock.ts';
import { addProfile, changesOf, type EventContext } from '../event-context.ts';
import { readRole } from '../role.ts';
import { addSpoken, readSpoken } from '../spoken.ts';

/**
 * Handles conversation.message: a message during the call. The language of a user's message is the conversation's
 * language.
 */
export function conversationMessage(event: EventContext): Changes {
  const { fields, eventAt } = event;
  const clock = latestClock('live', eventAt, event);
  const changes = changesOf(event, 'live', 'in_progress');
  const role = readRole(fields);
  const spoken = readSpoken(fields);
  if (role === 'user') addSpoken(changes.conversation, spoken, clock);
  addProfile(event, changes);
  const content = fields.text('message', 'text', 'content') ?? null;
  const message: MessageChange = {
    conversation_id: event.conversationId,
    source: 'live',
    event_key: keyOf(role, event),
    // An event without words never replaces one with words.
    clock: content === null ? latestClock('seen', eventAt, event) : clock,
    position: null,
    role,
    content,
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

/**
 * Returns the message's key with its role. Senders count the messages of each side apart: number 1 of the user is not
 * number 1 of the agent.
 */
function keyOf(role: MessageChange['role'], { rowId, id }: EventContext): string {
  return rowId === id ? id : `${role ?? 'unknown'}:${rowId}`;
}
