/** How a column of a merged table travels to Postgres. */
export type ColumnType = 'text' | 'float8' | 'boolean' | 'timestamptz' | 'jsonb';

/**
 * A table whose rows are merged from many events. Every rule commutes, so the order of events does not matter:
 * a register keeps the value with the greatest clock, `earliest` the least time, `latest` and `greatestClock` the
 * greatest, and a map column keeps a register for each of its keys. Whatever changes in a row, `changedAt` is set.
 */
export interface MergedTable {
  name: string;
  key: readonly string[];
  /** Columns that are registers; a column's place here is its clock's place in the table's `clocks`. Append only. */
  registers: readonly (readonly [name: string, type: ColumnType])[];
  earliest: string;
  latest?: string;
  greatestClock?: string;
  maps?: readonly string[];
  lookedUp?: LookedUp;
  /** When the row was last written here: the column's default, by the database's clock. */
  changedAt?: string;
}

/**
 * A column that shows what `map` holds under the word in the register `by`. It stands among the registers because it
 * was one: its clock is that of `by`, so that a worker of an older version writes nothing older over it.
 */
export interface LookedUp {
  column: string;
  map: string;
  by: string;
}

const DIALECT: LookedUp = { column: 'dialect', map: 'dialects', by: 'language' };

/** conversations: one row a call. */
export const CONVERSATIONS: MergedTable = {
  name: 'conversations',
  key: ['id'],
  registers: [
    ['agent_id', 'text'],
    ['user_id', 'text'],
    ['status', 'text'],
    ['channel', 'text'],
    ['direction', 'text'],
    ['external_number', 'text'],
    ['agent_number', 'text'],
    ['call_sid', 'text'],
    ['language', 'text'],
    ['dialect', 'text'],
    ['started_at', 'timestamptz'],
    ['ended_at', 'timestamptz'],
    ['duration_seconds', 'float8'],
    ['end_reason', 'text'],
    ['failure_reason', 'text'],
    ['title', 'text'],
    ['summary', 'text'],
    ['call_successful', 'text'],
    ['cost_credits', 'float8'],
    ['analysis', 'jsonb'],
  ],
  earliest: 'created_at',
  latest: 'updated_at',
  greatestClock: 'transcript_clock',
  maps: ['metadata', 'dialects'],
  lookedUp: DIALECT,
  changedAt: 'changed_at',
};

/** agent_tool_calls: one row a call of a tool, its result joined. */
export const AGENT_TOOL_CALLS: MergedTable = {
  name: 'agent_tool_calls',
  key: ['conversation_id', 'source', 'request_id'],
  registers: [
    ['tool_name', 'text'],
    ['tool_type', 'text'],
    ['parameters', 'jsonb'],
    ['result', 'jsonb'],
    ['is_error', 'boolean'],
    ['latency_seconds', 'float8'],
    ['details', 'jsonb'],
  ],
  earliest: 'created_at',
  greatestClock: 'clock',
};

/** user_commands: one row a command that a user gave. */
export const USER_COMMANDS: MergedTable = {
  name: 'user_commands',
  key: ['conversation_id', 'action_id'],
  registers: [
    ['user_id', 'text'],
    ['command', 'text'],
    ['parameters', 'jsonb'],
    ['status', 'text'],
    ['details', 'jsonb'],
  ],
  earliest: 'created_at',
};

/** user_profiles: one row a user. */
export const USER_PROFILES: MergedTable = {
  name: 'user_profiles',
  key: ['user_id'],
  registers: [
    ['language', 'text'],
    ['dialect', 'text'],
    ['personality', 'jsonb'],
    ['phone_number', 'text'],
  ],
  earliest: 'first_seen_at',
  latest: 'last_seen_at',
  maps: ['attributes', 'dialects'],
  lookedUp: DIALECT,
};
