import type { ConversationFields } from '../changes.ts';
import { latestClock, type Authority } from '../clock.ts';
import { defined, register, type EventContext } from '../event-context.ts';
import { fieldsOf, hasContent, type Fields } from '../fields.ts';
import { phoneNumber } from '../phone-number.ts';
import { readDirection } from './direction.ts';

/** The objects of a transcript event that describe the call's line. */
export interface CallSources {
  /** `metadata`, and the fields of it that stand one level too high. */
  call: Fields;
  /** `conversation_initiation_client_data`. */
  client: Fields;
  /** The dynamic variables of `conversation_initiation_client_data`. */
  variables: Fields;
}

/** Reads a finished call's channel, direction and numbers. */
export function readParties(sources: CallSources, event: EventContext): ConversationFields {
  const clock = latestClock('final', event.eventAt, event);
  const { variables } = sources;
  const { line, channel, authority } = lineOf(sources);
  const parties = partiesOf(line);
  const external = parties.external ?? variables.key('system__caller_id');
  const agent = parties.agent ?? variables.key('system__called_number');
  const numbers = latestClock(parties.areImplied ? 'seen' : 'final', event.eventAt, event);
  return defined<ConversationFields>({
    channel: register(channel, latestClock(authority, event.eventAt, event)),
    direction: register(parties.direction, clock),
    external_number: register(external && phoneNumber(external), numbers),
    agent_number: register(agent && phoneNumber(agent), numbers),
    call_sid: register(line.key('call_sid') ?? variables.key('system__call_sid'), clock),
  });
}

/** The fields that name a call's parties, its channel, and the authority of the channel. */
interface Line {
  line: Fields;
  channel: string | undefined;
  authority: Authority;
}

/**
 * Finds the line of a call. Two channels are not observed, so they rank below a live event's channel:
 *
 * - A text-only conversation is configured as a chat.
 * - `phone_call: null` means that there was no telephone, so perhaps a web page. A bridge's own calls reach the
 *   provider over WebSocket and have it too.
 */
function lineOf({ call, client }: CallSources): Line {
  for (const name of ['whatsapp', 'sms'] as const) {
    const line = call.object(name);
    if (line && hasContent(line)) return { line: fieldsOf(line), channel: name, authority: 'final' };
  }
  const phone = call.object('phone_call');
  if (phone && hasContent(phone)) return { line: call.over('phone_call'), channel: 'phone', authority: 'final' };
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
  /** Whether the roles of the two numbers are only implied. */
  areImplied: boolean;
}

/** Reads the two numbers. Without a direction the caller counts as the person, as in most calls. */
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
