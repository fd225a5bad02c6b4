import { createHash, randomBytes } from 'node:crypto';
import { EventEmitter, once } from 'node:events';
import { readdir, readFile, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { keyOfHash } from '@landline/webhook';
import { bodyBytes, type Delivery } from '@landline/webhook/delivery';
import { describe, expect, it, onTestFinished } from 'vitest';
import { makeTempFolder } from '../../../../test/support/temp-folder.ts';
import { createMover, type Mover, type MoverOptions } from '../../src/move/mover.ts';
import { createSpool, type Spool } from '../../src/spool/spool.ts';
import type { SpooledBody } from '../../src/spool/spooled-body.ts';
import { openStorage } from '../../src/storage/open-storage.ts';
import { StorageError } from '../../src/storage/storage-error.ts';

const MIB = 1024 * 1024;
const FACTS = { receivedAt: 1_767_225_600_123, signedAt: 1_767_225_600, secretId: '0123abcd' };

interface World {
  spool: Spool;
  mover: Mover;
  /** What was accepted, in order. */
  accepted: Delivery[];
  errors: string[];
  /** The folder of the storage, and the one for bodies that cannot be applied. */
  folder: string;
  kept: string;
  receive(body: Buffer | string): Promise<void>;
}

/** A spool and a mover; what the mover works with can be replaced. */
async function aWorld(options: Partial<MoverOptions> = {}): Promise<World> {
  const dir = await makeTempFolder();
  const [folder, kept] = [join(dir, 'recordings'), join(dir, 'kept')];
  const accepted: Delivery[] = [];
  const errors: string[] = [];
  const bodies: SpooledBody[] = [];
  const spool = createSpool({
    dir: join(dir, 'spool'),
    limitBytes: 1024 * MIB,
    onBody: (body) => (bodies.push(body), mover.move(body)),
    onError: ({ message }) => errors.push(message),
    onReady: () => undefined,
  });
  const mover = createMover({
    storage: openStorage(`file:${folder}`),
    bodies: openStorage(`file:${kept}`),
    accept: (delivery) => Promise.resolve(void accepted.push(delivery)),
    setAside: (body) => spool.setAside(body),
    onError: ({ message }) => errors.push(message),
    ...options,
  });
  await spool.open();
  onTestFinished(async () => {
    await mover.close();
    await spool.close();
  });
  return { spool, mover, accepted, errors, folder, kept, receive: (body) => receive(spool, Buffer.from(body)) };
}

async function receive(spool: Spool, body: Buffer): Promise<void> {
  const writer = spool.begin({ isLarge: true });
  await writer.write(body);
  const sha256 = sha(body);
  await writer.keep({ ...FACTS, sha256, eventId: keyOfHash(sha256), bytes: body.length });
}

const sha = (bytes: Buffer | string) => createHash('sha256').update(bytes).digest('hex');

function audioEvent(base64: string, rest: object = {}): string {
  const data = { agent_id: 'agent_1', conversation_id: 'conv_1', full_audio: base64 };
  return JSON.stringify({ type: 'post_call_audio', event_timestamp: 1_767_225_600, data, ...rest });
}

/** The files below a folder, as paths from it. */
async function below(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true }).catch(() => []);
  return entries
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(folder.length + 1))
    .sort();
}

const moved = (world: World, count = 1) =>
  expect
    .poll(() => [world.accepted.length, world.spool.stats().files, world.spool.stats().bytes], { timeout: 20_000 })
    .toEqual([count, 0, 0]);

