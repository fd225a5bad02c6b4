import fc from 'fast-check';
import {
  common,
  extras,
  flag,
  iso,
  key,
  LANGUAGES,
  count,
  partly,
  phone,
  profile,
  anyRole,
  definedColumns,
  speaker,
  spokenIn,
  tag,
  text,
  time,
  describeEvent,
  unread,
  userOf,
  withProfile,
  type Common,
} from './event-parts.ts';
import type { Columns } from './described-event.ts';

/** conversation.started */
export const started = fc
  .tuple(
    common,
    profile,
    partly<{ language: string; channel: string; caller_number: string; call_sid: string; started: number }>({
      language: tag,
      channel: text,
      caller_number: phone,
      call_sid: text,
      started: time,
    }),
  )
  .map(([from, about, { started: startAt, ...data }]) => {
    const own = withProfile(from, about);
    const stamp = startAt === undefined ? undefined : startAt / 1000;
    return describeEvent(
      'conversation.started',
      from,
      { ...data, ...own, started_at: stamp },
      {
        authority: 'live',
        status: 'in_progress',
        conversation: definedColumns({
          channel: data.channel,
          external_number: data.caller_number,
          call_sid: data.call_sid,
        }),
        start: { at: startAt ?? from.at, authority: 'live' },
        ...spokenIn(data.language, 'live', from.at),
        metadata: { ...from.extras, ...unread(data.language) },
        ...userOf(from, own, data.caller_number),
      },
    );
  });

/** conversation.message */
export const message = fc
  .tuple(
    common,
    profile,
    anyRole,
    partly<{ message_id: string; message: string; language: string; interrupted: boolean; seconds: number }>({
      message_id: key,
      message: text,
      language: tag,
      interrupted: flag,
      seconds: count,
    }),
  )
  .map(([from, about, role, { seconds, ...data }]) => {
    const own = withProfile(from, about);
    const [language = null, dialect = null] = LANGUAGES[data.language ?? ''] ?? [];
    const { role: column, kept } = speaker(role);
    return describeEvent(
      'conversation.message',
      from,
      { ...data, ...own, role, time_in_call_seconds: seconds },
      {
        authority: 'live',
        status: 'in_progress',
        ...(role === 'user' && spokenIn(data.language, 'live', from.at)),
        message: {
          id: data.message_id,
          row: {
            position: null,
            role: column,
            content: data.message ?? null,
            language,
            time_in_call_seconds: seconds ?? null,
            interrupted: data.interrupted ?? null,
            details: { ...from.extras, ...kept, ...unread(data.language), ...(dialect === null ? {} : { dialect }) },
          },
        },
        ...userOf(from, own),
      },
    );
  });

/** conversation.ended */
export const ended = fc
  .tuple(
    common,
    profile,
    partly<{ reason: string; duration_seconds: number; summary: string }>({
      reason: text,
      duration_seconds: count,
      summary: text,
    }),
  )
  .map(([from, about, data]) => {
    const own = withProfile(from, about);
    return describeEvent(
      'conversation.ended',
      from,
      { ...data, ...own },
      {
        authority: 'live',
        status: 'ended',
        conversation: definedColumns({
          end_reason: data.reason,
          duration_seconds: data.duration_seconds,
          summary: data.summary,
        }),
        implied: { ended_at: iso(from.at) },
        metadata: from.extras,
        ...userOf(from, own),
      },
    );
  });

/** agent.tool_call */
export const toolCall = fc
  .tuple(
    common,
    partly<{ tool_call_id: string; tool_name: string; parameters: Columns; result: string; is_error: boolean }>({
      tool_call_id: key,
      tool_name: text,
      parameters: extras,
      result: text,
      is_error: flag,
    }),
    fc.option(tag, { nil: undefined, freq: 2 }),
  )
  .map(([from, { tool_call_id, ...call }, detects]) => {
    const data = {
      ...call,
      ...(detects !== undefined && { tool_name: 'language_detection', parameters: { language: detects } }),
    };
    const hasChanged = detects !== undefined && data.result !== undefined && data.is_error !== true;
    return describeEvent(
      'agent.tool_call',
      from,
      { tool_call_id, ...data },
      {
        authority: 'live',
        status: 'in_progress',
        ...(hasChanged && spokenIn(detects, 'live', from.at)),
        toolCall: { id: tool_call_id, fields: definedColumns({ ...withoutEmpty(data), details: detailsOf(from) }) },
        ...userOf(from),
      },
    );
  });

/** agent.action */
export const action = fc
  .tuple(
    common,
    partly<{ action_id: string; command: string; parameters: Columns; status: string }>({
      action_id: key,
      command: text,
      parameters: extras,
      status: text,
    }),
  )
  .map(([from, { action_id, ...data }]) =>
    describeEvent(
      'agent.action',
      from,
      { action_id, ...data },
      {
        authority: 'live',
        status: 'in_progress',
        command: {
          id: action_id,
          fields: definedColumns({ ...withoutEmpty(data), user_id: from.user_id, details: detailsOf(from) }),
        },
        ...userOf(from),
      },
    ),
  );

/** Returns the data without empty parameters: a handler treats these as missing. */
function withoutEmpty({ parameters, ...data }: { parameters?: Columns }): Columns {
  return definedColumns({
    ...data,
    parameters: parameters && Object.keys(parameters).length > 0 ? parameters : undefined,
  });
}

function detailsOf(from: Common): Columns | undefined {
  return Object.keys(from.extras).length > 0 ? from.extras : undefined;
}
