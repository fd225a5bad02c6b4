import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { EVENT_TYPES } from '../src/event-types.ts';
import { isObject, parseJson, type Json } from '../src/json.ts';
import { normalise } from '../src/normalise.ts';
import { deliver, fixture, printed, read } from './support/deliver.ts';
import { expectStorable } from './support/storable.ts';

const FIXTURES = [
  'agent-action.flat',
  'agent-action.nested',
  'agent-tool-call.call',
  'agent-tool-call.flat',
  'agent-tool-call.result',
  'call-initiation-failure.sip',
  'call-initiation-failure.twilio',
  'conversation-ended.flat',
  'conversation-ended.nested',
  'conversation-message.flat',
  'conversation-message.nested',
  'conversation-started.flat',
  'conversation-started.metadata',
  'conversation-started.nested',
  'post-call-audio',
  'post-call-transcription',
  'post-call-transcription-otel',
  'post-call-transcription.nulls',
];
const TYPE = /^\.(?:type|event|event_type)$/;
/** The faults of an event in which one field is wrong. Any other wrong field must not cost the event. */
const FATAL: Record<string, RegExp> = {
  type_missing: TYPE,
  data_not_object: /^\.data$/,
  conversation_id_missing: /^(\.data)?(\.conversation_id)?$/,
  transcript_not_array: /^\.data\.transcript$/,
};
/** Where a value is not kept in the tables on purpose: sound, traces, secrets, and what a result repeats of its call. */
const NOT_KEPT = /full_audio|otlp_traces|secret__|tool_results\.0\.(?:type|tool_name)$/;

/** A fixture; of the transcript the turns up to the first tool call and its result. */
function example(name: string): Json {
  const parsed = parseJson(fixture(name));
  if (!parsed.ok || !isObject(parsed.value)) throw new Error(`${name} is no event`);
  const { data } = parsed.value;
  if (isObject(data) && Array.isArray(data['transcript'])) data['transcript'] = data['transcript'].slice(0, 6);
  return parsed.value;
}

/** Every place in a value, as a path and the whole value with something else in that place. */
function* replaced(value: Json, by: Json, path = ''): Generator<[path: string, whole: Json]> {
  if (typeof value !== 'object' || value === null) return;
  for (const [key, item] of Object.entries(value)) {
    const put = (other: Json): Json =>
      Array.isArray(value) ? value.with(Number(key), other) : { ...value, [key]: other };
    yield [`${path}.${key}`, put(by)];
    for (const [deeper, whole] of replaced(item, by, `${path}.${key}`)) yield [deeper, put(whole)];
  }
}

const MARK = 'kept-7d1f';
const WRONG: [string, Json][] = [
  ['null', null],
  ['an object', { [MARK]: [MARK] }],
  ['a list', [MARK, { a: null }]],
  ['an empty list', []],
  ['a text', MARK],
  ['an empty text', ''],
  ['a boolean', true],
  ['a huge number', 1e300],
  ['a negative number', -1],
];

/** Returns the fault in the reading of an event in which the value at `path` was replaced; null where there is none. */
function faultOf(path: string, body: Json, isMarked: boolean): string | null {
  const event = read(body);
  if (event.outcome === 'dead') {
    return FATAL[event.fault.code]?.test(path) ? null : `${path} cost the event: ${event.fault.code}`;
  }
  if (event.outcome === 'ignored') return TYPE.test(path) ? null : `${path} made the event ignored`;
  expectStorable(event.changes);
  const kept = `${printed(event.changes)}${JSON.stringify(event.entry, nameOnly)}`;
  return isMarked && !NOT_KEPT.test(path) && !kept.includes(MARK) ? `${path} was dropped` : null;
}

describe.each(FIXTURES)('%s', (name) => {
  test.each(WRONG)('with %s in any place is applied and kept, or dies of what it must', (_, wrong) => {
    const isMarked = JSON.stringify(wrong).includes(MARK);
    const faults = [...replaced(example(name), wrong)].map(([path, body]) => faultOf(path, body, isMarked));

    expect(faults.length).toBeGreaterThan(5);
    expect(faults.filter((fault) => fault !== null)).toEqual([]);
  });
});

/** The ledger row without the body, which holds everything. */
function nameOnly(key: string, value: unknown): unknown {
  return key === 'body' ? undefined : value;
}

const NAMES = [
  ...new Set(
    FIXTURES.flatMap((name) => [...replaced(example(name), null)].map(([path]) => path.split('.').at(-1) ?? '')),
  ),
];
const anyValue = fc.letrec<{ value: unknown }>((tie) => ({
  value: fc.oneof(
    { depthSize: 'medium' },
    fc.constantFrom(null, true, '', 'ar-EG', 'done', '\0', '\ud800', '{"language": "ta"}', 1e300, -1, 2 ** 60),
    fc.string({ unit: 'binary' }),
    fc.double(),
    fc.array(tie('value'), { maxLength: 4 }),
    fc.dictionary(fc.oneof(fc.constantFrom(...NAMES), fc.string()), tie('value'), { maxKeys: 12 }),
  ),
})).value;
const anyEvent = fc
  .tuple(fc.constantFrom(...Object.keys(EVENT_TYPES)), fc.dictionary(fc.constantFrom(...NAMES), anyValue), anyValue)
  .map(([type, fields, data]) => ({ conversation_id: 'c', data, ...fields, type }));

describe('normalise', () => {
  test('makes of any object under a known type rows that can be stored, or a dead letter; the same each time', () => {
    fc.assert(
      fc.property(anyEvent, (body) => {
        const event = read(body);
        expect(read(body)).toEqual(event);
        expect(event.outcome).not.toBe('ignored');
        if (event.outcome === 'applied') expectStorable(event.changes);
      }),
      { numRuns: 3000 },
    );
  });

  test('never throws, for any bytes', () => {
    const bytes = fc.oneof(
      fc.uint8Array(),
      fc.json().map((json) => Buffer.from(json)),
      fc.tuple(fc.constantFrom(...FIXTURES), fc.nat(), fc.uint8Array({ minLength: 1 })).map(([name, at, noise]) => {
        const body = Buffer.from(fixture(name).slice(0, 4000));
        body.set(noise.subarray(0, body.length - (at % body.length)), at % body.length);
        return body;
      }),
    );
    fc.assert(
      fc.property(bytes, (body) => {
        const delivery = { ...deliver(Buffer.from(body).toString('base64')), encoding: 'base64' as const };
        const event = normalise(delivery);
        expect(normalise(delivery)).toEqual(event);
        expect(['applied', 'ignored', 'dead']).toContain(event.outcome);
      }),
      { numRuns: 2000 },
    );
  });
});
