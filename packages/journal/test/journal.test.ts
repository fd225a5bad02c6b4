import { cp, readdir, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { HOSTILE_BODIES } from '../../queue/test/support/hostile-bodies.ts';
import { makeTempFolder } from '../../../test/support/temp-folder.ts';
import { JournalUnavailableError } from '../src/errors.ts';
import { createJournal } from '../src/journal.ts';
import { aClock } from './support/a-clock.ts';
import { aJournal, drain, drainEvents, event, leftBehind, MEBIBYTE, segmentFiles } from './support/a-journal.ts';

describe('a group', () => {
  it.each(HOSTILE_BODIES)('comes back as it was: %s', async (_name, body) => {
    const journal = await aJournal();
    const fields = { receivedAt: 1_767_225_600_123, secretId: 'ab12', added: { later: [1] } };
    const bytes = { ...fields, encoding: 'base64' as const, body: Buffer.from(body).toString('base64') };
    (await journal.append([event(body, fields), bytes])).failed();
    expect(await drainEvents(journal)).toEqual([event(body, fields), bytes]);
  });

  it('is nothing to enqueue once Redis has it, and is until then, whatever becomes of the process', async () => {
    const journal = await aJournal();
    const [enqueued, failed] = [await journal.append([event('enqueued')]), await journal.append([event('failed')])];
    await journal.append([event('unknown')]);
    enqueued.enqueued();
    failed.failed();
    // What is known is written down each second.
    await vi.waitUntil(async () => !(await pendingIn(journal.dir)).includes('enqueued'), { timeout: 10_000 });
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
    // Whoever failed to enqueue it is the next to try.
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

describe('processes that share the folder', () => {
  it('never share a file, nor take what another that lives has', async () => {
    const first = await aJournal();
    const second = await aJournal({ dir: first.dir });
    (await first.append([event('first')])).failed();
    (await second.append([event('second')])).failed();
    expect([await drain(first), await drain(second)]).toEqual([['first'], ['second']]);
    expect(await segmentFiles(first.dir)).toHaveLength(2);
  });

  it('take over what one that is gone has left, once', async () => {
    const gone = await aJournal();
    gone.keepNote({ beat: 1 });
    (await gone.append([event('left')])).failed();
    await gone.close();
    const heirs = await Promise.all([aJournal({ dir: gone.dir }), aJournal({ dir: gone.dir })]);
    expect((await Promise.all(heirs.map((heir) => drain(heir)))).flat()).toEqual(['left']);
    const notes = heirs.flatMap((heir) => heir.inherited().map(({ note }) => note));
    expect(notes).toContainEqual({ beat: 1 });
  });

  it('pass on what they have taken over, until somebody says that it is done', async () => {
    const first = await aJournal();
    first.keepNote('first');
    await first.append([event('1')]);
    await first.close();
    const second = await aJournal({ dir: first.dir });
    second.keepNote('second');
    await second.close();
    const third = await aJournal({ dir: first.dir });
    expect(third.inherited().map(({ note }) => note)).toEqual(['second', 'first']);
    for (const note of third.inherited()) third.forget(note);
    expect(await drain(third)).toEqual(['1']);
    await third.close();
    const last = await aJournal({ dir: first.dir });
    expect(last.inherited().map(({ note }) => note)).toEqual([undefined]);
  });

  it('pass a note on only with all that it is about', async () => {
    const gone = await aJournal();
    gone.keepNote('lost');
    for (let i = 0; i < 20; i++) (await gone.append([event(`${i}`)])).enqueued();
    await gone.close();
    const heir = createJournal({ dir: gone.dir, limitBytes: MEBIBYTE, retentionHours: 24 });
    onTestFinished(() => heir.close());
    const opening = heir.open();
    await vi.waitUntil(() => heir.inherited().length > 0, { timeout: 10_000, interval: 1 });
    await heir.redo(0);
    expect(await drain(heir)).toHaveLength(20);
    await opening;
  });

  it('redo what one of them enqueued, and nothing of the others', async () => {
    const [first, second] = [await aJournal(), await aJournal()];
    first.keepNote('first');
    for (const [journal, body] of [
      [first, 'a'],
      [second, 'b'],
    ] as const) {
      (await journal.append([event(body)])).enqueued();
      await journal.close();
    }
    await cp(second.dir, first.dir, { recursive: true, filter: (path) => !path.endsWith('/lock') });
    const heir = await aJournal({ dir: first.dir });
    const owner = heir.inherited().find(({ note }) => note === 'first')?.owner;
    await heir.redo(0, owner);
    expect(await drain(heir)).toEqual(['a']);
    // What an heir enqueued is known to whoever comes next, by the heir's name.
    heir.keepNote('heir');
    await heir.close();
    const next = await aJournal({ dir: first.dir });
    await next.redo(0, next.inherited().find(({ note }) => note === 'heir')?.owner);
    expect((await drain(next)).sort()).toEqual(['a', 'b']);
  });

  it('are told apart by whether they live, not by what their folder says', async () => {
    const journal = await aJournal();
    (await journal.append([event('killed')])).failed();
    // A second later its process is killed and another starts.
    expect(await pendingIn(journal.dir)).toEqual(['killed']);
    expect(await drain(await aJournal({ dir: journal.dir }))).toEqual([]);
  });
});

describe('a loss of Redis', () => {
  it('makes what was enqueued since then pending again, and nothing before', async () => {
    let now = 1_767_225_600_000;
    const journal = await aJournal({ now: () => now, elapsed: () => now });
    for (const body of ['a', 'b', 'c', 'd']) {
      (await journal.append([event(body)])).enqueued();
      now += 2000;
    }
    await journal.redo(now - 4000);
    expect(await drain(journal)).toEqual(['c', 'd']);
  });

  it('counts from when a group was enqueued, not from when it came', async () => {
    let now = 1_767_225_600_000;
    const journal = await aJournal({ now: () => now, elapsed: () => now });
    (await journal.append([event('late')])).failed();
    now += 60_000;
    expect(await drain(journal)).toEqual(['late']);
    await journal.redo(now - 1000);
    expect(await drain(journal)).toEqual(['late']);
    now += 60_000;
    await journal.redo(now - 1000);
    expect(await drain(journal)).toEqual([]);
  });

  it('counts for each group by itself, also where several were enqueued in one second', async () => {
    const clock = aClock();
    const journal = await aJournal(clock.options);
    for (const body of ['first', 'second']) (await journal.append([event(body)])).failed();
    clock.pass(60_000);
    const first = await journal.takePending({ maxEvents: 1, maxBytes: MEBIBYTE });
    first?.enqueued();
    clock.pass(600);
    const beat = journal.now();
    const second = await journal.takePending({ maxEvents: 1, maxBytes: MEBIBYTE });
    second?.enqueued();
    await journal.redo(beat);
    expect(await drain(journal)).toContain('second');
  });

  it('is written down before it is said to be: a process that is killed then passes it on', async () => {
    const journal = await aJournal();
    (await journal.append([event('lost')])).enqueued();
    await vi.waitUntil(async () => (await pendingIn(journal.dir)).length === 0, { timeout: 10_000 });
    await journal.redo(0);
    expect(await pendingIn(journal.dir)).toEqual(['lost']);
  });

  it('while something is being read does not make it go missing', async () => {
    const journal = await aJournal();
    (await journal.append([event('enqueued')])).enqueued();
    (await journal.append([event('pending')])).failed();
    const taking = journal.takePending({ maxEvents: 100, maxBytes: MEBIBYTE });
    const redone = journal.redo(0);
    (await taking)?.enqueued();
    await redone;
    expect(await drain(journal)).toContain('enqueued');
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
    // Nothing is that young: this only waits until another file has been begun.
    await journal.redo(Infinity);
    expect(await segmentFiles(journal.dir)).toHaveLength(2);
    (await journal.append([event('pending')])).failed();
    clock.pass(24 * 3_600_000);
    await vi.waitUntil(async () => !(await segmentFiles(journal.dir)).includes(first), { timeout: 10_000 });
    await journal.redo(0);
    expect(await drain(journal)).toEqual(['pending']);
  });

  it('begins no file while it is being closed', async () => {
    for (let i = 0; i < 10; i++) {
      const journal = await aJournal({ limitBytes: MEBIBYTE });
      // It fills a file: the next is begun at once, and nobody waits for that.
      (await journal.append([event('x'.repeat(200_000))])).failed();
      await journal.close();
      const [folder = ''] = await readdir(journal.dir);
      const before = await readdir(join(journal.dir, folder));
      // A turn of the disk later.
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
  it('is told with its reason, refuses groups, and is tried again', async () => {
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
    await vi.waitUntil(() => journal.status() === 'ready', { timeout: 10_000 });
    expect([journal.returns(), journal.errors.length]).toEqual([1, 1]);
    (await journal.append([event('2')])).failed();
    expect(await drain(journal)).toEqual(['2']);
  });

  it('whose folder is taken away goes on in a new one, and what was open is not lost', async () => {
    const journal = await aJournal();
    (await journal.append([event('before')])).failed();
    await rename(journal.dir, `${journal.dir}-taken-away`);
    await vi.waitUntil(() => journal.errors.length > 0, { timeout: 10_000 });
    await vi.waitUntil(() => journal.status() === 'ready', { timeout: 10_000 });
    (await journal.append([event('after')])).failed();
    expect(await drain(journal)).toEqual(['before', 'after']);
  });
});

it('a folder that is taken away and comes back is used again', async () => {
  const journal = await aJournal();
  (await journal.append([event('before')])).failed();
  await rename(journal.dir, `${journal.dir}-taken-away`);
  await vi.waitUntil(() => journal.errors.length > 0, { timeout: 10_000 });
  await rm(journal.dir, { recursive: true, force: true });
  await rename(`${journal.dir}-taken-away`, journal.dir);
  await vi.waitUntil(() => journal.status() === 'ready', { timeout: 10_000 });
  (await journal.append([event('after')])).failed();
  expect(await drain(journal)).toEqual(expect.arrayContaining(['before', 'after']));
});

async function pendingIn(dir: string): Promise<string[]> {
  return drain(await aJournal({ dir: await leftBehind(dir) }));
}