it.each([
  ['audio', audioEvent('QUJD'), true],
  ['a body without audio', JSON.stringify({ type: 'x', pad: 'y'.repeat(2 * MIB) }), false],
  ['audio that is no base64', audioEvent('this is no base64!'), true],
])('%s keeps the name of the span of its request', async (_, body, isCut) => {
  const traceparent = `00-${'a'.repeat(32)}-${'b'.repeat(16)}-01`;
  const world = await aWorld();
  const writer = world.spool.begin({ isLarge: true });
  await writer.write(Buffer.from(body));
  const sha256 = sha(body);
  const { path } = await writer.keep({ ...FACTS, traceparent, sha256, eventId: keyOfHash(sha256), bytes: body.length });
  expect(path).toMatch(/\.body$/);
  await moved(world);
  expect(world.accepted).toMatchObject([{ ...FACTS, traceparent }]);
  expect(world.accepted[0]?.reference !== undefined).toBe(isCut);
});

describe('a recording', () => {
  it.each([3, 300_000, 5 * MIB])(
    'of %i bytes is stored; its event has the envelope and where it is; the spool is empty',
    async (size) => {
      const world = await aWorld();
      const audio = randomBytes(size);
      const body = audioEvent(audio.toString('base64'));
      await world.receive(body);
      await moved(world);
      expect(await below(world.folder)).toEqual(['agent_1/2026/01/01/conv_1.mp3']);
      const path = join(world.folder, 'agent_1/2026/01/01/conv_1.mp3');
      expect((await readFile(path)).equals(audio)).toBe(true);
      const envelope = audioEvent('');
      expect(world.accepted).toEqual([
        {
          ...FACTS,
          encoding: 'utf8',
          body: envelope,
          reference: {
            eventId: keyOfHash(sha(body)),
            bytes: body.length,
            recording: {
              at: envelope.indexOf('""') + 1,
              bytes: size,
              sha256: sha(audio),
              contentType: 'audio/mpeg',
              url: `file:${path}`,
              storedAt: expect.any(Number),
            },
          },
        },
      ]);
    },
  );

  it('whose base64 is not canonical is stored, and its whole body beside it', async () => {
    const world = await aWorld();
    const body = audioEvent('QUJDRA');
    await world.receive(body);
    await moved(world);
    const id = keyOfHash(sha(body));
    expect(await below(world.folder)).toEqual([
      `agent_1/2026/01/01/conv_1.${id}.json`,
      'agent_1/2026/01/01/conv_1.mp3',
    ]);
    expect((await readFile(join(world.folder, 'agent_1/2026/01/01/conv_1.mp3'))).toString()).toBe('ABCD');
    const url = `file:${join(world.folder, `agent_1/2026/01/01/conv_1.${id}.json`)}`;
    expect(world.accepted[0]?.reference).toMatchObject({ bodyUrl: url, recording: { bytes: 4 } });
    expect((await readFile(url.slice(5))).toString()).toBe(body);
  });

  it('delivered twice is stored once', async () => {
    const world = await aWorld();
    const body = audioEvent(randomBytes(100_000).toString('base64'));
    await world.receive(body);
    await world.receive(body);
    await moved(world, 2);
    expect(await below(world.folder)).toHaveLength(1);
    expect(new Set(world.accepted.map(({ reference }) => reference?.eventId)).size).toBe(1);
  });

  it('of the same conversation with another content has a file of its own', async () => {
    const world = await aWorld();
    await world.receive(audioEvent('AAAA'));
    await world.receive(audioEvent('AAAB'));
    await moved(world, 2);
    expect(await below(world.folder)).toHaveLength(2);
    expect(new Set(world.accepted.map(({ reference }) => reference?.recording?.url)).size).toBe(2);
  });

  it('is not kept where RECORDINGS_URL is unset; its event says so', async () => {
    const world = await aWorld({ storage: undefined });
    await world.receive(audioEvent('AAAA'));
    await moved(world);
    expect(world.accepted[0]?.reference?.recording).toMatchObject({
      url: null,
      storedAt: null,
      bytes: 3,
      sha256: sha(Buffer.alloc(3)),
    });
    expect([...(await below(world.folder)), ...(await below(world.kept))]).toEqual([]);
  });
});

