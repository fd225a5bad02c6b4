import fc from 'fast-check';
import type { DescribedEvent } from './described-event.ts';
import { common, count, describeEvent, phone, text, time, userOf } from './event-parts.ts';
import { action, ended, message, started, toolCall } from './live-events.ts';
import { transcript } from './transcript-events.ts';

const traces = fc.tuple(common, fc.option(time, { nil: undefined })).map(([from, span]) => {
  const spans = span === undefined ? [] : [{ startTimeUnixNano: `${span}000000` }];
  const data = { otlp_traces: { resourceSpans: [{ scopeSpans: [{ spans }] }] } };
  return describeEvent('post_call_transcription_otel', from, data, {
    authority: 'final',
    status: 'done',
    ...(span !== undefined && { start: { at: span, authority: 'configured' as const } }),
    metadata: { ...from.extras, otel: { span_count: spans.length } },
  });
});

const audio = common.map((from) =>
  describeEvent(
    'post_call_audio',
    from,
    { full_audio: 'AAAA' },
    {
      authority: 'final',
      status: 'ended',
      metadata: { ...from.extras, recording: { available: true, format: 'mp3', size_bytes: 3 } },
    },
  ),
);

const failure = fc.tuple(common, text, phone, count).map(([from, reason, to, code]) => {
  const body = { to_number: to, from_number: '+12025550199', sip_status_code: code, call_sid: reason };
  return describeEvent(
    'call_initiation_failure',
    from,
    { failure_reason: reason, metadata: { type: 'sip', body } },
    {
      authority: 'final',
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

const unknown = common.map((from) => describeEvent('dubbing.done', from, {}, null));

/** Events of all nine types and of one unknown type, as real bodies with their facts. */
export const anyEvent: fc.Arbitrary<DescribedEvent> = fc.oneof(
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

/** Events and their deliveries: each event up to three times, in any order, in groups of any size. */
export interface EventSet {
  events: DescribedEvent[];
  groups: DescribedEvent[][];
}

/** Makes sets of up to 16 events. */
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
    const groups: DescribedEvent[][] = [];
    while (deliveries.length > 0) {
      const size = sizes[groups.length % sizes.length];
      groups.push(deliveries.splice(0, size).map(({ event }) => event));
    }
    return { events: sent.map(([event]) => event), groups };
  });
