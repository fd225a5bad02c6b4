import { setImmediate } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { decodeAudio } from '../../src/split/decode-audio.ts';
import { splitBody } from '../../src/split/split-body.ts';
import { collect, sourceOf } from './source.ts';

test('the event loop turns at least once for each 128 KiB, however large the chunks are', async () => {
  const mebibyte = 1024 * 1024;
  const body = `{"type":"post_call_audio","data":{"full_audio":"${'A'.repeat(8 * mebibyte)}"}}`;
  // This source never waits for the event loop itself.
  const source = sourceOf(body, { size: 4 * mebibyte });
  const loop = { turns: 0, isDone: false };
  const counting = (async () => {
    for (; !loop.isDone; loop.turns++) await setImmediate();
  })();
  const result = await splitBody(source);
  if (result.kind !== 'audio') throw new Error(`the body is ${result.kind}`);
  const ofSplit = loop.turns;
  await collect(decodeAudio(source, result.audio));
  const ofDecoding = loop.turns - ofSplit;
  loop.isDone = true;
  await counting;
  // 8 MiB are 64 times 128 KiB. splitBody reads them twice.
  expect(ofSplit).toBeGreaterThanOrEqual(127);
  expect(ofDecoding).toBeGreaterThanOrEqual(63);
});
