import type { Changes } from '../changes.ts';
import { earliestClock, latestClock } from '../clock.ts';
import { changesOf, registersOf, type EventContext } from '../event-context.ts';
import { isObject, type Json } from '../json.ts';

/**
 * Handles post_call_transcription_otel: the call's traces. The tables get the number of spans and the start; the
 * ledger's body keeps the traces.
 */
export function postCallTranscriptionOtel(event: EventContext): Changes {
  const { fields, eventAt } = event;
  const changes = changesOf(event, 'final', 'done');
  const spans = spansOf(fields.object('otlp_traces') ?? null);
  const first = spans
    .map(startOf)
    .filter((ms) => ms !== undefined)
    .toSorted((a, b) => a - b)[0];
  if (first !== undefined) {
    changes.conversation.fields.started_at = { value: first, clock: earliestClock('configured', first, event) };
  }
  changes.conversation.metadata = registersOf(
    { ...fields.rest(), otel: { span_count: spans.length } },
    latestClock('final', eventAt, event),
  );
  return changes;
}

function spansOf(traces: Json): Json[] {
  return listIn(traces, 'resourceSpans')
    .flatMap((resource) => listIn(resource, 'scopeSpans'))
    .flatMap((scope) => listIn(scope, 'spans'));
}

function listIn(value: Json, key: string): Json[] {
  const list = isObject(value) ? value[key] : undefined;
  return Array.isArray(list) ? list : [];
}

/** Nanoseconds from 1973 to 2286, as digits. */
const NANOSECONDS = /^[1-9]\d{17,18}$/;

/** Returns a span's start in unix milliseconds. OTLP prints nanoseconds as text, because a double cannot hold them. */
function startOf(span: Json): number | undefined {
  const nanos = isObject(span) ? span['startTimeUnixNano'] : undefined;
  if (typeof nanos !== 'string' || !NANOSECONDS.test(nanos)) return undefined;
  return Number(BigInt(nanos) / 1_000_000n);
}
