import { createHash } from 'node:crypto';
import { open, unlink } from 'node:fs/promises';
import { join } from 'node:path';
import type { Delivery } from '@landline/webhook/delivery';
import { expect, it, onTestFinished } from 'vitest';
import { makeTempFolder } from '../../../../test/support/temp-folder.ts';
import { createMover } from '../../src/move/mover.ts';
import { createSpool, type Spool } from '../../src/spool/spool.ts';
import type { SpooledBody } from '../../src/spool/spooled-body.ts';
import { openStorage } from '../../src/storage/open-storage.ts';
import { StorageError } from '../../src/storage/storage-error.ts';
import { liveBytes } from '../storage/support/live-memory.ts';

const MIB = 1024 * 1024;

interface World {
  spool: Spool;
  bodies: SpooledBody[];
  /** The paths of those that were split, or are being split. */
  read: Set<string>;
  accepted: Delivery[];
  errors: string[];
  /** Has the storage be back. */
  comeBack: () => void;
  receive: (body: string) => Promise<void>;
}

/** A spool and a mover whose storage is away. */
async function aWorld(): Promise<World> {
  const dir = await makeTempFolder();
  const [bodies, accepted, errors]: [SpooledBody[], Delivery[], string[]] = [[], [], []];
  const real = openStorage(`file:${join(dir, 'recordings')}`);
  const read = new Set<string>();
  let isAway = true;
  const put: typeof real.put = (options) =>
    isAway ? Promise.reject(new StorageError('unavailable', 'The storage is away.')) : real.put(options);
  const storage = { ...real, put };
  const onError = ({ message }: Error) => void errors.push(message);
  const spool = createSpool({
    dir: join(dir, 'spool'),
    limitBytes: 1024 * MIB,
    onBody(body) {
      bodies.push(body);
      mover.move({ ...body, read: (from, to) => (read.add(body.path), body.read(from, to)) });
    },
    onError,
    onReady: () => undefined,
  });
  const mover = createMover({
    storage,
    bodies: storage,
    accept: (delivery) => Promise.resolve(void accepted.push(delivery)),
    setAside: (body) => spool.setAside(body),
    onError,
  });
  await spool.open();
  onTestFinished(async () => {
    await mover.close();
    await spool.close();
  });
  return {
    spool,
    bodies,
    read,
    accepted,
    errors,
    comeBack: () => (isAway = false),
    receive: (body) => receive(spool, body),
  };
}

async function receive(spool: Spool, text: string): Promise<void> {
  const body = Buffer.from(text);
  const sha256 = createHash('sha256').update(body).digest('hex');
  const writer = spool.begin({ isLarge: true });
  await writer.write(body);
  await writer.keep({
    receivedAt: 1,
    signedAt: 1,
    secretId: '0123abcd',
    eventId: 'an event',
    sha256,
    bytes: body.length,
  });
}

const anAudio = (text: string, rest: object = {}) =>
  JSON.stringify({ type: 'post_call_audio', event_timestamp: 1_767_225_600, data: { full_audio: text }, ...rest });
const isTried = (world: World) => expect.poll(() => world.errors, { timeout: 20_000 }).toHaveLength(1);

it('a body whose file is gone is reported, forgotten, and not tried again', async () => {
  const world = await aWorld();
  await world.receive(anAudio('AAAA'));
  await isTried(world);
  await unlink(world.bodies[0]?.path ?? '');
  const stats = () => world.spool.stats();
  await expect.poll(stats, { timeout: 20_000 }).toMatchObject({ files: 0, bytes: 0, damagedFiles: 0 });
  expect(world.errors.at(-1)).toMatch(/\(event an event\) is gone/);
});

it('a body of which the disk gives other bytes is set aside, where the storage finds that out', async () => {
  const world = await aWorld();
  // It is no base64, so the whole body is kept.
  await world.receive(anAudio('!'.repeat(MIB)));
  await isTried(world);
  const file = await open(world.bodies[0]?.path ?? '', 'r+');
  await file.write('?', 500_000);
  await file.close();
  world.comeBack();
  await expect.poll(() => world.spool.stats(), { timeout: 20_000 }).toMatchObject({ files: 0, damagedFiles: 1 });
  expect(world.errors.at(-1)).toContain('is damaged');
});

it('bodies that wait for the storage hold no memory, and all are moved once it is back', async () => {
  const world = await aWorld();
  const text = 'y'.repeat(2 * MIB);
  const before = liveBytes();
  for (let i = 0; i < 24; i++) {
    // oxlint-disable-next-line no-await-in-loop -- one after the other
    await world.receive(anAudio('AAAA', { event_id: `e${i}`, text }));
  }
  await isTried(world);
  await expect.poll(() => world.read.size, { timeout: 20_000 }).toBe(24);
  await expect.poll(() => liveBytes() - before, { timeout: 20_000 }).toBeLessThan(24 * MIB);
  world.comeBack();
  await expect.poll(() => [world.accepted.length, world.spool.stats().files], { timeout: 30_000 }).toEqual([24, 0]);
}, 60_000);
