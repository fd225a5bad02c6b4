import type { Changes, ConversationFields, ConversationStatus } from '../changes.ts';
import { earliestClock, latestClock, type Clock } from '../clock.ts';
import { readCallTimes } from '../call-times.ts';
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
import { EventFaultError } from '../errors.ts';
import { addSeconds } from '../event-time.ts';
import { fieldsOf, holdsSomething, saysSomething, type Fields } from '../fields.ts';
import { isObject, type Json } from '../json.ts';
import { readLanguage } from '../language.ts';
import { addSpoken } from '../spoken.ts';
import { readParties } from './call-parties.ts';
import { failureReason } from './failure-reason.ts';
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
  const { fields, eventAt } = event;
  const clock = latestClock('final', eventAt, event);
  const told = fields.oneOf(STATUSES, 'status');
  const changes = changesOf(event, 'final', told ?? 'done');
  const metadata = fields.object('metadata') ?? {};
  // What some senders write one level too high is read where it stands.
  const call = fields.over('metadata');
  const { startedAt } = readCallTimes(call);
  const turns = turnsOf(fields);
  const transcript = readTranscript(turns, event, { startedAt: startedAt ?? eventAt, clock });
  const clientData = fields.object('conversation_initiation_client_data');
  const client = fieldsOf(clientData);
  const variables = fieldsOf(client.object('dynamic_variables'));

  Object.assign(
    changes.conversation.fields,
    theCall(call, changes.conversation.fields, event),
    outcome(told, call, event),
    defined<ConversationFields>({
      user_id: changes.conversation.fields.user_id ?? register(client.key('user_id'), clock),
    }),
    readParties({ call, client, variables }, event),
    analysis(fields, clock),
  );
  addLanguage(changes, { transcript, call, client }, event);
  addProfile(event, changes);
  const isTold = saysWhatWasSaid(transcript);
  if (isTold) {
    changes.messages = transcript.messages;
    changes.toolCalls = transcript.toolCalls;
    changes.conversation.transcript = clock;
  }
  const rest = {
    ...fields.rest(),
    ...metadata,
    // Turns that are not rows are kept all the same, where they hold anything.
    ...(!isTold && turns.some(saysSomething) && { transcript: turns }),
    ...(clientData && { conversation_initiation_client_data: clientData }),
  };
  addMetadata(changes, registersOf(rest, clock));
  return changes;
}

/** What a turn may hold in the place of words, as its details keep it. */
const CONTENTS = ['turn', 'file_input', 'file_inputs', 'original_message', 'multivoice_message'];

/**
 * Whether a transcript has a turn with content or a tool call. One of empty or redacted turns says nothing of what was said:
 * what was told live stays.
 */
function saysWhatWasSaid({ messages, toolCalls }: Transcript): boolean {
  if (toolCalls.length > 0) return true;
  return messages.some(({ content, details }) => {
    if (content !== null) return content.trim() !== '';
    return isObject(details) && CONTENTS.some((name) => Object.hasOwn(details, name) && holdsSomething(details[name]));
  });
}

/** When the call was, why it ended and what it cost. */
function theCall(call: Fields, { started_at }: ConversationFields, event: EventContext): ConversationFields {
  const clock = latestClock('final', event.eventAt, event);
  const { startedAt, durationSeconds } = readCallTimes(call);
  const endedAt =
    startedAt === undefined || durationSeconds === undefined ? undefined : addSeconds(startedAt, durationSeconds);
  return defined<ConversationFields>({
    duration_seconds: register(durationSeconds, clock),
    end_reason: register(call.text('termination_reason', 'end_reason'), clock),
    cost_credits: register(call.number('cost'), clock),
    started_at:
      startedAt === undefined ? started_at : { value: startedAt, clock: earliestClock('final', startedAt, event) },
    ended_at: register(endedAt, clock),
  });
}

/** Whether the call was done or failed, where the account says so: the later account's word, with its reason or none. */
function outcome(told: ConversationStatus | undefined, call: Fields, event: EventContext): ConversationFields {
  if (told !== 'done' && told !== 'failed') return {};
  const reason = told === 'done' ? null : failureReason(call);
  return defined<ConversationFields>({
    status: finalStatusRegister(event, told),
    failure_reason: register(reason, latestClock('final', event.eventAt, event)),
  });
}

/** The turns; a transcript that is no list holds something we cannot see, so it must not pass for an empty one. */
function turnsOf(fields: Fields): Json[] {
  const turns = fields.any('transcript') ?? [];
  if (!Array.isArray(turns)) throw new EventFaultError('transcript_not_array', 'data.transcript is not an array.');
  return turns;
}

function analysis(fields: Fields, clock: Clock): ConversationFields {
  const whole = fields.object('analysis');
  const told = fields.over('analysis');
  return defined<ConversationFields>({
    analysis: register(whole, clock),
    title: register(told.text('call_summary_title', 'title'), clock),
    summary: register(told.text('transcript_summary', 'summary'), clock),
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
    addSpoken(conversation, detected.spoken, latestClock('final', detected.at, event));
    return;
  }
  const agent = fieldsOf(fieldsOf(client.object('conversation_config_override')).object('agent'));
  const configured =
    agent.textAs((tag) => readLanguage(tag), 'language') ?? call.textAs((tag) => readLanguage(tag), 'main_language');
  addSpoken(conversation, configured, latestClock('configured', event.eventAt, event));
}
