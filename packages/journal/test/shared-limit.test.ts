import { readdir, stat } from 'node:fs/promises';
import { connect } from 'node:net';
import { join } from 'node:path';
import { describe, expect, it, vi } from 'vitest';
import { aJournal, drain, event, MEBIBYTE, type TestJournal } from './support/a-journal.ts';

const BODY = 'x'.repeat(20_000);

/** The size of all files in the folder. Marks come and go meanwhile. */
async function bytesIn(dir: string): Promise<number> {
  const names = await readdir(dir, { recursive: true });
  const found = await Promise.all(names.map((name) => stat(join(dir, name)).catch(() => undefined)));
  return found.reduce((sum, each) => sum + (each?.isFile() === true ? each.size : 0), 0);
}

async function enqueue(journal: TestJournal, count: number): Promise<void> {
  // oxlint-disable-next-line no-await-in-loop -- one after the other
  for (let i = 0; i < count; i++) (await journal.append([event(`${i}${BODY}`)])).enqueued();
}

/** How long another process has to make room, in ms: then it is no longer waited for. */
const ANSWER_MS = 1000;

interface Kept {
  kept: number;
  /** Whether the last event was refused after so long a wait. */
  isLate: boolean;
}

/** Journals events that Redis does not take, until one is refused. */
async function keepOrTell(journal: TestJournal, count: number): Promise<Kept> {
  for (let i = 0; i < count; i++) {
    const askedAt = performance.now();
    try {
      // oxlint-disable-next-line no-await-in-loop -- one after the other
      (await journal.append([event(`${i} ${BODY}`)])).failed();
    } catch {
      return { kept: i, isLate: performance.now() - askedAt >= ANSWER_MS };
    }
  }
  return { kept: count, isLate: false };
}

/** Journals events that Redis does not take. Returns how many the journal took. */
const keep = async (journal: TestJournal, count: number) => (await keepOrTell(journal, count)).kept;

/** Plays it again, in another folder, only where another process had no answer in time: the disk was busy. */
const unlessLate = <T extends Kept>(play: () => Promise<T>): Promise<T> =>
  vi.waitUntil(
    async () => {
      const played = await play();
      return !played.isLate && played;
    },
    { timeout: 60_000 },
  );

describe('processes that share the limit', () => {
  it('a new one has room at once, though another has filled the folder with what Redis has', async () => {
    const { old, added, kept } = await unlessLate(async () => {
      const first = await aJournal({ limitBytes: MEBIBYTE });
      await enqueue(first, 100);
      const second = await aJournal({ dir: first.dir, limitBytes: MEBIBYTE });
      return { old: first, added: second, ...(await keepOrTell(second, 40)) };
    });
    expect(kept).toBe(40);
    expect([old.status(), added.status()]).toEqual(['ready', 'ready']);
    expect(await drain(added)).toHaveLength(40);
    expect(await bytesIn(old.dir)).toBeLessThanOrEqual(MEBIBYTE);
  });

  it('what Redis lacks stays, whichever of them has it; then both are full', async () => {
    const first = await aJournal({ limitBytes: MEBIBYTE });
    await enqueue(first, 20);
    const kept = await keep(first, 20);
    const second = await aJournal({ dir: first.dir, limitBytes: MEBIBYTE });
    const took = await keep(second, 100);
    expect([kept, took > 10, took < 100]).toEqual([20, true, true]);
    // The process measures the others' files each second.
    let more = 0;
    await vi.waitUntil(
      async () => {
        const added = await keep(first, 1);
        more += added;
        return added === 0;
      },
      { timeout: 20_000, interval: 300 },
    );
    expect(first.status()).toBe('full');
    expect([(await drain(first)).length, (await drain(second)).length]).toEqual([kept + more, took]);
  });

  it('each leaves a tenth of the folder to the others, so that none has to ask', async () => {
    const journal = await aJournal({ limitBytes: MEBIBYTE });
    await enqueue(journal, 200);
    await expect.poll(() => bytesIn(journal.dir), { timeout: 20_000 }).toBeLessThanOrEqual(MEBIBYTE * 0.9);
  });

  it('ten of them, each with what Redis has in the file that it writes to, leave room for another', async () => {
    const { kept } = await unlessLate(async () => {
      const first = await aJournal({ limitBytes: MEBIBYTE });
      const another = () => aJournal({ dir: first.dir, limitBytes: MEBIBYTE });
      const all = [first];
      // oxlint-disable-next-line no-await-in-loop -- one after the other
      while (all.length < 10) all.push(await another());
      await Promise.all(all.map((journal) => enqueue(journal, 5)));
      return keepOrTell(await another(), 30);
    });
    expect(kept).toBe(30);
  });

  it('a connection that sends anything else is closed, and so is one that sends nothing', async () => {
    const journal = await aJournal();
    const [folder = ''] = await readdir(journal.dir);
    for (const said of ['room\n', 'room 99999999999999999999999999999999\n', '']) {
      const socket = connect(join(journal.dir, folder, 'lock'));
      if (said !== '') socket.write(said);
      // oxlint-disable-next-line no-await-in-loop -- one after the other
      await new Promise((closed) => socket.once('close', closed).on('error', () => {}));
    }
    (await journal.append([event('still')])).failed();
    expect(await drain(journal)).toEqual(['still']);
  });
});

describe('the limit', () => {
  it('counts what is under way and what is kept beside the bodies', async () => {
    const journal = await aJournal({ limitBytes: MEBIBYTE });
    const fields = { secretId: 'f'.repeat(20_000) };
    const appended = Array.from({ length: 200 }, (_, i) => journal.append([event(`${i}`, fields)]));
    const outcomes = await Promise.allSettled(appended);
    const taken = outcomes.filter(({ status }) => status === 'fulfilled').length;
    expect([taken > 20, taken < 200]).toEqual([true, true]);
    expect(await bytesIn(journal.dir)).toBeLessThanOrEqual(MEBIBYTE);
  });
});
