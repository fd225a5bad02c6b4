import type { RecordingChange } from '@landline/webhook/changes';
import {
  fromMs,
  milliseconds,
  plainArray,
  textArray,
  type Parameter,
  type Statement,
} from '../connection/statement.ts';

/** What is sent for each column, in the order of the statement's parameters. A field of `RecordingChange` without one does not compile. */
const PARAMETERS: Readonly<Record<keyof RecordingChange, (recordings: readonly RecordingChange[]) => Parameter>> = {
  conversation_id: (recordings) => textArray(recordings.map((r) => r.conversation_id)),
  sha256: (recordings) => textArray(recordings.map((r) => r.sha256)),
  event_id: (recordings) => plainArray(recordings.map((r) => r.event_id)),
  url: (recordings) => textArray(recordings.map((r) => r.url)),
  content_type: (recordings) => textArray(recordings.map((r) => r.content_type)),
  bytes: (recordings) => plainArray(recordings.map((r) => r.bytes)),
  created_at: (recordings) => plainArray(recordings.map((r) => milliseconds(r.created_at))),
  stored_at: (recordings) => plainArray(recordings.map((r) => milliseconds(r.stored_at))),
};

const KEY: readonly string[] = ['conversation_id', 'sha256'] satisfies (keyof RecordingChange)[];

/**
 * Inserts recordings, one statement for all. The same audio of a conversation is one row, which does not depend on the order of the
 * events: an event whose audio was kept outranks one whose audio was not, and of two equal in that the earlier event stands. What is
 * deleted stays deleted.
 *
 * @param recordings  At most one for a key, sorted by key.
 */
export function recordingStatement(recordings: readonly RecordingChange[]): Statement {
  return { sql: INSERT, parameters: Object.values(PARAMETERS).map((parameter) => parameter(recordings)) };
}

const COLUMNS = Object.keys(PARAMETERS);

const INSERT = `
    INSERT INTO conversation_recordings AS t (${COLUMNS.join(', ')})
    SELECT e.conversation_id, e.sha256, e.event_id, e.url, e.content_type, e.bytes, ${fromMs('e.created_at')},
      ${fromMs('e.stored_at')}
    FROM unnest($1::text[], $2::text[], $3::uuid[], $4::text[], $5::text[], $6::int8[], $7::float8[], $8::float8[])
      AS e (${COLUMNS.join(', ')})
    ON CONFLICT (${KEY.join(', ')}) DO UPDATE SET
      ${COLUMNS.filter((column) => !KEY.includes(column))
        .map((column) => `${column} = EXCLUDED.${column}`)
        .join(',\n      ')}
    WHERE (EXCLUDED.url IS NULL, EXCLUDED.created_at, EXCLUDED.event_id) < (t.url IS NULL, t.created_at, t.event_id)`;
