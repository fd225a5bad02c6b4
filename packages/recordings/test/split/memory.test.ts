import { createHash } from 'node:crypto';
import { setImmediate } from 'node:timers/promises';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { expect, test } from 'vitest';
import { decodeAudio } from '../../src/split/decode-audio.ts';
import { splitBody } from '../../src/split/split-body.ts';
import type { SplitSource } from '../../src/split/split-source.ts';

const HEAD = Buffer.from('{"type":"post_call_audio","data":{"conversation_id":"c","full_audio":"');
const TAIL = Buffer.from('"}}');
/** A chunk of audio, in bytes: 48 KiB, so 64 KiB of base64. */
const AUDIO = Buffer.alloc(49_152, 'any audio');
const CHUNK = Buffer.from(AUDIO.toString('base64'));
/** 640 chunks of 64 KiB are 40 MiB. */
const CHUNKS = 640;
const BYTES = HEAD.length + CHUNKS * CHUNK.length + TAIL.length;

setFlagsFromString('--expose-gc');
const collectGarbage: unknown = runInNewContext('gc');

/** Makes a source that counts how many bytes of its chunks are alive, each time it has handed out 4 MiB. */
function countingSource() {
  const chunks: WeakRef<ArrayBufferLike>[] = [];
  let mostAlive = 0;
  async function countAlive() {
    // A chunk stays alive until the end of the task that made its weak reference.
    await setImmediate();
    if (typeof collectGarbage === 'function') collectGarbage();
    mostAlive = Math.max(
      mostAlive,
      chunks.reduce((sum, chunk) => sum + (chunk.deref()?.byteLength ?? 0), 0),
    );
  }
  async function* read(from: number, to: number) {
    let at = 0;
    for (let i = 0; i < CHUNKS + 2; i++) {
      const part = i === 0 ? HEAD : i > CHUNKS ? TAIL : CHUNK;
      const [start, end] = [Math.max(from - at, 0), Math.min(to - at, part.length)];
      at += part.length;
      if (start >= end) continue;
      yield copyOf(part.subarray(start, end));
      if (i % 64 === 0) await countAlive();
    }
  }
  function copyOf(part: Buffer): Buffer {
    const chunk = Buffer.from(new ArrayBuffer(part.length));
    part.copy(chunk);
    // A view of the chunk keeps its memory, but not the chunk itself.
    chunks.push(new WeakRef(chunk.buffer));
    return chunk;
  }
  const source: SplitSource = { bytes: BYTES, read, signedAt: 0, eventId: 'any' };
  return { source, mostAlive: () => mostAlive, handedOut: () => chunks.length };
}

test('a body of 40 MiB is split and decoded with no more than 2 MiB of it alive', async () => {
  const { source, mostAlive, handedOut } = countingSource();
  const result = await splitBody(source);
  if (result.kind !== 'audio') throw new Error(`the body is ${result.kind}`);
  const hash = createHash('sha256');
  for await (const chunk of decodeAudio(source, result.audio)) hash.update(chunk);

  const expected = createHash('sha256');
  for (let i = 0; i < CHUNKS; i++) expected.update(AUDIO);
  expect(result.envelope.toString()).toBe('{"type":"post_call_audio","data":{"conversation_id":"c","full_audio":""}}');
  expect(result.audio).toMatchObject({ bytes: 31_457_280, sha256: expected.digest('hex'), isCanonical: true });
  expect(hash.digest('hex')).toBe(result.audio.sha256);
  expect(handedOut()).toBeGreaterThan(3 * CHUNKS);
  expect(mostAlive()).toBeGreaterThan(0);
  expect(mostAlive()).toBeLessThan(2 * 1024 * 1024);
});
