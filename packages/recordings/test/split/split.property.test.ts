import fc from 'fast-check';
import { expect, test } from 'vitest';
import { decodeAudio } from '../../src/split/decode-audio.ts';
import { splitBody } from '../../src/split/split-body.ts';
import { collect, sourceOf } from './source.ts';

type JsonObject = Record<string, unknown>;

const isObject = (value: unknown): value is JsonObject =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** Finds the object that holds the audio of an event, in a body without long strings. Slow and simple: on what JSON.parse gives. */
function findAudio(body: unknown): { holder: JsonObject; text: string } | undefined {
  const inside: unknown = Array.isArray(body) ? body[0] : body;
  if (!isObject(inside)) return undefined;
  if (inside['type'] === undefined) return findAudio(inside['body']);
  if (inside['type'] !== 'post_call_audio') return undefined;
  for (const holder of [inside['data'], inside]) {
    const text = isObject(holder) ? holder['full_audio'] : undefined;
    if (typeof text === 'number') return undefined;
    if (isObject(holder) && typeof text === 'string' && text !== '') return { holder, text };
  }
  return undefined;
}

/** Decodes base64 by regular expressions. Returns undefined for a text that is none. */
function decode(text: string): Buffer | undefined {
  const characters = text
    .replaceAll(/[ \t\n\f\r]/g, '')
    .replaceAll('-', '+')
    .replaceAll('_', '/');
  const isBase64 = /^(?:[A-Za-z\d+/]{4})*(?:[A-Za-z\d+/]{2}={0,2}|[A-Za-z\d+/]{3}=?)?$/.test(characters);
  return isBase64 ? Buffer.from(characters, 'base64') : undefined;
}

const space = fc.constantFrom('', '', '', ' ', '\n', '\t\r\n  ');

/** The raw text of a string, with some of its characters as escapes. */
const escaped = (text: string, often: number) =>
  fc.array(fc.integer({ min: 0, max: 99 }), { minLength: text.length, maxLength: text.length }).map((dice) =>
    [...text]
      .map((character, i) => {
        if ((dice[i] ?? 0) >= often) return character;
        if (character === '/' && (dice[i] ?? 0) % 2 === 0) return String.raw`\/`;
        return `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`;
      })
      .join(''),
  );

