import type { Changes, ConversationFields } from '../changes.ts';
import { latestClock } from '../clock.ts';
import {
  addMetadata,
  addProfile,
  changesOf,
  defined,
  register,
  toldRegisters,
  type EventContext,
} from '../event-context.ts';

/** conversation.ended: when and why the call was over. */
export function conversationEnded(event: EventContext): Changes {
  const { fields, eventAt } = event;
  fields.unfold('metadata');
  const clock = latestClock('live', eventAt, event);
  const changes = changesOf(event, 'live', 'ended');
  const endedAt = fields.time('ended_at', 'end_time');
  Object.assign(
    changes.conversation.fields,
    defined<ConversationFields>({
      // That it ended when it was told to have ended is only implied.
      ended_at: register(endedAt ?? eventAt, endedAt === undefined ? latestClock('seen', eventAt, event) : clock),
      duration_seconds: register(fields.number('duration_seconds', 'call_duration_secs'), clock),
      end_reason: register(fields.text('reason', 'end_reason'), clock),
      summary: register(fields.text('summary'), clock),
    }),
  );
  addProfile(event, changes);
  addMetadata(changes, toldRegisters(fields.rest(), clock));
  return changes;
}
