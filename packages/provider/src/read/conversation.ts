import { normalise } from '@landline/webhook';
import { isObject, type Json, type JsonObject } from '@landline/webhook/json';
import { z } from 'zod';
import { ProviderError } from '../errors.ts';
import type { FetchedConversation } from '../provider.ts';
import { inPath } from '../request/in-path.ts';
import { callStatus } from './call-status.ts';
import { maybe, maybeDuration, maybeStart, maybeText, text } from './forms.ts';
import { readAnswer } from './read-answer.ts';

const account = z.object({
  conversation_id: text,
  agent_id: maybeText,
  status: callStatus,
  metadata: maybe({
    start_time_unix_secs: maybeStart,
    accepted_time_unix_secs: maybeStart,
    call_duration_secs: maybeDuration,
  }),
});

/**
 * Reads the account of a call.
 *
 * @param id  The call that was asked for.
 */
export function readConversation(id: string, bytes: Buffer, answer: Json): FetchedConversation {
  const what = `conversation ${inPath(id)}`;
  const read = readAnswer(account, answer, what);
  if (read.conversation_id !== id || !isObject(answer)) {
    throw new ProviderError('bad_answer', `ElevenLabs' answer for ${what} is that of another conversation.`);
  }
  const { start_time_unix_secs: start, accepted_time_unix_secs: accepted, call_duration_secs } = read.metadata ?? {};
  return {
    id,
    agentId: read.agent_id,
    ...partiesOf(id, answer),
    status: read.status,
    startedAt: start ?? accepted ?? null,
    durationSeconds: call_duration_secs ?? null,
    bytes,
  };
}

/**
 * Finds the user id and the other party's number as the worker will, who writes them to the tables: an erased person is known by these.
 * The words of the call do not matter for it.
 */
function partiesOf(id: string, answer: JsonObject): Pick<FetchedConversation, 'userId' | 'externalNumber'> {
  const data = { ...answer, transcript: [], analysis: null };
  const body = JSON.stringify({ type: 'post_call_transcription', event_timestamp: 0, data });
  const event = normalise({ body, encoding: 'utf8', receivedAt: 0, signedAt: 0, secretId: 'provider' });
  if (event.outcome !== 'applied') {
    throw new ProviderError('unusable', `ElevenLabs' answer for conversation ${inPath(id)} is no conversation.`);
  }
  const { user_id, external_number } = event.changes.conversation.fields;
  return { userId: user_id?.value ?? null, externalNumber: external_number?.value ?? null };
}
