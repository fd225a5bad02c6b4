import type { Changes, ConversationFields } from '../changes.ts';
import { latestClock } from '../clock.ts';
import {
  addMetadata,
  addProfile,
  changesOf,
  defined,
  finalStatusRegister,
  register,
  registersOf,
  type EventContext,
} from '../event-context.ts';
import { fieldsOf } from '../fields.ts';
import { phoneNumber } from '../phone-number.ts';

/**
 * Handles call_initiation_failure: an outbound call that was never connected, as Twilio or the SIP trunk reports it.
 */
export function callInitiationFailure(event: EventContext): Changes {
  const { fields, eventAt } = event;
  fields.unfold('metadata');
  const clock = latestClock('final', eventAt, event);
  const changes = changesOf(event, 'final', 'failed');
  const body = fieldsOf(fields.object('body'));
  const provider = fields.text('type');
  const named = body.text('Direction');
  // The call counts as outbound unless the body names a direction.
  const direction = named?.toLowerCase().startsWith('inbound') ? 'inbound' : 'outbound';
  const from = body.key('From', 'from_number');
  const to = body.key('To', 'to_number');
  const [external, agent] = direction === 'outbound' ? [to, from] : [from, to];
  Object.assign(
    changes.conversation.fields,
    defined<ConversationFields>({
      channel: register('phone', clock),
      direction: register(direction, named === undefined ? latestClock('seen', eventAt, event) : clock),
      status: finalStatusRegister(event, 'failed'),
      external_number: register(external && phoneNumber(external), clock),
      agent_number: register(agent && phoneNumber(agent), clock),
      call_sid: register(body.key('CallSid', 'call_sid'), clock),
      failure_reason: register(fields.text('failure_reason'), clock),
    }),
  );
  addProfile(event, changes);
  const rest = {
    ...fields.rest(),
    call_initiation_failure: {
      type: provider ?? null,
      ...(named !== undefined && { Direction: named }),
      ...body.rest(),
    },
  };
  addMetadata(changes, registersOf(rest, clock));
  return changes;
}
