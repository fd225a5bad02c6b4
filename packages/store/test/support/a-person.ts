import type { BodyReference } from '@landline/webhook/delivery';
import type { ApplicableEvent } from '../../src/apply.ts';
import type { DeadEvent } from '../../src/ledger/ledger-statement.ts';
import { anEvent, applicable, AT, bodyOf, read } from './an-event.ts';
import type { RunSql } from './read-tables.ts';

/** What of a person must be found nowhere afterwards. */
export const PERSON = { name: 'Zenobia Quill', user: 'user-zq-4711', number: '+12025550147' } as const;

/** One of the texts of `PERSON`, or what else was said to them. */
export const TRACES = [...Object.values(PERSON), 'the seventh lantern'] as const;

/** What the storage has of a call of `eventsOfCall`. */
export const urlsOf = (id: string) => [
  `file:/recordings/agent/2026/01/05/${id}.mp3`,
  `file:/recordings/agent/2026/01/05/${id}.raw.json`,
];

// printf 'abc' | sha256sum
const SHA256_OF_ABC = 'ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad';
const MINUTE = 60_000;

/** A transcript of a call of the person. */
export function transcriptOf(id: string, minutes = 5): ApplicableEvent {
  return anEvent({
    type: 'post_call_transcription',
    at: AT + minutes * MINUTE,
    data: {
      conversation_id: id,
      agent_id: 'agent_1',
      user_id: PERSON.user,
      status: 'done',
      transcript: [
        { role: 'agent', message: `Good day, ${PERSON.name}`, time_in_call_secs: 1 },
        {
          role: 'user',
          message: 'About the seventh lantern.',
          time_in_call_secs: 4,
          tool_calls: [{ request_id: 'r1', tool_name: 'look_up', params_as_json: `{"name":"${PERSON.name}"}` }],
        },
      ],
      metadata: {
        call_duration_secs: 61,
        start_time_unix_secs: AT / 1000,
        termination_reason: `Left by ${PERSON.name}`,
        phone_call: {
          direction: 'inbound',
          external_number: PERSON.number,
          agent_number: '+12025550100',
          call_sid: `CA-${PERSON.user}`,
        },
        note: PERSON.name,
      },
      analysis: {
        transcript_summary: `${PERSON.name} asked`,
        call_summary_title: PERSON.name,
        call_successful: 'success',
      },
      conversation_initiation_client_data: { dynamic_variables: { caller_name: PERSON.name } },
    },
  });
}

/** A message of the person during a call. */
export function messageOf(id: string, minutes = 1): ApplicableEvent {
  return anEvent({
    type: 'conversation.message',
    at: AT + minutes * MINUTE,
    eventId: `message-${id}-${minutes}`,
    data: { conversation_id: id, role: 'user', message: `I am ${PERSON.name}`, user_id: PERSON.user },
  });
}

/** The audio of a call, which the storage has, beside the raw body. */
export function audioOf(id: string, eventId = 'aaaaaaaa-0000-4000-8000-000000000000'): ApplicableEvent {
  const [url = '', bodyUrl = ''] = urlsOf(id);
  const recording = { at: 9, bytes: 3, sha256: SHA256_OF_ABC, contentType: 'audio/mpeg', url, storedAt: AT };
  const reference: BodyReference = { eventId, bytes: 1000, recording, bodyUrl };
  const data = { conversation_id: id, agent_id: 'agent_1', user_id: PERSON.user, full_audio: '' };
  return applicable(read(bodyOf({ type: 'post_call_audio', at: AT + 6 * MINUTE, data }), { reference }));
}

/** An event of a type that nobody knows. */
export const unknownOf = (id: string): ApplicableEvent =>
  anEvent({ type: 'conversation.feedback', data: { conversation_id: id, by: PERSON.name } });

/** An event that cannot be applied. */
export function deadOf(id: string): DeadEvent {
  const { entry } = anEvent({
    type: 'conversation.message',
    data: { conversation_id: id, message: `dead ${PERSON.name}` },
  });
  return { entry, fault: { code: 'refused', message: `It says ${PERSON.name}` }, attempts: 8 };
}

/** All that comes of a call but the dead event. */
export const eventsOfCall = (id: string): ApplicableEvent[] => [
  anEvent({
    type: 'conversation.started',
    data: {
      conversation_id: id,
      agent_id: 'agent_1',
      user_id: PERSON.user,
      caller_number: PERSON.number,
      language: 'en-GB',
    },
  }),
  messageOf(id),
  anEvent({
    type: 'agent.action',
    at: AT + 2 * MINUTE,
    data: { conversation_id: id, user_id: PERSON.user, action_id: 'a1', command: `Call ${PERSON.name}` },
  }),
  transcriptOf(id),
  audioOf(id),
  unknownOf(id),
];

/** Every row of every table of every schema of the product, as one text; bodies as text too. */
export async function dump({ sql }: { sql: RunSql }): Promise<string> {
  const tables = await sql(`SELECT quote_ident(n.nspname) || '.' || quote_ident(c.relname) AS name
    FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE c.relkind = 'r' AND n.nspname NOT IN ('pg_catalog', 'information_schema') AND n.nspname NOT LIKE 'pg\\\\_%'`);
  let text = '';
  for (const { name } of tables) {
    // oxlint-disable-next-line no-await-in-loop -- one table after the other
    const rows = await sql(`SELECT to_jsonb(t)::text AS row, ${bodyOfRow} AS body FROM ${String(name)} t`);
    text += rows.map(({ row, body }) => `${String(name)} ${String(row)} ${String(body)}\n`).join('');
  }
  return text;
}

/** The column `body` of any row `t`, as text. */
const bodyOfRow = `encode((to_jsonb(t) ->> 'body')::bytea, 'escape')`;
