import { describe, expect, test } from 'vitest';
import { readAudioEvent } from '../src/audio.ts';

const EVENT =
  '{"type":"post_call_audio","event_timestamp":1760000150,"data":{"agent_id":"agent_1","conversation_id":"conv_1","full_audio":"SUQz"}}';

describe('an audio event', () => {
  test.each([
    ['as ElevenLabs sends it', EVENT],
    ['in a wrapper', `{"body":${EVENT}}`],
    ['in a text', JSON.stringify({ body: EVENT })],
    ['in an array of one', `[${EVENT}]`],
    ['behind a byte order mark', `\ufeff${EVENT}`],
    [
      'with its fields one level too high',
      '{"type":"post_call_audio","timestamp":"2025-10-09T08:55:50Z","agent_id":"agent_1","conversation_id":"conv_1","full_audio":"SUQz"}',
    ],
    [
      'with its keys twice',
      EVENT.replace('"data":{', '"data":{"full_audio":"none"},"data":{"full_audio":"earlier","agent_id":"agent_0",'),
    ],
  ])('%s gives its facts and its text', (_, text) => {
    expect(readAudioEvent(text)).toEqual({
      ok: true,
      type: 'post_call_audio',
      conversationId: 'conv_1',
      agentId: 'agent_1',
      eventAt: 1_760_000_150_000,
      audio: 'SUQz',
    });
  });

  test.each([
    ['an empty text', EVENT.replace('SUQz', '')],
    ['no text', EVENT.replace('"SUQz"', 'null')],
    ['another type', EVENT.replace('post_call_audio', 'post_call_transcription')],
  ])('with %s has no audio', (_, text) => {
    expect(readAudioEvent(text)).toMatchObject({ ok: true, conversationId: 'conv_1', audio: undefined });
  });
});

test.each([
  ['body_not_json', EVENT.slice(1)],
  ['json_too_deep', '['.repeat(300)],
  ['body_not_object', '"a"'],
  ['body_has_several', `[${EVENT},${EVENT}]`],
])('the code of a body that normalise cannot read is returned: %s', (code, text) => {
  expect(readAudioEvent(text)).toEqual({ ok: false, code });
});

test('a body that names nothing has no facts', () => {
  expect(readAudioEvent('{}')).toEqual({
    ok: true,
    type: null,
    conversationId: null,
    agentId: null,
    eventAt: undefined,
    audio: undefined,
  });
});
