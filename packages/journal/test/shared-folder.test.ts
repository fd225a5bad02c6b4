import { cp } from 'node:fs/promises';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { createJournal } from '../src/journal.ts';
import { aJournal, drain, event, MEBIBYTE, pendingIn, segmentFiles } from './support/a-journal.ts';

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

  it('pass on what they have taken over, until it is forgotten', async () => {
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
    await vi.waitUntil(() => heir.inherited().length > 0, { timeout: 20_000, interval: 1 });
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
    // The next process knows by the heir's name which parts the heir enqueued.
    heir.keepNote('heir');
    await heir.close();
    const next = await aJournal({ dir: first.dir });
    await next.redo(0, next.inherited().find(({ note }) => note === 'heir')?.owner);
    expect((await drain(next)).sort()).toEqual(['a', 'b']);
  });

  it('are distinguished by whether they live, not by the content of their folder', async () => {
    const journal = await aJournal();
    (await journal.append([event('killed')])).failed();
    // A second later its process is killed and another starts.
    expect(await pendingIn(journal.dir)).toEqual(['killed']);
    expect(await drain(await aJournal({ dir: journal.dir }))).toEqual([]);
  });
});
