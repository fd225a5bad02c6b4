import fc from 'fast-check';
import { common, count, phone, text, time, tell, userOf } from './event-parts.ts';
import type { ToldEvent } from './described-event.ts';
import { action, ended, message, started, toolCall } from './live-events.ts';
import { transcript } from './transcript-events.ts';

const traces = fc.tuple(common, fc.option(time, { nil: undefined })).map(([from, span]) => {
  const spans = span === undefined ? [] : [{ startTimeUnixNano: `${span}000000` }];
  const data = { otlp_traces: { resourceSpans: [{ scopeSpans: [{ spans }] }] } };
  return tell('post_call_transcription_otel', from, data, {
    voice: 'final',
    status: 'done',
    ...(span !== undefined && { start: { at: span, voice: 'configured' as const } }),
    metadata: { ...from.extras, otel: { span_count: spans.length } },
  });
});

const audio = common.map((from) =>
  tell(
    'post_call_audio',
    from,
    { full_audio: 'AAAA' },
    {
      voice: 'final',
      status: 'ended',
      metadata: { ...from.extras, recording: { available: true, format: 'mp3', size_bytes: 3 } },
    },
  ),
);

const failure = fc.tuple(common, text, phone, count).map(([from, reason, to, code]) => {
  const body = { to_number: to, from_number: '+12025550199', sip_status_code: code, call_sid: reason };
  return tell(
    'call_initiation_failure',
    from,
    { failure_reason: reason, metadata: { type: 'sip', body } },
    {
      voice: 'final',
      status: 'failed',
      isAccount: true,
      implied: { direction: 'outbound' },
      conversation: {
        channel: 'phone',
        external_number: to,
        agent_number: '+12025550199',
        call_sid: reason,
        failure_reason: reason,
      },
      metadata: { ...from.extras, call_initiation_failure: { type: 'sip', sip_status_code: code } },
      ...userOf(from, {}, to),
    },
  );
});

const unknown = common.map((from) => tell('dubbing.done', from, {}, null));

/** Events of all nine types and of one that nobody knows, as real bodies with what each tells. */
export const anyEvent: fc.Arbitrary<ToldEvent> = fc.oneof(
  started,
  { arbitrary: message, weight: 3 },
  ended,
  { arbitrary: toolCall, weight: 2 },
  action,
  { arbitrary: transcript, weight: 3 },
  traces,
  audio,
  failure,
  unknown,
);

/** Events and how they are delivered: each up to three times, in any order, in groups of any size. */
export interface EventSet {
  events: ToldEvent[];
  groups: ToldEvent[][];
}

/** Sets of up to 16 events. */
export const eventSet: fc.Arbitrary<EventSet> = fc
  .tuple(
    fc.array(fc.tuple(anyEvent, fc.array(fc.nat(1000), { minLength: 1, maxLength: 3 })), {
      minLength: 1,
      maxLength: 16,
    }),
    fc.array(fc.integer({ min: 1, max: 6 }), { minLength: 1, maxLength: 8 }),
  )
  .map(([sent, sizes]) => {
    const deliveries = sent
      .flatMap(([event, places]) => places.map((place) => ({ event, place })))
      .toSorted((a, b) => a.place - b.place);
    const groups: ToldEvent[][] = [];
    while (deliveries.length > 0) {
      const size = sizes[groups.length % sizes.length];
      groups.push(deliveries.splice(0, size).map(({ event }) => event));
    }
    return { events: sent.map(([event]) => event), groups };
  });