describe('a body that cannot be applied', () => {
  it.each([true, false])('is kept whole, and its event says why (RECORDINGS_URL set: %s)', async (hasStorage) => {
    const world = await aWorld(hasStorage ? {} : { storage: undefined });
    const body = audioEvent('this is no base64!');
    await world.receive(body);
    await moved(world);
    const { reference, body: envelope } = world.accepted[0] ?? {};
    expect(reference?.fault?.code).toBe('audio_not_base64');
    expect(envelope).toBe(audioEvent(''));
    const folder = hasStorage ? world.folder : world.kept;
    expect(reference?.bodyUrl).toMatch(`file:${folder}/`);
    expect((await readFile(reference?.bodyUrl?.slice(5) ?? '')).toString()).toBe(body);
  });

  it('is kept whole where it is larger than the queue takes', async () => {
    const world = await aWorld();
    const body = JSON.stringify({ type: 'post_call_transcription', data: { pad: 'x'.repeat(17 * MIB) } });
    await world.receive(body);
    await moved(world);
    const { reference } = world.accepted[0] ?? {};
    expect(reference).toMatchObject({ bytes: body.length, fault: { code: 'body_too_large' } });
    expect(sha(await readFile(reference?.bodyUrl?.slice(5) ?? ''))).toBe(sha(body));
  });
});

it('a large body without audio goes to the queue as it is', async () => {
  const world = await aWorld();
  const body = JSON.stringify({ type: 'post_call_transcription', data: { pad: 'é'.repeat(2 * MIB) } });
  await world.receive(body);
  await moved(world);
  expect(world.accepted[0]).toMatchObject({ ...FACTS, encoding: 'utf8' });
  expect(world.accepted[0]?.reference).toBeUndefined();
  expect(bodyBytes(world.accepted[0] ?? { encoding: 'utf8', body: '' }).toString()).toBe(body);
});

describe('what is away', () => {
  it('the storage: recordings wait, everything else goes on, and each is moved once it is back', async () => {
    const real = openStorage(`file:${join(await makeTempFolder(), 'there')}`);
    let isAway = true;
    let attempts = 0;
    const world = await aWorld({
      storage: {
        ...real,
        put: (options) => {
          attempts += 1;
          return isAway ? Promise.reject(new StorageError('unavailable', 'The storage is away.')) : real.put(options);
        },
      },
    });
    for (let i = 0; i < 10; i++) {
      // oxlint-disable-next-line no-await-in-loop -- in this order
      await world.receive(audioEvent(Buffer.from(`audio ${i}`).toString('base64'), { event_id: `e${i}` }));
    }
    const transcript = JSON.stringify({ type: 'post_call_transcription', data: { pad: 'x'.repeat(MIB) } });
    await world.receive(transcript);
    await expect.poll(() => world.accepted.map(({ body }) => body), { timeout: 20_000 }).toEqual([transcript]);
    // The transcript's file goes after its event was accepted.
    await expect.poll(() => world.spool.stats().files, { timeout: 20_000 }).toBe(10);
    expect(world.errors).toEqual(['A body waits in the spool and is tried again: The storage is away.']);
    isAway = false;
    await moved(world, 11);
    // While it is away one body at a time tries it.
    expect(attempts).toBeLessThan(30);
  });

  it('the queue: the recording is stored, and its event is enqueued once it is back', async () => {
    let isAway = true;
    const accepted: Delivery[] = [];
    const world = await aWorld({
      accept: (delivery) =>
        isAway ? Promise.reject(new Error('The queue is away.')) : Promise.resolve(void accepted.push(delivery)),
    });
    await world.receive(audioEvent('AAAA'));
    await expect.poll(() => world.errors, { timeout: 20_000 }).toHaveLength(1);
    expect(world.spool.stats().files).toBe(1);
    isAway = false;
    await expect.poll(() => [accepted.length, world.spool.stats().files], { timeout: 20_000 }).toEqual([1, 0]);
    expect(await below(world.folder)).toEqual(['agent_1/2026/01/01/conv_1.mp3']);
  });
});

