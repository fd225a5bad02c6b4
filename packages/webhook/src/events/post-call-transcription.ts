import type { Changes, ConversationFields, ConversationStatus } from '../changes.ts';
import { earliestClock, latestClock, type Clock } from '../clock.ts';
import { addProfile, changesOf, defined, register, registersOf, type EventContext } from '../event-context.ts';
import { EventFaultError } from '../errors.ts';
import { addSeconds } from '../event-time.ts';
import { fieldsOf, type Fields } from '../fields.ts';
import type { Json } from '../json.ts';
import { readLanguage } from '../language.ts';
import { phoneNumber } from '../phone-number.ts';
import { addSpoken } from '../spoken.ts';
import { readTranscript, type Transcript } from './transcript.ts';

/** The provider's words for a status. */
const STATUSES: ReadonlyMap<string, ConversationStatus> = new Map([
  ['initiated', 'initiated'],
  ['in-progress', 'in_progress'],
  ['in_progress', 'in_progress'],
  ['processing', 'processing'],
  ['done', 'done'],
  ['failed', 'failed'],
]);

/** post_call_transcription: the provider's own account of the whole call. It outranks what was told live. */
export function postCallTranscription(event: EventContext): Changes {
  const { fields, eventAt, id } = event;
  const clock = latestClock('final', eventAt, id);
  const changes = changesOf(event, 'final', fields.oneOf(STATUSES, 'status') ?? 'done');
  const metadata = fields.object('metadata') ?? {};
  const call = fieldsOf(metadata);
  const startedAt = call.time('start_time_unix_secs', 'accepted_time_unix_secs');
  const durationSeconds = call.number('call_duration_secs');
  const transcript = readTranscript(turnsOf(fields), event, startedAt ?? eventAt, clock);
  const clientData = fields.object('conversation_initiation_client_data');
  const client = fieldsOf(clientData);
  const variables = fieldsOf(client.object('dynamic_variables'));

  Object.assign(
    changes.conversation.fields,
    defined<ConversationFields>({
      user_id: changes.conversation.fields.user_id ?? register(client.key('user_id'), clock),
      duration_seconds: register(durationSeconds, clock),
      end_reason: register(call.text('termination_reason'), clock),
      cost_credits: register(call.number('cost'), clock),
      started_at:
        startedAt === undefined
          ? changes.conversation.fields.started_at
          : { value: startedAt, clock: earliestClock('final', startedAt, id) },
      ended_at:
        startedAt === undefined || durationSeconds === undefined
          ? undefined
          : register(addSeconds(startedAt, durationSeconds), clock),
    }),
    phoneCall(call, variables, clock),
    analysis(fields, clock),
  );
  addLanguage(changes, { transcript, call, client }, event);
  addProfile(event, changes);
  changes.messages = transcript.messages;
  changes.toolCalls = transcript.toolCalls;
  changes.conversation.transcript = transcript.messages.length > 0 ? clock : null;
  changes.conversation.metadata = registersOf(
    {
      ...fields.rest(),
      ...metadata,
      ...(clientData && { conversation_initiation_client_data: clientData }),
    },
    clock,
  );
  return changes;
}

/** The turns; a transcript that is no list holds something we cannot see, so it must not pass for an empty one. */
function turnsOf(fields: Fields): Json[] {
  const turns = fields.any('transcript') ?? [];
  if (!Array.isArray(turns)) throw new EventFaultError('transcript_not_array', 'data.transcript is not an array.');
  return turns;
}

/** The numbers and the channel. `phone_call` is null on a web call, and absent where the sender left it out. */
function phoneCall(call: Fields, variables: Fields, clock: Clock): ConversationFields {
  const phone = fieldsOf(call.object('phone_call'));
  const external = phone.key('external_number') ?? variables.key('system__caller_id');
  const agent = phone.key('agent_number') ?? variables.key('system__called_number');
  return defined<ConversationFields>({
    channel: register(channelOf(call), clock),
    direction: register(phone.text('direction')?.toLowerCase(), clock),
    external_number: register(external && phoneNumber(external), clock),
    agent_number: register(agent && phoneNumber(agent), clock),
    call_sid: register(phone.key('call_sid') ?? variables.key('system__call_sid'), clock),
  });
}

function channelOf(call: Fields): string | undefined {
  if (call.object('whatsapp')) return 'whatsapp';
  if (call.object('sms')) return 'sms';
  if (call.object('phone_call')) return 'phone';
  return call.isNull('phone_call') ? 'web' : undefined;
}

function analysis(fields: Fields, clock: Clock): ConversationFields {
  const whole = fields.object('analysis');
  const told = fieldsOf(whole);
  return defined<ConversationFields>({
    analysis: register(whole, clock),
    title: register(told.text('call_summary_title'), clock),
    summary: register(told.text('transcript_summary'), clock),
    call_successful: register(told.text('call_successful'), clock),
  });
}

/**
 * Adds the language spoken at the end of the call: the last one detected in it. Where none was detected, the configured
 * one, which gives way to whatever was heard live.
 */
function addLanguage(
  { conversation }: Changes,
  { transcript, call, client }: { transcript: Transcript; call: Fields; client: Fields },
  event: EventContext,
): void {
  const { detected } = transcript;
  if (detected) {
    addSpoken(conversation, detected.spoken, latestClock('final', detected.at, event.id));
    return;
  }
  const agent = fieldsOf(fieldsOf(client.object('conversation_config_override')).object('agent'));
  const configured =
    agent.textAs((tag) => readLanguage(tag), 'language') ?? call.textAs((tag) => readLanguage(tag), 'main_language');
  addSpoken(conversation, configured, latestClock('configured', event.eventAt, event.id));
}
