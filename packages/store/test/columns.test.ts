import type { ConversationFields, MessageChange, RecordingChange, Register } from '@landline/webhook/changes';
import { expect, expectTypeOf, test } from 'vitest';
import { columnsInOrder, type ColumnsOf, type EachMapOf, type MergedTable } from '../src/tables/merged-table.ts';
import { AGENT_TOOL_CALLS, CONVERSATIONS, USER_COMMANDS, USER_PROFILES } from '../src/tables/merged-tables.ts';
import { withStore } from './support/with-store.ts';

const context = withStore();

interface Fields {
  summary?: Register<string | null>;
  started_at?: Register<number>;
  is_error?: Register<boolean>;
  analysis?: Register;
}

interface Change {
  id: string;
  earliest: number;
  fields: Fields;
  attributes: Map<string, Register>;
}

function columnsOf({ registers }: MergedTable): string {
  return registers.map(([name, type]) => `${name} ${type}`).join(', ');
}

// `npm run check` compiles this file: it fails where one of these compiles.
test('a field that handlers set and no column holds does not compile', () => {
  const whole: ColumnsOf<Fields> = {
    summary: 'text',
    started_at: 'timestamptz',
    is_error: 'boolean',
    analysis: 'jsonb',
  };
  const { analysis: _analysis, ...rest } = whole;
  // @ts-expect-error -- analysis has no column
  const lacking: ColumnsOf<Fields> = rest;
  // @ts-expect-error -- no handler sets title
  const more: ColumnsOf<Fields> = { ...rest, analysis: 'jsonb', title: 'text' };
  // @ts-expect-error -- a number does not travel as a boolean
  const another: ColumnsOf<Fields> = { ...whole, started_at: 'boolean' };
  // @ts-expect-error -- any JSON is more than a text
  const narrow: ColumnsOf<Fields> = { ...whole, analysis: 'text' };
  // @ts-expect-error -- nor in the list that a table is made of
  const listed = columnsInOrder<Fields>({ ...rest, analysis: 'jsonb', title: 'text' });
  expect([lacking, more, another, narrow, listed]).toHaveLength(5);

  expectTypeOf<ColumnsOf<ConversationFields>>().toHaveProperty('failure_reason').toEqualTypeOf<'text'>();
  expectTypeOf<ColumnsOf<ConversationFields>>().toHaveProperty('analysis').toEqualTypeOf<'jsonb'>();
  expectTypeOf<ColumnsOf<{ any?: Register }>>().toEqualTypeOf<{ any: 'jsonb' }>();
});

test('a map that a change carries and no column holds does not compile', () => {
  const whole: EachMapOf<Change, null> = { attributes: null };
  // @ts-expect-error -- attributes has no column
  const lacking: EachMapOf<Change, null> = {};
  // @ts-expect-error -- what is neither known nor a map has no column
  const forgotten: EachMapOf<Change & { mood: string }, null> = { attributes: null };
  expect([whole, lacking, forgotten]).toHaveLength(3);
});

test('the place of each column is that of its clock in stored rows, and stays', () => {
  expect(columnsOf(CONVERSATIONS)).toBe(
    'agent_id text, user_id text, status text, channel text, direction text, external_number text, agent_number text, ' +
      'call_sid text, language text, dialect text, started_at timestamptz, ended_at timestamptz, ' +
      'duration_seconds float8, end_reason text, failure_reason text, title text, summary text, ' +
      'call_successful text, cost_credits float8, analysis jsonb, delete_transcript_at timestamptz, delete_audio_at timestamptz',
  );
  expect(columnsOf(AGENT_TOOL_CALLS)).toBe(
    'tool_name text, tool_type text, parameters jsonb, result jsonb, is_error boolean, latency_seconds float8, details jsonb',
  );
  expect(columnsOf(USER_COMMANDS)).toBe('user_id text, command text, parameters jsonb, status text, details jsonb');
  expect(columnsOf(USER_PROFILES)).toBe('language text, dialect text, personality jsonb, phone_number text');
});

test('every column of the tables is one that events set, or is known to be none', async () => {
  const rows = await context.sql(`SELECT table_name, string_agg(column_name, ' ' ORDER BY column_name) AS columns
    FROM information_schema.columns WHERE table_schema = current_schema() GROUP BY table_name`);
  const stored = new Map(rows.map((row) => [row['table_name'], row['columns']]));
  for (const table of [CONVERSATIONS, AGENT_TOOL_CALLS, USER_COMMANDS, USER_PROFILES]) {
    const { name, key, registers, earliest, latest, greatestClock, changedAt, maps = [] } = table;
    const own = [earliest, latest, greatestClock, changedAt].filter((column) => column !== undefined);
    // No event erases a conversation, or compares it with the provider's list.
    const others = name === 'conversations' ? ['completeness', 'completeness_reason', 'erased_at'] : [];
    const columns = [...key, ...registers.map(([register]) => register), 'clocks', ...own, ...others];
    const all = [...columns, ...maps.flatMap((map) => [map, `${map}_clocks`])];
    expect(all.toSorted().join(' ')).toBe(stored.get(name));
  }
  const message: Record<keyof MessageChange, true> = {
    conversation_id: true,
    source: true,
    event_key: true,
    clock: true,
    position: true,
    role: true,
    content: true,
    language: true,
    time_in_call_seconds: true,
    interrupted: true,
    details: true,
    created_at: true,
  };
  expect(Object.keys(message).toSorted().join(' ')).toBe(stored.get('conversation_messages'));
  const recording: Record<keyof RecordingChange, true> = {
    conversation_id: true,
    event_id: true,
    url: true,
    content_type: true,
    bytes: true,
    sha256: true,
    created_at: true,
    stored_at: true,
  };
  // No event deletes a recording.
  const columns = [...Object.keys(recording), 'deleted_at'];
  expect(columns.toSorted().join(' ')).toBe(stored.get('conversation_recordings'));
});
