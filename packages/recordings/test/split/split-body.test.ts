import { createHash } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { decodeAudio } from '../../src/split/decode-audio.ts';
import { splitBody } from '../../src/split/split-body.ts';
import { collect, sourceOf } from './source.ts';

const MEBIBYTE = 1024 * 1024;

/** Splits a body, and gives its audio as text beside the result. */
async function split(body: string | Buffer) {
  const source = sourceOf(body);
  const result = await splitBody(source);
  if (result.kind === 'whole') return { kind: result.kind };
  const envelope = result.envelope.toString();
  if (result.kind === 'fault') return { kind: result.kind, envelope, fault: result.fault, facts: result.facts };
  const audio = await collect(decodeAudio(source, result.audio));
  return { kind: result.kind, envelope, facts: result.facts, ...result.audio, audio: audio.toString('latin1') };
}

/** An audio event with the raw text of `full_audio`. */
const eventOf = (raw: string) => `{"type":"post_call_audio","data":{"conversation_id":"conv_1","full_audio":"${raw}"}}`;

describe('the audio of a body', () => {
  test('is cut out: envelope, place, length, hash and facts', async () => {
    const body =
      '{"type": "post_call_audio", "event_timestamp": 1760000150, "data": {"agent_id": "agent_1", "conversation_id": "conv_1", "full_audio": "SUQzBAA="}}';
    expect(await splitBody(sourceOf(body))).toEqual({
      kind: 'audio',
      envelope: Buffer.from(
        '{"type": "post_call_audio", "event_timestamp": 1760000150, "data": {"agent_id": "agent_1", "conversation_id": "conv_1", "full_audio": ""}}',
      ),
      audio: {
        at: 135,
        from: 135,
        to: 143,
        bytes: 5,
        // printf 'ID3\004\000' | sha256sum
        sha256: '0309e27dc5c111c30989f1a9c1b2795739e244e7f66ae10f5e985292a919b58b',
        isCanonical: true,
      },
      facts: { type: 'post_call_audio', conversationId: 'conv_1', agentId: 'agent_1', eventAt: 1_760_000_150_000 },
    });
  });

  test.each([
    [
      'before the type',
      '{"data":{"full_audio":"TQ==","conversation_id":"c"},"type":"post_call_audio"}',
      '{"data":{"full_audio":"","conversation_id":"c"},"type":"post_call_audio"}',
    ],
    [
      'with white space around colon and value',
      '{ "type" : "post_call_audio" , "data" : { "full_audio" \n\t: \r\n "TQ==" } }',
      '{ "type" : "post_call_audio" , "data" : { "full_audio" \n\t: \r\n "" } }',
    ],
    [
      'under a key with escapes',
      String.raw`{"type":"post_call_audio","data":{"full\u005Fau\u0064io":"TQ=="}}`,
      String.raw`{"type":"post_call_audio","data":{"full\u005Fau\u0064io":""}}`,
    ],
    [
      'under a key that is escapes alone',
      String.raw`{"type":"post_call_audio","data":{"\u0066\u0075\u006c\u006c\u005f\u0061\u0075\u0064\u0069\u006f":"TQ=="}}`,
      String.raw`{"type":"post_call_audio","data":{"\u0066\u0075\u006c\u006c\u005f\u0061\u0075\u0064\u0069\u006f":""}}`,
    ],
    [
      'the last of two',
      '{"type":"post_call_audio","data":{"full_audio":"UQ==","full_audio":"TQ=="}}',
      '{"type":"post_call_audio","data":{"full_audio":"UQ==","full_audio":""}}',
    ],
    [
      'in the last of two data',
      '{"type":"post_call_audio","data":{"full_audio":"UQ=="},"data":{"full_audio":"TQ=="}}',
      '{"type":"post_call_audio","data":{"full_audio":"UQ=="},"data":{"full_audio":""}}',
    ],
    [
      'in data, with another one beside data',
      '{"type":"post_call_audio","full_audio":"UQ==","data":{"full_audio":"TQ=="}}',
      '{"type":"post_call_audio","full_audio":"UQ==","data":{"full_audio":""}}',
    ],
    [
      'beside data, where the one in data is empty',
      '{"type":"post_call_audio","full_audio":"TQ==","data":{"full_audio":""}}',
      '{"type":"post_call_audio","full_audio":"","data":{"full_audio":""}}',
    ],
    [
      'in data, with another one deeper',
      '{"type":"post_call_audio","data":{"full_audio":"TQ==","more":{"full_audio":"UQ=="}}}',
      '{"type":"post_call_audio","data":{"full_audio":"","more":{"full_audio":"UQ=="}}}',
    ],
    [
      'in a wrapper',
      '{"headers":{},"body":{"type":"post_call_audio","data":{"full_audio":"TQ=="}}}',
      '{"headers":{},"body":{"type":"post_call_audio","data":{"full_audio":""}}}',
    ],
    [
      'in an array of one',
      '[{"type":"post_call_audio","data":{"full_audio":"TQ=="}}]',
      '[{"type":"post_call_audio","data":{"full_audio":""}}]',
    ],
    [
      'behind a byte order mark and characters of several bytes',
      '\ufeff{"type":"post_call_audio","name":"Zoë 🎧","data":{"full_audio":"TQ=="}}',
      '\ufeff{"type":"post_call_audio","name":"Zoë 🎧","data":{"full_audio":""}}',
    ],
    [
      'behind strings that look like it',
      String.raw`{"a":"\"full_audio\":\"UQ==\"","b":"\\","type":"post_call_audio","data":{"full_audio":"TQ=="}}`,
      String.raw`{"a":"\"full_audio\":\"UQ==\"","b":"\\","type":"post_call_audio","data":{"full_audio":""}}`,
    ],
  ])('is found %s', async (_, body, envelope) => {
    const at = Buffer.from(body).indexOf('"TQ=="') + 1;
    expect(await split(body)).toMatchObject({ kind: 'audio', envelope, at, audio: 'M', bytes: 1, isCanonical: true });
  });

  test.each([
    ['an event of another type', '{"type":"post_call_transcription","data":{"full_audio":"TQ=="}}'],
    ['an event without a type', '{"data":{"full_audio":"TQ=="}}'],
    ['an empty text', eventOf('')],
    ['a text of white space', eventOf(String.raw` \n\t `)],
    ['no such key', '{"type":"post_call_audio","data":{"conversation_id":"c"}}'],
    ['a number', '{"type":"post_call_audio","data":{"full_audio":12}}'],
    ['a list', '{"type":"post_call_audio","data":{"full_audio":["TQ=="]}}'],
    ['a key deeper than data', '{"type":"post_call_audio","data":{"more":{"full_audio":"TQ=="}}}'],
    ['an event in a text', JSON.stringify({ body: eventOf('TQ==') })],
    ['an array of two events', `[${eventOf('TQ==')},${eventOf('TQ==')}]`],
    ['JSON with a comma too many', eventOf('TQ==').replace('}}', ',}}')],
    ['JSON that ends in the audio', eventOf('TQ==').slice(0, -4)],
    ['bytes that are no UTF-8', Buffer.from(eventOf('TQ==').replace('conv_1', '\u00ff'), 'latin1')],
    ['no bytes', ''],
  ])('is not cut out of a small body with %s', async (_, body) => {
    expect(await splitBody(sourceOf(body))).toEqual({ kind: 'whole' });
  });
});

