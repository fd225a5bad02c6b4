import fc from 'fast-check';
import type { DescribedEvent } from './described-event.ts';
import { common, count, describeEvent, phone, text, time, userOf } from './event-parts.ts';
import { action, ended, message, started, toolCall } from './live-events.ts';
import { ledgerId } from './reference-fold.ts';
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

/** Two recordings of three bytes: their base64, and the SHA-256 of the bytes as sha256sum prints it. */
const sound = fc.constantFrom(
  ['AAAA', '709e80c88487a2411e1ee4dfb9f22a861492d20c4765150c0c794abd70f8147c'] as const,
  ['AAEC', 'ae4b3280e56e2faf83f414a6e3dabe9d5fbe18976544c05fed121accb85b53fc'] as const,
);

const RECORDING = { available: true, format: 'mp3', size_bytes: 3 };

const audio = fc.tuple(common, sound).map(([from, [full_audio, sha256]]) =>
  describeEvent(
    'post_call_audio',
    from,
    { full_audio },
    {
      authority: 'final',
      status: 'ended',
      metadata: { ...from.extras, recording: RECORDING },
      recording: { url: null, bytes: 3, sha256, storedAt: null },
    },
  ),
);

/** Audio that was cut out of its body. `shelf` says where it is kept: that of `a` is not kept. */
const cutOutAudio = fc.tuple(common, sound, text).map(([from, [full_audio, sha256], shelf]): DescribedEvent => {
  const kept = shelf === 'a' ? { url: null, storedAt: null } : { url: `file:/${shelf}.mp3`, storedAt: from.at + 7000 };
  const whole = describeEvent('post_call_audio', from, { full_audio, shelf }, null);
  const envelope = describeEvent(
    'post_call_audio',
    from,
    { full_audio: '', shelf },
    {
      authority: 'final',
      status: 'ended',
      metadata: { ...from.extras, shelf, recording: RECORDING },
      recording: { bytes: 3, sha256, ...kept },
    },
  );
  const at = envelope.body.indexOf('"full_audio":"') + '"full_audio":"'.length;
  const recording = { at, bytes: 3, sha256, contentType: 'audio/mpeg', ...kept };
  return { ...envelope, reference: { eventId: ledgerId(whole.body), bytes: whole.body.length, recording } };
});

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

/** Events as they come to a worker: also those whose audio the receiver has cut out. */
const eventOfWorker = fc.oneof({ arbitrary: anyEvent, weight: 12 }, { arbitrary: cutOutAudio, weight: 2 });

/** Makes sets of up to 16 events. */
export const eventSet: fc.Arbitrary<EventSet> = fc
  .tuple(
    fc.array(fc.tuple(eventOfWorker, fc.array(fc.nat(1000), { minLength: 1, maxLength: 3 })), {
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
