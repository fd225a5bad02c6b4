import { describe, expect, test } from 'vitest';
import { decodeAudio } from '../../src/split/decode-audio.ts';
import { splitBody } from '../../src/split/split-body.ts';
import { collect, sourceOf, type Chunks } from './source.ts';

/** Escapes in keys and in the audio, characters of several bytes in a key, a second audio, and quotes within strings. */
const BODY = String.raw`{"Zoë 🎧":"a\"b\\","type":"post_call_audio","data":{"full\u005faudio":"SUQz\u0042AA\/\n+w==","x":{"full_audio":"UQ=="}}}`;
const ENVELOPE = String.raw`{"Zoë 🎧":"a\"b\\","type":"post_call_audio","data":{"full\u005faudio":"","x":{"full_audio":"UQ=="}}}`;
const AUDIO = Buffer.from([0x49, 0x44, 0x33, 0x04, 0x00, 0x3f, 0xfb]);
const BYTES = Buffer.byteLength(BODY);

async function splitIn(chunks: Chunks) {
  const source = sourceOf(BODY, chunks);
  const result = await splitBody(source);
  if (result.kind !== 'audio') return result;
  return { envelope: result.envelope.toString(), audio: await collect(decodeAudio(source, result.audio)) };
}

describe('a body is split alike', () => {
  test.each([1, 2, 3, 4, 5, 6, 7])('in chunks of %i bytes', async (size) => {
    expect(await splitIn({ size })).toEqual({ envelope: ENVELOPE, audio: AUDIO });
  });

  test('with a single cut at each of its bytes', async () => {
    const wrong: number[] = [];
    for (let cut = 1; cut < BYTES; cut++) {
      const result = await splitIn({ cuts: [cut] });
      if (!('audio' in result && result.envelope === ENVELOPE && AUDIO.equals(result.audio))) wrong.push(cut);
    }
    expect(wrong).toEqual([]);
  });
});

describe('a text that is no base64 has the same fault in chunks of any size', () => {
  test.each([
    ['TQ==TWFu', 'it goes on behind its padding, at byte 4'],
    ['TWFuTWFu!TWFu', 'the character at byte 8 is in no alphabet of base64'],
    [String.raw`TWFuTWFu\u00e9TWFu`, 'the character at byte 13 is in no alphabet of base64'],
    [String.raw`TWFuTWFu\x`, 'the escape at byte 9 is none of JSON'],
    ['TWFuTWFuT', 'its last group has a single character'],
    ['TWFuTWE==', 'it has more padding than its length needs'],
  ])('%s', async (raw, found) => {
    const body = `{"type":"post_call_audio","data":{"full_audio":"${raw}"}}`;
    const message = `The text in full_audio is not base64: ${found}.`;
    for (let size = 1; size <= 70; size++) {
      expect(await splitBody(sourceOf(body, { size }))).toMatchObject({
        kind: 'fault',
        fault: { code: 'audio_not_base64', message },
      });
    }
  });
});
