import { exampleBody } from '../../apps/cli/src/example-events.ts';
import type { SeededRandom } from '../support/seeded-random.ts';

const LIVE_EVENTS_OF_A_CALL = 10;

/** What comes after a call, and how many calls in a hundred have it. */
const AFTER_CALL = {
  post_call_transcription: 50,
  post_call_transcription_otel: 40,
  post_call_audio: 40,
  call_initiation_failure: 10,
} as const;

/** A type that changes no table. */
export const UNKNOWN_TYPE = 'voice_removed';

/** Makes `count` distinct events: calls of ten live events each and by chance the types that come after, and a few of a type that changes no table. */
export function callEvents(count: number, random: SeededRandom, run: string): Buffer[] {
  const events: Buffer[] = [];
  for (let call = 0; ; call++) {
    const ofCall = eventsOf(call, random, run);
    if (events.length + ofCall.length > count) break;
    events.push(...ofCall);
  }
  while (events.length < count) events.push(unknownEvent(`${run}_${events.length}`));
  return events;
}

function eventsOf(call: number, random: SeededRandom, run: string): Buffer[] {
  const startedAt = Date.UTC(2026, 0, 1) + call * 60_000;
  const live = Array.from({ length: LIVE_EVENTS_OF_A_CALL }, (_, i) =>
    exampleBody('live', run, call * LIVE_EVENTS_OF_A_CALL + i, new Date(startedAt + i * 1000)),
  );
  const after = Object.entries(AFTER_CALL)
    .filter(([, percent]) => random.below(100) < percent)
    .map(([type]) => exampleBody(type, run, call, new Date(startedAt + 30_000)));
  const unknown = random.below(100) < 5 ? [unknownEvent(`${run}_${call}`)] : [];
  return [...live, ...after, ...unknown];
}

function unknownEvent(name: string): Buffer {
  return Buffer.from(JSON.stringify({ type: UNKNOWN_TYPE, data: { voice_id: name } }));
}
