import type { ConversationFields } from '../changes.ts';
import { latestClock, type Authority } from '../clock.ts';
import { defined, register, type EventContext } from '../event-context.ts';
import { fieldsOf, saysSomething, type Fields } from '../fields.ts';
import { phoneNumber } from '../phone-number.ts';
import { readDirection } from './direction.ts';

/** Where a transcript tells of the call's line. */
export interface CallSources {
  /** `metadata`, with what stands one level too high. */
  call: Fields;
  /** `conversation_initiation_client_data`. */
  client: Fields;
  /** Its dynamic variables. */
  variables: Fields;
}

/** Over what a finished call went, in which direction, and between which numbers. */
export function readParties(sources: CallSources, event: EventContext): ConversationFields {
  const clock = latestClock('final', event.eventAt, event);
  const { variables } = sources;
  const { line, channel, authority } = lineOf(sources);
  const told = partiesOf(line);
  const external = told.external ?? variables.key('system__caller_id');
  const agent = told.agent ?? variables.key('system__called_number');
  const numbers = latestClock(told.areImplied ? 'seen' : 'final', event.eventAt, event);
  return defined<ConversationFields>({
    channel: register(channel, latestClock(authority, event.eventAt, event)),
    direction: register(told.direction, clock),
    external_number: register(external && phoneNumber(external), numbers),
    agent_number: register(agent && phoneNumber(agent), numbers),
    call_sid: register(line.key('call_sid') ?? variables.key('system__call_sid'), clock),
  });
}

/** Where a call's parties are told, its channel, and how much the channel is to be believed. */
interface Line {
  line: Fields;
  channel: string | undefined;
  authority: Authority;
}

/**
 * A text-only conversation is set to be a chat. `phone_call: null` says that there was no telephone, so perhaps a web page:
 * a bridge's own calls, which reach the provider over WebSocket, have it too. Neither counts against what somebody said.
 */
function lineOf({ call, client }: CallSources): Line {
  for (const name of ['whatsapp', 'sms'] as const) {
    const line = call.object(name);
    if (line && saysSomething(line)) return { line: fieldsOf(line), channel: name, authority: 'final' };
  }
  const phone = call.object('phone_call');
  if (phone && saysSomething(phone)) return { line: call.over('phone_call'), channel: 'phone', authority: 'final' };
  if (isTextOnly(call, client)) return { line: call, channel: 'chat', authority: 'configured' };
  return { line: call, channel: call.isNull('phone_call') ? 'web' : undefined, authority: 'seen' };
}

function isTextOnly(call: Fields, client: Fields): boolean {
  const override = fieldsOf(client.object('conversation_config_override'));
  return call.boolean('text_only') ?? fieldsOf(override.object('conversation')).boolean('text_only') ?? false;
}

interface Parties {
  direction: string | undefined;
  external: string | undefined;
  agent: string | undefined;
  /** Whether it is only our guess which number is whose. */
  areImplied: boolean;
}

/** Where no direction is told, the caller is taken for the person, as in most calls. */
function partiesOf(line: Fields): Parties {
  const direction = readDirection(line, 'direction');
  const external = line.key('external_number', 'whatsapp_user_id', 'sms_user_phone_number', 'user_phone_number');
  const agent = line.key('agent_number', 'agent_phone_number');
  const from = line.key('from_number', 'caller_number', 'caller_id');
  const to = line.key('to_number', 'called_number');
  const [person, ours] = direction === 'outbound' ? [to, from] : [from, to];
  const areImplied =
    direction === undefined && external === undefined && agent === undefined && (from ?? to) !== undefined;
  return { direction, external: external ?? person, agent: agent ?? ours, areImplied };
}
