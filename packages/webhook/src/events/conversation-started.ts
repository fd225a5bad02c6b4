import type { Changes, ConversationFields } from '../changes.ts';
import { earliestClock, latestClock } from '../clock.ts';
import {
  addMetadata,
  addProfile,
  changesOf,
  defined,
  register,
  liveRegisters,
  type EventContext,
} from '../event-context.ts';
import { phoneNumber } from '../phone-number.ts';
import { addSpoken, readSpoken } from '../spoken.ts';
import { readDirection } from './direction.ts';

/** Handles conversation.started: the caller, the called number, the channel and the language. */
export function conversationStarted(event: EventContext): Changes {
  const { fields, eventAt } = event;
  fields.unfold('metadata');
  const clock = latestClock('live', eventAt, event);
  const changes = changesOf(event, 'live', 'in_progress');
  const startedAt = fields.time('started_at', 'start_time', 'start_time_unix_secs') ?? eventAt;
  const direction = readDirection(fields, 'direction');
  const caller = fields.key('caller_number', 'from_number', 'caller_id');
  const called = fields.key('called_number', 'to_number');
  // The caller is the person, unless the agent made the call.
  const [external, agent] = direction === 'outbound' ? [called, caller] : [caller, called];
  Object.assign(
    changes.conversation.fields,
    defined<ConversationFields>({
      channel: register(fields.text('channel'), clock),
      direction: register(direction, clock),
      external_number: register(external && phoneNumber(external), clock),
      agent_number: register(agent && phoneNumber(agent), clock),
      call_sid: register(fields.key('call_sid', 'twilio_call_sid'), clock),
      started_at: { value: startedAt, clock: earliestClock('live', startedAt, event) },
    }),
  );
  addSpoken(changes.conversation, readSpoken(fields), clock);
  addProfile(event, changes);
  addMetadata(changes, liveRegisters(fields.rest(), clock));
  return changes;
}
