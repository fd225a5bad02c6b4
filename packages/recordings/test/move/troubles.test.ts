import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { makeTempFolder } from '../../../../test/support/temp-folder.ts';
import { createMover } from '../../src/move/mover.ts';
import { createTroubles } from '../../src/move/troubles.ts';
import { createSpool } from '../../src/spool/spool.ts';
import { openStorage } from '../../src/storage/open-storage.ts';
import { StorageError } from '../../src/storage/storage-error.ts';

const anAudio = (conversation: string) => {
  const data = { conversation_id: conversation, full_audio: 'AAAA' };
  return Buffer.from(JSON.stringify({ type: 'post_call_audio', event_timestamp: 1_767_225_600, data }));
};

/** A spool whose storage refuses the recordings of the conversation `poisoned`. */
async function aWorld() {
  const dir = await makeTempFolder();
  const errors: string[] = [];
  const onError = ({ message }: Error) => void errors.push(message);
  let refused = 0;
  let accepted = 0;
  const real = openStorage(`file:${join(dir, 'recordings')}`);
  const put: typeof real.put = (options) => {
    if (!options.key.includes('poisoned')) return real.put(options);
    refused += 1;
    return Promise.reject(new StorageError('refused', 'The storage takes no such key.'));
  };
  const mover = createMover({
    storage: { ...real, put },
    bodies: real,
    accept: () => Promise.resolve(void (accepted += 1)),
    setAside: (body) => spool.setAside(body),
    onError,
  });
  const spool = createSpool({
    dir: join(dir, 'spool'),
    limitBytes: 64 * 1024 * 1024,
    onBody: (body) => mover.move(body),
    onError,
    onReady: () => undefined,
  });
  await spool.open();
  onTestFinished(async () => {
    await mover.close();
    await spool.close();
  });
  async function receive(body: Buffer): Promise<void> {
    const writer = spool.begin({ isLarge: false });
    await writer.write(body);
    const sha256 = createHash('sha256').update(body).digest('hex');
    const facts = { receivedAt: 1, signedAt: 1, secretId: '0123abcd', eventId: 'an event', sha256 };
    await writer.keep({ ...facts, bytes: body.length });
  }
  return { errors, receive, refused: () => refused, accepted: () => accepted, stats: () => mover.stats() };
}

it('of a body that fails for ever is reported once, also while others get through, and each failure is counted', async () => {
  const world = await aWorld();
  await world.receive(anAudio('poisoned'));
  for (const attempt of [1, 2, 3]) {
    // oxlint-disable-next-line no-await-in-loop -- one attempt after the other
    await expect.poll(() => world.refused(), { timeout: 20_000 }).toBeGreaterThanOrEqual(attempt);
    // oxlint-disable-next-line no-await-in-loop -- as above
    await world.receive(anAudio(`good ${attempt}`));
    // oxlint-disable-next-line no-await-in-loop -- as above
    await expect.poll(() => world.accepted(), { timeout: 20_000 }).toBe(attempt);
  }
  expect(world.errors).toEqual(['A body waits in the spool and is tried again: The storage takes no such key.']);
  await expect.poll(() => world.stats().failures, { timeout: 20_000 }).toBeGreaterThanOrEqual(3);
}, 60_000);

it('is reported again when it changes, and when it comes back after its end', () => {
  const reported: string[] = [];
  const troubles = createTroubles((reason) => reported.push(reason));
  const met = (path: string, reason: string) => troubles.met(path, new Error(reason));
  for (const path of ['one', 'two', 'one', 'two']) met(path, 'away');
  expect(reported).toEqual(['away']);
  met('one', 'full');
  met('one', 'away');
  // The second body has it still.
  expect(reported).toEqual(['away', 'full']);
  troubles.over('one');
  troubles.over('two');
  troubles.over('never met');
  met('three', 'away');
  expect(reported).toEqual(['away', 'full', 'away']);
});
