import { readdir, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it, vi } from 'vitest';
import { HOSTILE_BODIES } from '../../queue/test/support/hostile-bodies.ts';
import { makeTempFolder } from '../../../test/support/temp-folder.ts';
import { JournalUnavailableError } from '../src/errors.ts';
import { aClock } from './support/a-clock.ts';
import {
  aJournal,
  drain,
  drainEvents,
  event,
  leftBehind,
  MEBIBYTE,
  pendingIn,
  segmentFiles,
} from './support/a-journal.ts';

describe('a group', () => {
  it.each(HOSTILE_BODIES)('comes back as it was: %s', async (_name, body) => {
    const journal = await aJournal();
    const fields = { receivedAt: 1_767_225_600_123, signedAt: 1_767_225_600, secretId: 'ab12', added: { later: [1] } };
    const bytes = { ...fields, encoding: 'base64' as const, body: Buffer.from(body).toString('base64') };
    (await journal.append([event(body, fields), bytes])).failed();
    expect(await drainEvents(journal)).toEqual([event(body, fields), bytes]);
  });

  it('comes back with the reference of a large body, in the next process as well', async () => {
    const journal = await aJournal();
    const recording = { at: 7, bytes: 3, sha256: 'ab', contentType: 'audio/mpeg', url: null, storedAt: null, later: 1 };
    const reference = { eventId: 'some-uuid', bytes: 4, recording, bodyUrl: 'file:/é', later: { field: [1] } };
    const events = [{ ...event('envelope'), reference }, event('whole')];
    (await journal.append(events)).failed();
    expect(await drainEvents(await aJournal({ dir: await leftBehind(journal.dir) }))).toEqual(events);
  });

  it('is pending until Redis has it, also where its process dies', async () => {
    const journal = await aJournal();
    const [enqueued, failed] = [await journal.append([event('enqueued')]), await journal.append([event('failed')])];
    await journal.append([event('unknown')]);
    enqueued.enqueued();
    failed.failed();
    // The journal writes its marks each second.
    await vi.waitUntil(async () => !(await pendingIn(journal.dir)).includes('enqueued'), { timeout: 20_000 });
    expect(await pendingIn(journal.dir)).toEqual(['failed', 'unknown']);
    expect(await drain(journal)).toEqual(['failed']);
    await journal.close();
    expect(await pendingIn(journal.dir)).toEqual(['unknown']);
  });

  it('is enqueued oldest first, as many together as fit, across files', async () => {
    const journal = await aJournal({ limitBytes: MEBIBYTE });
    const bodies = Array.from({ length: 50 }, (_, i) => `${i}:${'x'.repeat(10_000)}`);
    for (const body of bodies) (await journal.append([event(body)])).failed();
    expect((await segmentFiles(journal.dir)).length).toBeGreaterThan(2);
    const group = await journal.takePending({ maxEvents: 3, maxBytes: MEBIBYTE });
    expect([group?.events.map(({ body }) => body), group?.records]).toEqual([bodies.slice(0, 3), 3]);
    // The caller that failed to enqueue it is the next to try.
    group?.failed();
    expect(await drain(journal, { maxBytes: 25_000 })).toEqual(bodies);
    expect(await drain(journal)).toEqual([]);
    expect(journal.stats()).toMatchObject({ status: 'ready', pendingRecords: 0, pendingBytes: 0 });
  });

  it('that is larger than what is taken at once is taken alone', async () => {
    const journal = await aJournal();
    (await journal.append(Array.from({ length: 5 }, (_, i) => event(`${i}`)))).failed();
    const group = await journal.takePending({ maxEvents: 2, maxBytes: 1 });
    expect(group?.events).toHaveLength(5);
  });

  it('of thousands at once is written, each once and in order', async () => {
    const journal = await aJournal();
    const bodies = Array.from({ length: 3000 }, (_, i) => `${i}`);
    const entries = await Promise.all(bodies.map((body) => journal.append([event(body)])));
    entries.forEach((entry) => entry.failed());
    expect(journal.stats().pendingRecords).toBe(3000);
    expect(await drain(journal)).toEqual(bodies);
  });
});

