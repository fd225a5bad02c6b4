import type { Changes, ConversationFields } from '../changes.ts';
import { latestClock } from '../clock.ts';
import {
  addMetadata,
  addProfile,
  changesOf,
  defined,
  register,
  liveRegisters,
  type EventContext,
} from '../event-context.ts';

/** Handles conversation.ended: the end of a call and its reason. */
export function conversationEnded(event: EventContext): Changes {
  const { fields, eventAt } = event;
  fields.unfold('metadata');
  const clock = latestClock('live', eventAt, event);
  const changes = changesOf(event, 'live', 'ended');
  const endedAt = fields.time('ended_at', 'end_time');
  Object.assign(
    changes.conversation.fields,
    defined<ConversationFields>({
      // Without a time of its own, the event only implies that the call ended at the event's time.
      ended_at: register(endedAt ?? eventAt, endedAt === undefined ? latestClock('seen', eventAt, event) : clock),
      duration_seconds: register(fields.number('duration_seconds', 'call_duration_secs'), clock),
      end_reason: register(fields.text('reason', 'end_reason'), clock),
      summary: register(fields.text('summary'), clock),
    }),
  );
  addProfile(event, changes);
  addMetadata(changes, liveRegisters(fields.rest(), clock));
  return changes;
}
