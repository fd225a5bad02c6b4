import type { Changes } from '../changes.ts';
import { latestClock } from '../clock.ts';
import { addProfile, changesOf, defined, register, type EventContext } from '../event-context.ts';
import { addSpoken, readSpoken } from '../spoken.ts';
import { readDetails, readParameters } from './live-values.ts';

/** agent.action: a command that the user gave through the agent. */
export function agentAction(event: EventContext): Changes {
  const { fields, eventAt } = event;
  const clock = latestClock('live', eventAt, event);
  const changes = changesOf(event, 'live', 'in_progress');
  // Beside a command stands the language of whoever gave it.
  addSpoken(changes.conversation, readSpoken(fields), clock);
  addProfile(event, changes);
  const told = defined({
    user_id: changes.conversation.fields.user_id,
    command: register(fields.text('action', 'command', 'name'), clock),
    parameters: register(readParameters(fields, 'parameters'), clock),
    status: register(fields.text('status'), clock),
  });
  const details = readDetails(fields);
  changes.commands.push({
    conversation_id: event.conversationId,
    action_id: event.rowId,
    earliest: eventAt,
    fields: details ? { ...told, details: { value: details, clock } } : told,
  });
  return changes;
}
