import fc from 'fast-check';
import type { Json } from '@landline/webhook/json';
import {
  common,
  extras,
  flag,
  iso,
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
  userOf,
  withProfile,
} from './event-parts.ts';
import type { Columns, EventFacts } from './described-event.ts';

const anyCall = fc.record({
  name: text,
  parameters: fc.option(extras, { nil: undefined }),
  /** The language that the tool call detects; undefined: the tool detects none. */
  detects: fc.option(tag, { nil: undefined }),
  result: fc.option(fc.record({ value: text, is_error: flag, seconds: count }), { nil: undefined }),
});
type Call = typeof anyCall extends fc.Arbitrary<infer T> ? T : never;

const anyTurn = fc.record({
  role: anyRole,
  message: fc.option(text),
  seconds: fc.option(count),
  interrupted: fc.option(flag),
  extras,
  call: fc.option(anyCall),
});
type Turn = typeof anyTurn extends fc.Arbitrary<infer T> ? T : never;

const phoneCall = fc.option(fc.record({ direction: fc.constantFrom('inbound', 'outbound'), external_number: phone }));

/** post_call_transcription, with turns and without. The result of a tool call is in the next turn, or in its own where it is the last. */
export const transcript = fc
  .tuple(
    common,
    profile,
    fc.constantFrom('in-progress', 'processing', 'done', 'failed'),
    fc.array(anyTurn, { maxLength: 3 }),
    partly<{ start: number; duration: number; cost: number; reason: string; main: string; phone: PhoneCall }>({
      start: time,
      duration: count,
      cost: count,
      reason: text,
      main: tag,
      phone: phoneCall,
    }),
    fc.option(
      partly<{ call_summary_title: string; transcript_summary: string; call_successful: string; more: number }>({
        call_summary_title: text,
        transcript_summary: text,
        call_successful: text,
        more: count,
      }),
      {
        nil: undefined,
      },
    ),
  )
  .map(([from, about, status, turns, call, analysis]) => {
    const own = withProfile(from, about);
    const metadata = definedColumns({
      start_time_unix_secs: call.start === undefined ? undefined : call.start / 1000,
      call_duration_secs: call.duration,
      cost: call.cost,
      termination_reason: call.reason,
      main_language: call.main,
      phone_call: call.phone,
    });
    const startedAt = call.start ?? from.at;
    const hasContent = turns.some((turn) => turn.message !== null || turn.call);
    const data = { status, transcript: turns.map(printed), metadata, analysis, ...own };
    return describeEvent('post_call_transcription', from, data, {
      authority: 'final',
      status: status.replace('-', '_'),
      isAccount: status === 'done' || status === 'failed',
      ...(call.phone === null && { implied: { channel: 'web' } }),
      conversation: definedColumns({
        failure_reason: status === 'failed' ? call.reason : status === 'done' ? null : undefined,
        duration_seconds: call.duration,
        end_reason: call.reason,
        cost_credits: call.cost,
        ended_at:
          call.start === undefined || call.duration === undefined ? undefined : iso(call.start + call.duration * 1000),
        channel: call.phone ? 'phone' : undefined,
        ...call.phone,
        analysis: analysis && definedColumns(analysis),
        title: analysis?.call_summary_title,
        summary: analysis?.transcript_summary,
        call_successful: analysis?.call_successful,
      }),
      ...(call.start !== undefined && { start: { at: call.start, authority: 'final' as const } }),
      ...spokenOf(turns, startedAt, call.main, from.at),
      metadata: {
        ...from.extras,
        ...metadata,
        ...(turns.length > 0 && !hasContent && { transcript: data.transcript }),
      },
      turns: (hasContent ? turns : []).map((turn, position) => ({
        at: atOf(turn, startedAt),
        row: rowOf(turn, position),
      })),
      turnCalls: turns.flatMap((turn, i) =>
        turn.call ? [{ id: idOf(i), at: atOf(turn, startedAt), fields: fieldsOf(turn.call) }] : [],
      ),
      ...userOf(from, own, call.phone?.external_number),
    });
  });
type PhoneCall = typeof phoneCall extends fc.Arbitrary<infer T> ? T : never;

/** Returns the id of a turn's tool call; live tool calls have the same ids. */
const idOf = (position: number): string => `k${position + 1}`;

const atOf = (turn: Turn, startedAt: number): number => startedAt + (turn.seconds ?? 0) * 1000;

/** Returns the last language that a tool call detected, else the configured one. */
function spokenOf(turns: Turn[], startedAt: number, main: string | undefined, at: number): Pick<EventFacts, 'spoken'> {
  const noted = turns.findLast(
    ({ call }) => LANGUAGES[call?.detects ?? ''] !== undefined && call?.result?.is_error === false,
  );
  return noted ? spokenIn(noted.call?.detects, 'final', atOf(noted, startedAt)) : spokenIn(main, 'configured', at);
}

function rowOf(turn: Turn, position: number): Columns {
  const { role: column, kept } = speaker(turn.role);
  return {
    position,
    role: column,
    content: turn.message,
    language: null,
    time_in_call_seconds: turn.seconds,
    interrupted: turn.interrupted,
    details: { ...turn.extras, ...kept },
  };
}

const nameOf = ({ name, detects }: Call): string => (detects === undefined ? name : 'language_detection');

const parametersOf = ({ parameters, detects }: Call): Columns | undefined =>
  detects === undefined ? parameters : { language: detects };

function fieldsOf(call: Call): Columns {
  return definedColumns({
    tool_name: nameOf(call),
    parameters: parametersOf(call),
    result: call.result?.value,
    is_error: call.result?.is_error,
    latency_seconds: call.result?.seconds,
  });
}

/** Prints a turn as the provider does. */
function printed(turn: Turn, position: number, turns: Turn[]): Json {
  const resultsHere = [position - 1, position].filter((i) => Math.min(i + 1, turns.length - 1) === position);
  const parameters = turn.call && parametersOf(turn.call);
  return {
    ...turn.extras,
    role: turn.role,
    message: turn.message,
    time_in_call_secs: turn.seconds,
    interrupted: turn.interrupted,
    tool_calls: turn.call
      ? [
          definedColumns({
            request_id: idOf(position),
            tool_name: nameOf(turn.call),
            params_as_json: parameters && JSON.stringify(parameters),
          }),
        ]
      : [],
    tool_results: resultsHere.flatMap((i) => {
      const { result } = turns[i]?.call ?? {};
      if (!result) return [];
      return [
        {
          request_id: idOf(i),
          result_value: result.value,
          is_error: result.is_error,
          tool_latency_secs: result.seconds,
        },
      ];
    }),
  };
}
