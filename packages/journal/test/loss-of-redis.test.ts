import { describe, expect, it, vi } from 'vitest';
import { aClock } from './support/a-clock.ts';
import { aJournal, drain, event, MEBIBYTE, pendingIn } from './support/a-journal.ts';

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
    await vi.waitUntil(async () => (await pendingIn(journal.dir)).length === 0, { timeout: 20_000 });
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