describe('base64', () => {
  test.each([
    ['the standard alphabet', 'Pj4+Pz8/', '>>>???', true],
    ['the url-safe alphabet', 'Pj4-Pz8_', '>>>???', false],
    ['both alphabets', 'Pj4-Pz8/', '>>>???', false],
    ['an escaped slash', String.raw`Pz8\/`, '???', false],
    ['escapes of code units', String.raw`\u0054\u0051\u003d\u003D`, 'M', false],
    ['white space as escapes', String.raw`TW\nFu\r\n\tTQ\f==\n`, 'ManM', false],
    ['spaces', ' TWFu TQ = = ', 'ManM', false],
    ['two characters without padding', 'TQ', 'M', false],
    ['three characters without padding', 'TWE', 'Ma', false],
    ['two characters with half of their padding', 'TQ=', 'M', false],
    ['last bits that are not zero', 'TR==', 'M', false],
    ['last bits that are not zero, of three characters', 'TWF=', 'Ma', false],
  ])('with %s is decoded', async (_, raw, audio, isCanonical) => {
    const envelope = eventOf('');
    expect(await split(eventOf(raw))).toMatchObject({ kind: 'audio', envelope, audio, isCanonical });
  });

  test.each([
    ['another character', 'TWFu!Q==', 'the character at byte 4 is in no alphabet of base64'],
    ['a character of several bytes', 'TWFué', 'the character at byte 4 is in no alphabet of base64'],
    ['another character as an escape', String.raw`TWFu\u0021`, 'the character at byte 9 is in no alphabet of base64'],
    ['a line break that is no escape', 'TWFu\nTWFu', 'byte 4 is a control character'],
    ['a character behind the padding', 'TQ==TWFu', 'it goes on behind its padding, at byte 4'],
    ['padding within', 'TQ=Q', 'it goes on behind its padding, at byte 3'],
    ['padding behind a whole group', 'TWFu=', 'it has more padding than its length needs'],
    ['padding of three characters', 'TQ===', 'it has more padding than its length needs'],
    ['padding alone', '====', 'it has more padding than its length needs'],
    ['a single character at its end', 'TWFuT', 'its last group has a single character'],
    ['an escape that JSON does not have', String.raw`TWFu\q`, 'the escape at byte 5 is none of JSON'],
    ['an escape of three digits', String.raw`TWFu\u041`, 'it ends within an escape'],
    ['an escape that is cut off', String.raw`TWFu\u00 `, 'the escape at byte 8 is none of JSON'],
  ])('with %s is a fault', async (_, raw, found) => {
    expect(await split(eventOf(raw))).toEqual({
      kind: 'fault',
      envelope: eventOf(''),
      fault: { code: 'audio_not_base64', message: `The text in full_audio is not base64: ${found}.` },
      facts: { type: 'post_call_audio', conversationId: 'conv_1', agentId: null, eventAt: undefined },
    });
  });

  test('of more than one step is decoded whole, also with one odd character far within', async () => {
    const audio = Buffer.alloc(700_001, 'Ab3Qz+x');
    const raw = audio.toString('base64');
    const odd = `${raw.slice(0, 400_003)}\\n${raw.slice(400_003)}`;
    const sha256 = createHash('sha256').update(audio).digest('hex');
    const [plain, broken] = [await split(eventOf(raw)), await split(eventOf(odd))];
    expect(plain).toMatchObject({ bytes: 700_001, sha256, isCanonical: true, audio: audio.toString('latin1') });
    expect(broken).toMatchObject({ bytes: 700_001, sha256, isCanonical: false, audio: audio.toString('latin1') });
  });
});

