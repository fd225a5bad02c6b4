import type { Changes, ConversationFields } from '../changes.ts';
import { latestClock } from '../clock.ts';
import { addProfile, changesOf, defined, register, registersOf, type EventContext } from '../event-context.ts';

/** conversation.ended: when and why the call was over. */
export function conversationEnded(event: EventContext): Changes {
  const { fields, eventAt, id } = event;
  fields.unfold('metadata');
  const clock = latestClock('live', eventAt, id);
  const changes = changesOf(event, 'live', 'ended');
  Object.assign(
    changes.conversation.fields,
    defined<ConversationFields>({
      ended_at: register(fields.time('ended_at', 'end_time') ?? eventAt, clock),
      duration_seconds: register(fields.number('duration_seconds', 'call_duration_secs'), clock),
      end_reason: register(fields.text('reason', 'end_reason'), clock),
      summary: register(fields.text('summary'), clock),
    }),
  );
  addProfile(event, changes);
  changes.conversation.metadata = registersOf(fields.rest(), clock);
  return changes;
}
