import type { Changes } from '../changes.ts';
import { latestClock } from '../clock.ts';
import { addProfile, changesOf, defined, register, type EventContext } from '../event-context.ts';
import { addSpoken, readSpoken } from '../spoken.ts';
import { readDetails, readParameters } from './live-values.ts';

/** Handles agent.action: a command that the user gave through the agent. */
export function agentAction(event: EventContext): Changes {
  const { fields, eventAt } = event;
  const clock = latestClock('live', eventAt, event);
  const changes = changesOf(event, 'live', 'in_progress');
  // The language beside a command is the language of the user who gave the command.
  addSpoken(changes.conversation, readSpoken(fields), clock);
  addProfile(event, changes);
  const command = defined({
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
    fields: details ? { ...command, details: { value: details, clock } } : command,
  });
  return changes;
}