describe('a long string', () => {
  const long = 'x'.repeat(65_537);

  test.each([
    ['a value', `{"type":"post_call_audio","note":"${long}","data":{"full_audio":"TQ=="}}`],
    ['a key', `{"type":"post_call_audio","${long}":1,"data":{"full_audio":"TQ=="}}`],
    ['an escaped quote', `{"type":"post_call_audio","note":"${long}\\"${long}\\\\","data":{"full_audio":"TQ=="}}`],
  ])('that is %s stays in the envelope', async (_, body) => {
    expect(await split(body)).toMatchObject({ kind: 'audio', audio: 'M', envelope: body.replace('TQ==', '') });
  });

  test('in the place of an id is no id, as in the whole body', async () => {
    const body = `{"type":"post_call_audio","conversation_id":"outer","data":{"conversation_id":"${long}","full_audio":"TQ=="}}`;
    expect(await split(body)).toMatchObject({ kind: 'audio', facts: { conversationId: 'outer' } });
  });

  test('is read from a source that cannot give it, and the error is passed on', async () => {
    const source = { ...sourceOf(eventOf('TQ==')), bytes: 1_000 };
    await expect(splitBody(source)).rejects.toThrow('of the range from 0 to 1000');
  });
});

describe('a body of more than 16 MiB', () => {
  const big = 'A'.repeat(17 * MEBIBYTE);
  const facts = { type: null, conversationId: null, agentId: null, eventAt: undefined };

  test('with that much audio has a small envelope', async () => {
    expect(await split(eventOf(big))).toMatchObject({ kind: 'audio', envelope: eventOf(''), bytes: 13_369_344 });
  });

  test('that is no audio is too large: its long strings are emptied', async () => {
    const body = `{"type":"post_call_transcription","data":{"agent_id":"a","conversation_id":"c","note":"${big}"}}`;
    expect(await split(body)).toEqual({
      kind: 'fault',
      envelope: '{"type":"post_call_transcription","data":{"agent_id":"a","conversation_id":"c","note":""}}',
      fault: {
        code: 'body_too_large',
        message: 'The body has 17825882 bytes and no audio. Landline applies at most 16777216 bytes beside the audio.',
      },
      facts: { type: 'post_call_transcription', conversationId: 'c', agentId: 'a', eventAt: undefined },
    });
  });

  test('with so much beside its audio is too large: the audio is emptied too', async () => {
    const body = `{"type":"post_call_audio","note":"${big}","data":{"conversation_id":"c","full_audio":"TQ=="}}`;
    expect(await split(body)).toMatchObject({
      kind: 'fault',
      envelope: '{"type":"post_call_audio","note":"","data":{"conversation_id":"c","full_audio":""}}',
      fault: { code: 'body_too_large', message: expect.stringContaining('17825875 bytes beside its audio') },
      facts: { type: 'post_call_audio', conversationId: 'c' },
    });
  });

  test('of short strings alone is too large, and has no envelope', async () => {
    const body = `{"type":"post_call_audio","data":{"full_audio":"TQ==","all":[${'"short",'.repeat(2_200_000)}1]}}`;
    const fault = { code: 'body_too_large', message: expect.stringContaining('17600065 bytes and no audio') };
    expect(await split(body)).toEqual({ kind: 'fault', envelope: '', fault, facts });
  });

  test('with more than 8192 texts in full_audio is too large', async () => {
    const body = `{"type":"post_call_audio","note":"${big}","data":{${'"full_audio":"TQ==",'.repeat(8192)}"a":1}}`;
    const fault = { code: 'body_too_large', message: expect.any(String) };
    expect(await split(body)).toEqual({ kind: 'fault', envelope: '', fault, facts });
  });

  test('with several events is too large, and the fault says that it has several', async () => {
    const fault = { code: 'body_too_large', message: expect.stringContaining('no single event (body_has_several)') };
    const envelope = `[${eventOf('')},${eventOf('')}]`;
    expect(await split(`[${eventOf(big)},${eventOf('TQ==')}]`)).toEqual({ kind: 'fault', envelope, fault, facts });
  });

  test.each([
    ['ends within a string', eventOf(big).slice(0, -4), 'The body is not JSON.'],
    ['lacks a bracket', eventOf(big).slice(0, -1), 'The body is not JSON.'],
    ['nests too deeply', `${'['.repeat(300)}"${big}"`, 'The body is nested too deeply to be read as JSON.'],
    [
      'is no UTF-8 beside the audio',
      Buffer.from(eventOf(big).replace('conv_1', '\u00ff'), 'latin1'),
      'The body is not valid UTF-8, so it is not JSON.',
    ],
    [
      'is no UTF-8 and no audio',
      Buffer.from(eventOf(big).replace('conv_1', '\u00ff').replace('post_call_audio', 'other'), 'latin1'),
      'The body is not valid UTF-8, so it is not JSON.',
    ],
    [
      'is no UTF-8 within a long string',
      Buffer.from(eventOf(big).replace('{', `{"note":"${'\u00ff'.repeat(65_537)}",`), 'latin1'),
      'The body is not valid UTF-8, so it is not JSON.',
    ],
  ])('that %s is not JSON', async (_, body, message) => {
    expect(await split(body)).toEqual({
      kind: 'fault',
      envelope: '',
      fault: { code: 'body_not_json', message },
      facts,
    });
  });

  test('with audio that is no base64 is a fault with the envelope', async () => {
    expect(await split(eventOf(`${big}!`))).toMatchObject({
      kind: 'fault',
      envelope: eventOf(''),
      fault: { code: 'audio_not_base64' },
      facts: { conversationId: 'conv_1' },
    });
  });
});