describe('what bounds it', () => {
  const BODY = 'x'.repeat(50_000);

  it('removes the oldest that Redis has, never what it has not; then it is full, until Redis takes something', async () => {
    const journal = await aJournal({ limitBytes: MEBIBYTE });
    for (let i = 0; i < 60; i++) (await journal.append([event(`${i}${BODY}`)])).enqueued();
    expect(journal.stats().bytes).toBeLessThanOrEqual(MEBIBYTE);
    const entries = [];
    let refusal: unknown;
    for (let i = 0; i < 60 && refusal === undefined; i++) {
      try {
        entries.push(await journal.append([event(`${i}`.padEnd(50_000, 'y'))]));
      } catch (error) {
        refusal = error;
      }
    }
    expect(refusal).toBeInstanceOf(JournalUnavailableError);
    expect(refusal).toMatchObject({
      code: 'journal_unavailable',
      message: expect.stringContaining('JOURNAL_LIMIT_BYTES'),
    });
    expect(journal.status()).toBe('full');
    expect(entries.length).toBeGreaterThan(10);
    entries.forEach((entry) => entry.failed());
    // Nothing that Redis lacks was removed for room.
    expect(await drain(journal)).toHaveLength(entries.length);
    await expect(journal.append([event(BODY)])).resolves.toBeDefined();
    expect(journal.status()).toBe('ready');
  });

  it('removes what Redis has after its time, and keeps what it has not', async () => {
    const clock = aClock();
    const journal = await aJournal({ retentionHours: 1, ...clock.options });
    (await journal.append([event('enqueued')])).enqueued();
    const [first = ''] = await segmentFiles(journal.dir);
    clock.pass(20 * 60_000);
    // No record is that young, so this redoes none. It waits until another file has been begun.
    await journal.redo(Infinity);
    expect(await segmentFiles(journal.dir)).toHaveLength(2);
    (await journal.append([event('pending')])).failed();
    clock.pass(24 * 3_600_000);
    await vi.waitUntil(async () => !(await segmentFiles(journal.dir)).includes(first), { timeout: 20_000 });
    await journal.redo(0);
    expect(await drain(journal)).toEqual(['pending']);
  });

  it('begins no file while it is being closed', async () => {
    for (let i = 0; i < 10; i++) {
      const journal = await aJournal({ limitBytes: MEBIBYTE });
      // The group fills a file. The next file is begun at once, and no caller waits for it.
      (await journal.append([event('x'.repeat(200_000))])).failed();
      await journal.close();
      const [folder = ''] = await readdir(journal.dir);
      const before = await readdir(join(journal.dir, folder));
      // One write later.
      await writeFile(join(journal.dir, 'later'), 'x', { flush: true });
      expect(await readdir(join(journal.dir, folder))).toEqual(before);
      expect(before.filter((name) => name.endsWith('.log'))).toHaveLength(1);
    }
  });

  it('leaves no file behind where nothing was written', async () => {
    const journal = await aJournal();
    await journal.close();
    expect(await readdir(journal.dir)).toEqual([]);
  });
});

describe('a disk that fails', () => {
  it('is reported with its reason, refuses groups, and is tried again', async () => {
    const folder = await makeTempFolder();
    const dir = join(folder, 'journal');
    await writeFile(dir, 'in the way');
    const journal = await aJournal({ dir });
    expect([journal.status(), journal.errors.length, journal.errors[0]]).toEqual([
      'failed',
      1,
      expect.stringContaining(dir),
    ]);
    await expect(journal.append([event('1')])).rejects.toBeInstanceOf(JournalUnavailableError);
    await rm(dir);
    await vi.waitUntil(() => journal.status() === 'ready', { timeout: 20_000 });
    expect([journal.returns(), journal.errors.length]).toEqual([1, 1]);
    (await journal.append([event('2')])).failed();
    expect(await drain(journal)).toEqual(['2']);
  });

  it('whose folder is taken away goes on in a new one, and what was open is not lost', async () => {
    const journal = await aJournal();
    (await journal.append([event('before')])).failed();
    await rename(journal.dir, `${journal.dir}-taken-away`);
    await vi.waitUntil(() => journal.errors.length > 0, { timeout: 20_000 });
    await vi.waitUntil(() => journal.status() === 'ready', { timeout: 20_000 });
    (await journal.append([event('after')])).failed();
    expect(await drain(journal)).toEqual(['before', 'after']);
  });
});

it('a folder that is taken away and comes back is used again', async () => {
  const journal = await aJournal();
  (await journal.append([event('before')])).failed();
  await rename(journal.dir, `${journal.dir}-taken-away`);
  await vi.waitUntil(() => journal.errors.length > 0, { timeout: 20_000 });
  await rm(journal.dir, { recursive: true, force: true });
  await rename(`${journal.dir}-taken-away`, journal.dir);
  await vi.waitUntil(() => journal.status() === 'ready', { timeout: 20_000 });
  (await journal.append([event('after')])).failed();
  expect(await drain(journal)).toEqual(expect.arrayContaining(['before', 'after']));
});
