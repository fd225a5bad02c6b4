import { readFile, utimes, writeFile } from 'node:fs/promises';
import { describe, expect, it, vi } from 'vitest';
import { createClock } from '../src/clock.ts';
import { aClock } from './support/a-clock.ts';
import { aJournal, drain, event, leftBehind, MEBIBYTE, segmentFiles, type TestJournal } from './support/a-journal.ts';

const HOUR_MS = 3_600_000;

/** Appends an event for each body, with a second between them; Redis has all of them. */
async function enqueue(journal: TestJournal, clock: ReturnType<typeof aClock>, bodies: string[]): Promise<void> {
  for (const body of bodies) {
    clock.pass(1000);
    // oxlint-disable-next-line no-await-in-loop -- one after the other
    (await journal.append([event(body)])).enqueued();
  }
}

describe('the clock of a process', () => {
  it('never goes back, and goes on at its own pace when the system is set back', () => {
    const { options, pass, set } = aClock();
    const clock = createClock({ wall: options.now, elapsed: options.elapsed });
    const start = clock.now();
    pass(500);
    set(-HOUR_MS);
    expect([clock.now() - start, clock.lead()]).toEqual([500, HOUR_MS]);
    pass(250);
    expect(clock.now() - start).toBe(750);
    set(2 * HOUR_MS);
    expect([clock.now() - start, clock.lead()]).toEqual([HOUR_MS + 750, 0]);
  });

  it('loses no part of a millisecond, however often it is asked', () => {
    let elapsed = 0;
    const clock = createClock({ wall: () => 1000, elapsed: () => elapsed });
    for (; elapsed < 100; elapsed += 0.1) clock.now();
    expect(clock.now()).toBe(1100);
  });
});

describe.each([
  ['back', -5 * HOUR_MS],
  ['ahead', 5 * HOUR_MS],
])('a clock that is set %s by hours', (_name, step) => {
  it('hides nothing that was journalled, from a process that runs on', async () => {
    const clock = aClock();
    const journal = await aJournal(clock.options);
    await enqueue(journal, clock, ['before']);
    const beat = journal.now();
    clock.set(step);
    await enqueue(journal, clock, ['after', 'later']);
    await journal.redo(beat);
    expect(await drain(journal)).toEqual(['before', 'after', 'later']);
  });

  it('hides nothing that was enqueued after the fact', async () => {
    const clock = aClock();
    const journal = await aJournal(clock.options);
    (await journal.append([event('late')])).failed();
    clock.pass(60_000);
    const beat = journal.now();
    clock.set(step);
    clock.pass(1000);
    expect(await drain(journal)).toEqual(['late']);
    await journal.redo(beat);
    expect(await drain(journal)).toEqual(['late']);
  });

  it('hides nothing from the process that takes over', async () => {
    const clock = aClock();
    const journal = await aJournal(clock.options);
    journal.keepNote('beat');
    await enqueue(journal, clock, ['before']);
    clock.pass(60_000);
    const beat = journal.now();
    clock.set(step);
    await enqueue(journal, clock, ['after', 'later']);
    // Marks and notes are written.
    await journal.redo(Infinity);
    const heir = await aJournal({ dir: await leftBehind(journal.dir), ...clock.options });
    const owner = heir.inherited().find(({ note }) => note === 'beat')?.owner;
    await heir.redo(beat, owner);
    expect(await drain(heir)).toEqual(expect.arrayContaining(['after', 'later']));
  });

  it('does not delay a take-over', async () => {
    const clock = aClock();
    const gone = await aJournal(clock.options);
    const journal = await aJournal({ dir: gone.dir, ...clock.options });
    (await gone.append([event('left')])).failed();
    clock.set(step);
    await gone.close();
    clock.pass(10_000);
    await expect.poll(() => drain(journal), { timeout: 20_000 }).toEqual(['left']);
  });

  it('removes nothing before its time, and keeps nothing beyond it', async () => {
    const clock = aClock();
    const journal = await aJournal({ retentionHours: 1, ...clock.options });
    await enqueue(journal, clock, ['kept']);
    const [first = ''] = await segmentFiles(journal.dir);
    clock.set(step);
    clock.pass(30 * 60_000);
    // No record is that young, so these redo none. They only wait for a tick.
    await journal.redo(Infinity);
    await journal.redo(Infinity);
    expect(await segmentFiles(journal.dir)).toContain(first);
    clock.pass(31 * 60_000);
    await vi.waitUntil(async () => !(await segmentFiles(journal.dir)).includes(first), { timeout: 20_000 });
  });
});

it('what others have written by a clock behind ours is not hidden by ours', async () => {
  const theirs = aClock();
  const gone = await aJournal(theirs.options);
  await enqueue(gone, theirs, ['theirs']);
  await gone.close();
  const ours = aClock();
  const journal = await aJournal({ dir: gone.dir, ...ours.options });
  ours.set(5 * HOUR_MS);
  journal.now();
  ours.set(-5 * HOUR_MS);
  const beat = journal.now();
  await enqueue(journal, ours, ['ours']);
  await journal.redo(beat - 60_000);
  expect((await drain(journal)).sort()).toEqual(['ours', 'theirs']);
});

it('a file that is older than its own name counts as new where its mark does not say when it was written to', async () => {
  const clock = aClock();
  const journal = await aJournal({ limitBytes: 1024 * MEBIBYTE, ...clock.options });
  await enqueue(journal, clock, ['first', 'second']);
  await journal.close();
  const [path = ''] = await segmentFiles(journal.dir);
  const before = new Date(clock.options.now() - 5 * HOUR_MS);
  await utimes(path, before, before);
  const [mark, rest] = [`${path}.mark`, JSON.parse(await readFile(`${path}.mark`, 'utf8'))];
  await writeFile(mark, JSON.stringify({ ...rest, lastAt: undefined, crc: undefined }));
  const heir = await aJournal({ dir: journal.dir, ...clock.options });
  await heir.redo(journal.now() + HOUR_MS);
  expect(await drain(heir)).toEqual(['first', 'second']);
});
