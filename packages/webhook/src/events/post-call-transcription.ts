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
import { fieldsOf, isFilled, hasContent, type Fields } from '../fields.ts';
import { isObject, type Json } from '../json.ts';
import { readLanguage } from '../language.ts';
import { addSpoken } from '../spoken.ts';
import { readParties } from './call-parties.ts';
import { deletionOrders } from './deletion-orders.ts';
import { failureReason } from './failure-reason.ts';
import { readTranscript, type Transcript } from './transcript.ts';

/** The provider's statuses and ours. */
const STATUSES: ReadonlyMap<string, ConversationStatus> = new Map([
  ['initiated', 'initiated'],
  ['in-progress', 'in_progress'],
  ['in_progress', 'in_progress'],
  ['processing', 'processing'],
  ['done', 'done'],
  ['failed', 'failed'],
]);

/** Handles post_call_transcription: the provider's account of the whole call, which outranks live events. */
export function postCallTranscription(event: EventContext): Changes {
  const { fields, eventAt } = event;
  const clock = latestClock('final', eventAt, event);
  const status = fields.oneOf(STATUSES, 'status');
  const changes = changesOf(event, 'final', status ?? 'done');
  const metadata = fields.object('metadata') ?? {};
  // Some senders write fields of the metadata one level too high.
  const call = fields.over('metadata');
  const startedAt = readCallTimes(call).startedAt ?? eventAt;
  const turns = turnsOf(fields);
  const transcript = readTranscript(turns, event, { startedAt, clock });
  const clientData = fields.object('conversation_initiation_client_data');
  const client = fieldsOf(clientData);
  const variables = fieldsOf(client.object('dynamic_variables'));

  Object.assign(
    changes.conversation.fields,
    callColumns(call, changes.conversation.fields, event),
    outcome(status, call, event),
    defined<ConversationFields>({
      user_id: changes.conversation.fields.user_id ?? register(client.key('user_id'), clock),
    }),
    readParties({ call, client, variables }, event),
    analysis(fields, clock),
    deletionOrders(call, clock),
  );
  addLanguage(changes, { transcript, call, client }, event);
  addProfile(event, changes);
  const areRows = addTranscript(changes, transcript, clock);
  const rest = {
    ...fields.rest(),
    ...metadata,
    // Turns that do not become rows are kept in the metadata, where they hold anything.
    ...(!areRows && turns.some(hasContent) && { transcript: turns }),
    ...(clientData && { conversation_initiation_client_data: clientData }),
  };
  addMetadata(changes, registersOf(rest, clock));
  return changes;
}

/** Adds a transcript's rows where it has words or tool calls. Returns whether it did. */
function addTranscript(changes: Changes, transcript: Transcript, clock: Clock): boolean {
  if (!hasWords(transcript)) return false;
  changes.messages = transcript.messages;
  changes.toolCalls = transcript.toolCalls;
  changes.conversation.transcript = clock;
  return true;
}

/** The fields of a turn that replace its words. The message's details keep them. */
const CONTENTS = ['turn', 'file_input', 'file_inputs', 'original_message', 'multivoice_message'];

/**
 * Returns whether a transcript has a turn with content or a tool call. A transcript of empty or redacted turns must not
 * replace the live messages.
 */
function hasWords({ messages, toolCalls }: Transcript): boolean {
  if (toolCalls.length > 0) return true;
  return messages.some(({ content, details }) => {
    if (content !== null) return content.trim() !== '';
    return isObject(details) && CONTENTS.some((name) => Object.hasOwn(details, name) && isFilled(details[name]));
  });
}

/** Returns the times of the call, its end reason and its cost. */
function callColumns(call: Fields, { started_at }: ConversationFields, event: EventContext): ConversationFields {
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

/**
 * Returns the final status that the account names, and its failure reason (null for a call that is done). Returns
 * nothing where the account names no final status.
 */
function outcome(status: ConversationStatus | undefined, call: Fields, event: EventContext): ConversationFields {
  if (status !== 'done' && status !== 'failed') return {};
  const reason = status === 'done' ? null : failureReason(call);
  return defined<ConversationFields>({
    status: finalStatusRegister(event, status),
    failure_reason: register(reason, latestClock('final', event.eventAt, event)),
  });
}

/**
 * Returns the turns.
 *
 * @throws EventFaultError  for a transcript that is no list: it may hold turns, so it must not count as an empty one.
 */
function turnsOf(fields: Fields): Json[] {
  const turns = fields.any('transcript') ?? [];
  if (!Array.isArray(turns)) throw new EventFaultError('transcript_not_array', 'data.transcript is not an array.');
  return turns;
}

function analysis(fields: Fields, clock: Clock): ConversationFields {
  const whole = fields.object('analysis');
  const inner = fields.over('analysis');
  return defined<ConversationFields>({
    analysis: register(whole, clock),
    title: register(inner.text('call_summary_title', 'title'), clock),
    summary: register(inner.text('transcript_summary', 'summary'), clock),
    call_successful: register(inner.text('call_successful'), clock),
  });
}

/**
 * Adds the language at the end of the call: the last detected one. Without a detection it adds the configured language,
 * which ranks below every live event's.
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
