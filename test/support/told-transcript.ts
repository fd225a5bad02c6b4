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
  said,
  speaker,
  spokenIn,
  tag,
  text,
  time,
  tell,
  userOf,
  withProfile,
} from './telling-events.ts';
import type { Said, Telling } from './told-event.ts';

const anyCall = fc.record({
  name: text,
  parameters: fc.option(extras, { nil: undefined }),
  /** The language that this call notes, where it is the note of one. */
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

/** post_call_transcription, with turns and without; a call's result stands in the next turn, if there is one. */
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
    const metadata = said({
      start_time_unix_secs: call.start === undefined ? undefined : call.start / 1000,
      call_duration_secs: call.duration,
      cost: call.cost,
      termination_reason: call.reason,
      main_language: call.main,
      phone_call: call.phone,
    });
    const startedAt = call.start ?? from.at;
    const isTold = turns.some((turn) => turn.message !== null || turn.call);
    const data = { status, transcript: turns.map(printed), metadata, analysis, ...own };
    return tell('post_call_transcription', from, data, {
      voice: 'final',
      status: status.replace('-', '_'),
      isAccount: status === 'done' || status === 'failed',
      ...(call.phone === null && { implied: { channel: 'web' } }),
      conversation: said({
        failure_reason: status === 'failed' ? call.reason : status === 'done' ? null : undefined,
        duration_seconds: call.duration,
        end_reason: call.reason,
        cost_credits: call.cost,
        ended_at:
          call.start === undefined || call.duration === undefined ? undefined : iso(call.start + call.duration * 1000),
        channel: call.phone ? 'phone' : undefined,
        ...call.phone,
        analysis: analysis && said(analysis),
        title: analysis?.call_summary_title,
        summary: analysis?.transcript_summary,
        call_successful: analysis?.call_successful,
      }),
      ...(call.start !== undefined && { start: { at: call.start, voice: 'final' as const } }),
      ...spokenOf(turns, startedAt, call.main, from.at),
      metadata: { ...from.extras, ...metadata, ...(turns.length > 0 && !isTold && { transcript: data.transcript }) },
      turns: (isTold ? turns : []).map((turn, position) => ({ at: atOf(turn, startedAt), row: rowOf(turn, position) })),
      turnCalls: turns.flatMap((turn, i) =>
        turn.call ? [{ id: idOf(i), at: atOf(turn, startedAt), fields: fieldsOf(turn.call) }] : [],
      ),
      ...userOf(from, own, call.phone?.external_number),
    });
  });
type PhoneCall = typeof phoneCall extends fc.Arbitrary<infer T> ? T : never;

/** The ids are those that live tool calls have as well. */
const idOf = (position: number): string => `k${position + 1}`;

const atOf = (turn: Turn, startedAt: number): number => startedAt + (turn.seconds ?? 0) * 1000;

/** The last language into which the call changed, else the configured one. */
function spokenOf(turns: Turn[], startedAt: number, main: string | undefined, at: number): Pick<Telling, 'spoken'> {
  const noted = turns.findLast(
    ({ call }) => LANGUAGES[call?.detects ?? ''] !== undefined && call?.result?.is_error === false,
  );
  return noted ? spokenIn(noted.call?.detects, 'final', atOf(noted, startedAt)) : spokenIn(main, 'configured', at);
}

function rowOf(turn: Turn, position: number): Said {
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

const parametersOf = ({ parameters, detects }: Call): Said | undefined =>
  detects === undefined ? parameters : { language: detects };

function fieldsOf(call: Call): Said {
  return said({
    tool_name: nameOf(call),
    parameters: parametersOf(call),
    result: call.result?.value,
    is_error: call.result?.is_error,
    latency_seconds: call.result?.seconds,
  });
}

/** A turn as the provider prints it. */
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
          said({
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