it('a body whose file is cut meanwhile is set aside, and the others go on', async () => {
  const gate = new EventEmitter();
  const ready = once(gate, 'open');
  const real = openStorage(`file:${join(await makeTempFolder(), 'there')}`);
  const world = await aWorld({ storage: { ...real, put: async (options) => (await ready, real.put(options)) } });
  await world.receive(audioEvent(randomBytes(2 * MIB).toString('base64')));
  await world.receive(audioEvent('AAAA'));
  const files = await below(join(world.folder, '..', 'spool'));
  const sizes = files.filter((name) => name.endsWith('.body'));
  expect(sizes).toHaveLength(2);
  await truncate(join(world.folder, '..', 'spool', sizes[0] ?? ''), 1000);
  gate.emit('open');
  await expect.poll(() => world.accepted.length, { timeout: 20_000 }).toBe(1);
  await expect.poll(() => world.spool.stats(), { timeout: 20_000 }).toMatchObject({ files: 0, damagedFiles: 1 });
  expect(world.errors.at(-1)).toContain('is damaged');
});

it('what a mover left, the next one moves', async () => {
  const dir = await makeTempFolder();
  const never: SpooledBody[] = [];
  const first = createSpool({
    dir,
    limitBytes: MIB * 64,
    onBody: (body) => never.push(body),
    onError: () => undefined,
    onReady: () => undefined,
  });
  await first.open();
  const body = audioEvent('QUJD');
  await receive(first, Buffer.from(body));
  await first.close();
  await writeFile(join(dir, 'beside'), 'a file of somebody else');

  const accepted: Delivery[] = [];
  const storage = openStorage(`file:${join(dir, 'recordings')}`);
  const mover = createMover({
    storage,
    bodies: storage,
    accept: (delivery) => Promise.resolve(void accepted.push(delivery)),
    setAside: () => Promise.resolve(),
    onError: () => undefined,
  });
  const next = createSpool({
    dir,
    limitBytes: MIB * 64,
    onBody: (taken) => mover.move(taken),
    onError: () => undefined,
    onReady: () => undefined,
  });
  await next.open();
  await expect.poll(() => [accepted.length, next.stats().files], { timeout: 20_000 }).toEqual([1, 0]);
  expect(accepted[0]?.reference?.eventId).toBe(keyOfHash(sha(body)));
  await mover.close();
  await next.close();
});

it('a body of which the disk gives other bytes than it got is set aside, and no row is made of it', async () => {
  const gate = new EventEmitter();
  const ready = once(gate, 'open');
  const real = openStorage(`file:${join(await makeTempFolder(), 'there')}`);
  const world = await aWorld({ storage: { ...real, put: async (options) => (await ready, real.put(options)) } });
  // The first ones take all places, so the last one is split later.
  for (let i = 0; i < 8; i++) {
    await world.receive(audioEvent(Buffer.from(`audio ${i}`).toString('base64')));
  }
  await world.receive(audioEvent(randomBytes(2 * MIB).toString('base64'), { pad: 'x'.repeat(5000) }));
  const spool = join(world.folder, '..', 'spool');
  const rotten = join(spool, (await below(spool)).filter((name) => name.endsWith('.body')).at(-1) ?? '');
  const bytes = await readFile(rotten);
  bytes[1_000_000] = bytes[1_000_000] === 65 ? 66 : 65;
  await writeFile(rotten, bytes);
  gate.emit('open');
  await expect.poll(() => world.spool.stats(), { timeout: 20_000 }).toMatchObject({ files: 0, damagedFiles: 1 });
  expect(world.accepted).toHaveLength(8);
});

it('a mover that is closed finishes what waits, where nothing fails', async () => {
  const world = await aWorld();
  for (let i = 0; i < 20; i++) {
    await world.receive(audioEvent(Buffer.from(`audio ${i}`).toString('base64')));
  }
  await world.mover.close();
  expect([world.accepted.length, world.spool.stats().files]).toEqual([20, 0]);
});