const CHANGES: readonly ((text: string, at: number) => string)[] = [
  (text) => text,
  (text) => text,
  (text) => text.replaceAll('=', ''),
  (text) => text.replace('=', ''),
  (text) => `${text}=`,
  (text) => text.replaceAll('+', '-').replaceAll(/(?<!\\)\//g, '_'),
  (text) => text.replace(/[AQgw](?==)/, 'B'),
  (text) => text.slice(1),
  (text, at) => text.slice(0, at) + String.raw`\n` + text.slice(at),
  (text, at) => `${text.slice(0, at)} ${text.slice(at)}`,
  (text, at) => `${text.slice(0, at)}!${text.slice(at)}`,
  (text, at) => `${text.slice(0, at)}=${text.slice(at)}`,
  (text, at) => `${text.slice(0, at)}é${text.slice(at)}`,
];

/** The raw text of a string that holds base64, or nearly. */
const audioText = fc
  .record({
    bytes: fc.uint8Array({ maxLength: 40 }),
    change: fc.constantFrom(...CHANGES),
    place: fc.nat({ max: 60 }),
    often: fc.constantFrom(0, 0, 0, 10),
  })
  .chain(({ bytes, change, place, often }) =>
    escaped(Buffer.from(bytes).toString('base64'), often).map((text) => change(text, backTo(text, place))),
  );

/** Moves a place in a raw text back to where it is in no escape. */
function backTo(text: string, place: number): number {
  const at = Math.min(place, text.length);
  const slash = text.lastIndexOf('\\', at);
  return slash >= 0 && at - slash < 6 ? slash : at;
}

const audioKey = fc.constantFrom(0, 0, 30, 100).chain((often) => escaped('full_audio', often));
const audioField = fc.oneof(
  { weight: 8, arbitrary: fc.tuple(audioKey, audioText).map(([key, text]) => [key, `"${text}"`] as const) },
  {
    weight: 1,
    arbitrary: fc.constantFrom<[string, string]>(['full_audio', 'null'], ['full_audio', '7'], ['full_audio', '""']),
  },
);
/** Long runs of one character between quotes and backslashes: the end of such a string is sought in another way. */
const longString = fc.string({
  unit: fc.constantFrom('"', '\\', 'x'.repeat(30), 'full_audio'),
  minLength: 3,
  maxLength: 30,
});
const otherField = fc.oneof(
  longString.map((text) => ['long', JSON.stringify(text)] as const),
  fc.string({ unit: 'binary', maxLength: 6 }).map((text) => ['note', JSON.stringify(text)] as const),
  fc.constantFrom<[string, string]>(
    ['a', String.raw`"\"full_audio\":\"TQ==\""`],
    ['b', String.raw`"\\"`],
    [String.raw`q\"`, '{"full_audio":"UQ=="}'],
    ['Zoë 🎧', '[1.5e3,true,null,["full_audio",":","TQ=="]]'],
    ['full_audio_', '"TQ=="'],
  ),
);

type Field = readonly [key: string, value: string];

/** Prints fields with white space between them. */
const objectOf = (fields: readonly Field[]) =>
  fc.array(space, { minLength: 4, maxLength: 4 }).map(([a, b, c, d]) => {
    const inner = fields.map(([key, value]) => `${a}"${key}"${b}:${c}${value}${d}`).join(',');
    return `{${inner}}`;
  });
const data = fc
  .tuple(fc.array(audioField, { maxLength: 3 }), fc.array(otherField, { maxLength: 3 }))
  .chain(([audio, others]) => fc.shuffledSubarray([...audio, ...others], { minLength: audio.length + others.length }))
  .chain(objectOf);
const dataFields = fc.array(fc.oneof({ weight: 9, arbitrary: data }, { weight: 1, arbitrary: fc.constant('null') }), {
  minLength: 1,
  maxLength: 2,
});
const type = fc.constantFrom('post_call_audio', 'post_call_audio', 'post_call_audio', 'post_call_transcription');
const event = fc
  .tuple(type, dataFields, fc.array(otherField, { maxLength: 2 }), fc.array(audioField, { maxLength: 1 }))
  .chain(([name, datas, others, beside]) => {
    const fields: Field[] = [
      ['type', `"${name}"`],
      ...datas.map((text) => ['data', text] as const),
      ...others,
      ...beside,
    ];
    return fc.shuffledSubarray(fields, { minLength: fields.length });
  })
  .chain(objectOf);
const body = fc
  .tuple(event, fc.constantFrom('#', '#', '#', '{"body":#}', '[#]', '{"x":"\\\\","body":[ # ]}', '\n # '))
  .map(([text, wrapper]) => wrapper.replace('#', () => text));

/** What the split of a body must say, by JSON.parse. The envelope is the body with an empty text in the place of the audio. */
function expectedOf(text: string) {
  const envelope: unknown = JSON.parse(text);
  const found = findAudio(envelope);
  const bytes = decode(found?.text ?? '');
  if (found === undefined || bytes?.length === 0) return { kind: 'whole' };
  found.holder['full_audio'] = '';
  if (bytes === undefined) return { kind: 'fault', code: 'audio_not_base64', envelope };
  return { kind: 'audio', envelope, audio: bytes.toString('hex'), bytes: bytes.length, body: text };
}

/** What the split of a body says. `body` is what envelope and raw text of the audio give back. */
async function actualOf(text: string, size: number) {
  const source = sourceOf(text, { size });
  const result = await splitBody(source);
  if (result.kind === 'whole') return { kind: result.kind };
  const envelope: unknown = JSON.parse(result.envelope.toString());
  if (result.kind === 'fault') return { kind: result.kind, code: result.fault.code, envelope };
  const { at, from, to, bytes, isCanonical } = result.audio;
  const audio = await collect(decodeAudio(source, { from, to }));
  const raw = Buffer.from(text).toString('utf8', from, to);
  if (isCanonical !== (raw === audio.toString('base64'))) throw new Error(`isCanonical is ${isCanonical} of ${raw}`);
  const whole = result.envelope.toString('utf8', 0, at) + raw + result.envelope.toString('utf8', at);
  return { kind: result.kind, envelope, audio: audio.toString('hex'), bytes, body: whole };
}

test('a body is split as JSON.parse reads it, in chunks of any size', async () => {
  const seen = new Map<string, number>();
  await fc.assert(
    fc.asyncProperty(body, fc.integer({ min: 1, max: 200 }), async (text, size) => {
      const expected = expectedOf(text);
      expect(await actualOf(text, size)).toEqual(expected);
      seen.set(expected.kind, (seen.get(expected.kind) ?? 0) + 1);
    }),
    { numRuns: 3000 },
  );
  // Each kind of result came often enough to say something.
  expect([...seen.keys()].toSorted()).toEqual(['audio', 'fault', 'whole']);
  expect(Math.min(...seen.values())).toBeGreaterThan(200);
});
