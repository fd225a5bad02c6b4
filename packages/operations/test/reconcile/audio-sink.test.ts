import { join } from 'node:path';
import { createSpool, SpoolError, type SpooledBody } from '@landline/recordings';
import { idempotencyKey } from '@landline/webhook';
import { expect, onTestFinished, test } from 'vitest';
import { makeTempFolder } from '../../../../test/support/temp-folder.ts';
import { UnfetchableError } from '../../src/errors.ts';
import { openAudioSink } from '../../src/reconcile/audio-sink.ts';

const CALL = { conversationId: 'conv "1"', agentId: 'agent_1', endedAt: 1_764_400_060_500 };

async function aSink(options: { limitBytes?: number; freeBytes?: () => number } = {}) {
  const bodies: SpooledBody[] = [];
  const { freeBytes = () => 2 ** 40, limitBytes = 2 ** 20 } = options;
  const spool = createSpool({
    dir: join(await makeTempFolder(), 'spool'),
    limitBytes: 2 ** 30,
    onBody: (body) => bodies.push(body),
    onError: () => undefined,
    onReady: () => undefined,
    diskSpace: () => Promise.resolve({ free: freeBytes(), total: 2 ** 40 }),
  });
  await spool.open();
  onTestFinished(() => spool.close());
  return { sink: openAudioSink({ spool, limitBytes }), bodies, spool };
}

async function* piecesOf(audio: Buffer, sizes: readonly number[]): AsyncGenerator<Buffer> {
  let at = 0;
  for (let i = 0; at < audio.length; i++) {
    const size = sizes[i % sizes.length] ?? 1;
    yield await Promise.resolve(audio.subarray(at, at + size));
    at += size;
  }
}

async function* halfway(): AsyncGenerator<Buffer> {
  yield await Promise.resolve(Buffer.alloc(1_000));
  throw new Error('cut off');
}

async function textOf({ facts, read }: SpooledBody): Promise<string> {
  const pieces: Buffer[] = [];
  for await (const piece of read(0, facts.bytes)) pieces.push(piece);
  return Buffer.concat(pieces).toString();
}

test.each([[[1]], [[2, 5, 1]], [[3]], [[7, 64]]])('audio in pieces of %j is the text of an event', async (sizes) => {
  const { sink, bodies } = await aSink();
  const audio = Buffer.from(Array.from({ length: 1_000 }, (_, i) => (i * 37) % 256));
  const id = await sink.take(CALL, piecesOf(audio, sizes));
  expect(bodies).toHaveLength(1);
  const [text = ''] = await Promise.all(bodies.map(textOf));
  expect(text).toBe(
    `{"type":"post_call_audio","event_timestamp":1764400060.5,"data":{"agent_id":"agent_1","conversation_id":"conv \\"1\\"","full_audio":"${audio.toString('base64')}"}}`,
  );
  expect(id).toBe(idempotencyKey(text));
  expect(bodies[0]?.facts).toMatchObject({
    eventId: id,
    origin: 'backfill',
    secretId: 'provider',
    signedAt: 1_764_400_060,
    bytes: text.length,
  });
});

test('the reading is ended, also where nothing of it was read', async () => {
  let ends = 0;
  const audio: AsyncIterable<Buffer> = {
    [Symbol.asyncIterator]: () => ({
      next: () => Promise.resolve({ done: false, value: Buffer.alloc(3) }),
      return: () => Promise.resolve({ done: true, value: void ends++ }),
    }),
  };
  const full = {
    begin: () => {
      throw new SpoolError('full', 'The spool is full.');
    },
  };
  await expect(openAudioSink({ spool: full, limitBytes: 2 ** 20 }).take(CALL, audio)).rejects.toThrow(SpoolError);
  expect(ends).toBe(1);
});

test('nothing is kept where the reading ends half-way, the audio is empty or too large, or the disk is full', async () => {
  let free = 2 ** 40;
  const { sink, bodies, spool } = await aSink({ limitBytes: 5_000, freeBytes: () => free });
  await expect(sink.take(CALL, halfway())).rejects.toThrow('cut off');
  await expect(sink.take(CALL, piecesOf(Buffer.alloc(0), [1]))).rejects.toThrow(UnfetchableError);
  await expect(sink.take(CALL, piecesOf(Buffer.alloc(4_000), [1_000]))).rejects.toThrow(/5000 bytes/);
  free = 0;
  await expect
    .poll(
      () =>
        sink.take(CALL, piecesOf(Buffer.alloc(900), [300])).then(
          () => 'kept',
          (error: unknown) => error,
        ),
      {
        timeout: 20_000,
      },
    )
    .toBeInstanceOf(SpoolError);
  free = 2 ** 40;
  expect(bodies.every(({ facts }) => facts.bytes > 1_200)).toBe(true);
  // Nothing is left of the others.
  expect(spool.stats().files).toBe(bodies.length);
});
