import { setImmediate as turn } from 'node:timers/promises';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { QueueUnavailableError } from '@landline/queue';
import { createGroupCommit, MAX_PENDING_BYTES } from '../src/group-commit.ts';
import { MAX_WRITES_IN_FLIGHT } from '../src/lane.ts';
import type { Delivery } from '@landline/webhook';
import { unpackEvents, type PackedEvents } from '@landline/webhook/packed-events';
import { anEvent } from '../../queue/test/support/an-event.ts';

interface Write {
  bodies: string[];
  done: () => void;
  fail: (error: QueueUnavailableError) => void;
}

/** A group commit whose writes the test ends by hand. */
function byHand({ maxEvents = 100, maxBytes = 1024, timeoutMs = 20_000 } = {}) {
  const writes: Write[] = [];
  const add = (events: readonly Delivery[]) =>
    new Promise<void>((done, fail) => writes.push({ bodies: events.map((event) => event.body), done, fail }));
  const redis = { add, fault: () => undefined };
  const largeBytes = 1024 * 1024;
  const groups = createGroupCommit({
    redis,
    onJournalAlone: () => undefined,
    maxEvents,
    maxBytes,
    largeBytes,
    timeoutMs,
  });
  return { groups, writes, add: (body: string) => outcome(groups.add(anEvent(body))) };
}

/** Resolves to 'stored', or to what it was rejected with. */
function outcome(promise: Promise<void>): Promise<unknown> {
  return promise.then(
    () => 'stored',
    (error: unknown) => error,
  );
}

/** Lets time pass only when the test says so: a group that leaves a moment late would else have no time left. */
function holdTime(): void {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
  onTestFinished(() => void vi.useRealTimers());
}

/** Takes all slots: each with a group of one event that leaves no room for another. */
async function fillSlots({ add }: Pick<ReturnType<typeof byHand>, 'add'>): Promise<Promise<unknown>[]> {
  const added: Promise<unknown>[] = [];
  for (let slot = 0; slot < MAX_WRITES_IN_FLIGHT; slot += 1) {
    added.push(add(`slot ${slot}`.padEnd(1024)));
    await turn();
  }
  return added;
}

describe('createGroupCommit', () => {
  it('writes what is added in one turn of the event loop as one group, in order', async () => {
    const { writes, add } = byHand();
    const added = ['a', 'b', 'c'].map(add);
    expect(writes).toEqual([]);
    await turn();
    expect(writes.map(({ bodies }) => bodies)).toEqual([['a', 'b', 'c']]);
    writes[0]?.done();
    expect(await Promise.all(added)).toEqual(['stored', 'stored', 'stored']);
  });

  it('lets a lone event leave at the end of its own turn', async () => {
    const { writes, add } = byHand();
    const added = add('alone');
    await turn();
    writes[0]?.done();
    expect(await added).toBe('stored');
  });

  it('bounds a group in events', async () => {
    const { writes, add } = byHand({ maxEvents: 2 });
    ['a', 'b', 'c', 'd', 'e'].forEach((body) => void add(body));
    await turn();
    expect(writes.map(({ bodies }) => bodies)).toEqual([['a', 'b'], ['c', 'd'], ['e']]);
    writes.forEach(({ done }) => done());
  });

  it('bounds a group in bytes, not characters', async () => {
    const { writes, add } = byHand({ maxBytes: 8 });
    ['ééé', 'é', 'é'].forEach((body) => void add(body));
    await turn();
    expect(writes.map(({ bodies }) => bodies)).toEqual([['ééé', 'é'], ['é']]);
    writes.forEach(({ done }) => done());
  });

  it('writes an event larger than a group as a group of its own', async () => {
    const { writes, add } = byHand({ maxBytes: 8 });
    const huge = 'x'.repeat(100);
    ['a', huge, 'b'].forEach((body) => void add(body));
    await turn();
    expect(writes.map(({ bodies }) => bodies)).toEqual([['a'], [huge], ['b']]);
    writes.forEach(({ done }) => done());
  });

  it('lets no group wait for an event above a MiB, and no such event for a group', async () => {
    const { writes, add } = byHand();
    const large = 'x'.repeat(1024 ** 2 + 1);
    const added: Promise<unknown>[] = [];
    for (const body of [large, 'a', large, 'b']) {
      added.push(add(body));
      await turn();
    }
    expect(writes.map(({ bodies }) => bodies)).toEqual([[large], ['a'], [large]]);
    writes[1]?.done();
    await turn();
    await turn();
    expect(writes[3]?.bodies).toEqual(['b']);
    writes.forEach(({ done }) => done());
    expect(new Set(await Promise.all(added))).toEqual(new Set(['stored']));
  });

  it('gives an event above a MiB a second more for each MiB where there is no journal', async () => {
    holdTime();
    const { writes, add } = byHand({ timeoutMs: 100 });
    const added = add('x'.repeat(1024 ** 2 + 1));
    await turn();
    vi.advanceTimersByTime(1101);
    expect(String(await added)).toMatch(/within 1101 ms; whether it was stored is unknown/);
    writes.forEach(({ done }) => done());
  });

  it('gathers while a write is under way, and sends a group that has no room left beside it', async () => {
    const { writes, add } = byHand({ maxEvents: 3 });
    const added = [add('first')];
    await turn();
    for (const body of ['a', 'b']) {
      added.push(add(body));
      await turn();
    }
    expect(writes).toHaveLength(1);
    added.push(add('c'), add('d'));
    await turn();
    expect(writes.map(({ bodies }) => bodies)).toEqual([['first'], ['a', 'b', 'c']]);
    writes.forEach(({ done }) => done());
    await turn();
    await turn();
    expect(writes[2]?.bodies).toEqual(['d']);
    writes[2]?.done();
    expect(new Set(await Promise.all(added))).toEqual(new Set(['stored']));
  });

  it('sends a group beside the one under way when the next event finds no room in it', async () => {
    const { writes, add } = byHand({ maxBytes: 8 });
    for (const body of ['first', '12345', '6789']) {
      void add(body);
      await turn();
    }
    expect(writes.map(({ bodies }) => bodies)).toEqual([['first'], ['12345']]);
    writes.forEach(({ done }) => done());
    await turn();
    await turn();
    expect(writes[2]?.bodies).toEqual(['6789']);
    writes[2]?.done();
  });

  it('gathers until the last write has ended', async () => {
    const { writes, add } = byHand({ maxEvents: 2 });
    ['a', 'b', 'c', 'd'].forEach((body) => void add(body));
    await turn();
    void add('e');
    writes[0]?.done();
    await turn();
    await turn();
    expect(writes).toHaveLength(2);
    writes[1]?.done();
    await turn();
    await turn();
    expect(writes[2]?.bodies).toEqual(['e']);
    writes[2]?.done();
  });

  it('lets a full group wait while all writes are under way, and sends it when one ends', async () => {
    const hand = byHand({ maxEvents: 3 });
    const first = await fillSlots(hand);
    for (const body of ['x', 'y', 'z']) {
      void hand.add(body);
      await turn();
    }
    expect(hand.writes).toHaveLength(MAX_WRITES_IN_FLIGHT);
    hand.writes[2]?.done();
    await turn();
    await turn();
    expect(hand.writes.at(-1)?.bodies).toEqual(['x', 'y', 'z']);
    hand.writes.forEach(({ done }) => done());
    expect(new Set(await Promise.all(first))).toEqual(new Set(['stored']));
  });

  it('rejects the callers of a failed group, and nobody else', async () => {
    const { writes, add } = byHand({ maxEvents: 2 });
    const added = ['a', 'b', 'c', 'd'].map(add);
    await turn();
    const fault = new QueueUnavailableError('no');
    writes[0]?.fail(fault);
    writes[1]?.done();
    expect(await Promise.all(added)).toEqual([fault, fault, 'stored', 'stored']);
  });

  it('goes on after a failed write', async () => {
    const hand = byHand();
    const added = await fillSlots(hand);
    const late = hand.add('late');
    hand.writes[0]?.fail(new QueueUnavailableError('no'));
    hand.writes.forEach(({ done }) => done());
    await turn();
    await turn();
    hand.writes.at(-1)?.done();
    expect(await late).toBe('stored');
    expect(await Promise.all(added.slice(1))).toEqual(['stored', 'stored', 'stored']);
  });

  it('answers by the time-out: unknown for a group under way, not sent for one that waits', async () => {
    holdTime();
    const hand = byHand({ timeoutMs: 100 });
    const [first] = await fillSlots(hand);
    const waiting = hand.add('waiting');
    vi.advanceTimersByTime(100);
    expect(String(await first)).toMatch(/within 100 ms; whether it was stored is unknown/);
    expect(String(await waiting)).toMatch(/within 100 ms; it was not sent/);
    hand.writes.forEach(({ done }) => done());
    await turn();
    await turn();
    expect(hand.writes).toHaveLength(MAX_WRITES_IN_FLIGHT);
  });

  it('drops what waits, and lets what is under way finish', async () => {
    const hand = byHand();
    const [first] = await fillSlots(hand);
    const waiting = hand.add('waiting');
    const fault = new QueueUnavailableError('away');
    hand.groups.drop(fault);
    expect(await waiting).toBe(fault);
    hand.writes.forEach(({ done }) => done());
    expect(await first).toBe('stored');
  });

  it('bounds the bytes that wait, and takes more when some are gone', async () => {
    const { writes, add } = byHand({ maxBytes: MAX_PENDING_BYTES });
    const large = 'x'.repeat(MAX_PENDING_BYTES - 1);
    const first = add(large);
    expect(await add('12')).toBeInstanceOf(QueueUnavailableError);
    await turn();
    writes[0]?.done();
    expect(await first).toBe('stored');
    const next = add('12');
    await turn();
    writes[1]?.done();
    expect(await next).toBe('stored');
  });

  it('tries an event that is larger than the bound when nothing else waits', async () => {
    const { writes, add } = byHand();
    const added = add('x'.repeat(MAX_PENDING_BYTES + 1));
    await turn();
    writes[0]?.done();
    expect(await added).toBe('stored');
  });

  it('is settled when every caller is answered', async () => {
    const { groups, writes, add } = byHand();
    const added = add('a');
    await turn();
    const settled = groups.settled().then(() => 'settled');
    writes[0]?.done();
    expect(await Promise.all([added, settled])).toEqual(['stored', 'settled']);
    await groups.settled();
  });
});

/** A group commit with a journal, whose writes the test ends by hand; `reported` is what the journal was told of each group. */
function withJournal({ isAway = false, maxBytes = 1024, timeoutMs = 20_000 } = {}) {
  const writes: Write[] = [];
  const records: Write[] = [];
  const reported: string[] = [];
  const hold = (list: Write[], events: readonly Delivery[]) =>
    new Promise<void>((done, fail) => list.push({ bodies: events.map(({ body }) => body), done, fail }));
  const groups = createGroupCommit({
    redis: {
      add: (events) => hold(writes, events),
      fault: () => (isAway ? new QueueUnavailableError('away') : undefined),
    },
    journal: {
      async append(events) {
        await hold(records, events);
        const name = events[0]?.body.slice(0, 10);
        return { enqueued: () => reported.push(`${name} enqueued`), failed: () => reported.push(`${name} failed`) };
      },
    },
    onJournalAlone: () => reported.push('alone'),
    maxEvents: 100,
    maxBytes,
    largeBytes: 1024 * 1024,
    timeoutMs,
  });
  return { groups, writes, records, reported, add: (body: string) => outcome(groups.add(anEvent(body))) };
}

describe('createGroupCommit with a journal', () => {
  it('packs a group once for both places where that is worth it, but no large event', async () => {
    const given: [place: string, body: string, packed: PackedEvents | undefined][] = [];
    const note = (place: string, [event]: readonly Delivery[], packed: PackedEvents | undefined) =>
      given.push([place, event?.body.slice(0, 5) ?? '', packed]);
    const groups = createGroupCommit({
      redis: { add: async (events, _bytes, packed) => void note('redis', events, packed), fault: () => undefined },
      journal: {
        async append(events, packed) {
          note('journal', events, packed);
          return { enqueued: () => undefined, failed: () => undefined };
        },
      },
      onJournalAlone: () => undefined,
      maxEvents: 100,
      maxBytes: 1024 * 1024,
      largeBytes: 1024 * 1024,
      timeoutMs: 20_000,
    });
    for (const body of ['small', 'long '.repeat(2000), 'large'.repeat(210_000)]) await groups.add(anEvent(body));
    const packed = given.find(([, body]) => body === 'long ')?.[2];
    expect(given).toEqual([
      ['journal', 'small', undefined],
      ['redis', 'small', undefined],
      ['journal', 'long ', expect.objectContaining({ packed: expect.any(Buffer) })],
      ['redis', 'long ', expect.anything()],
      ['journal', 'large', undefined],
      ['redis', 'large', undefined],
    ]);
    expect(given.filter(([, , each]) => each === packed)).toHaveLength(2);
    expect(packed && unpackEvents(packed)).toEqual([anEvent('long '.repeat(2000))]);
  });

  it('waits for both places, and the journal knows what became of a group before its callers go on', async () => {
    const { writes, records, reported, add } = withJournal();
    const seen = add('one').then((answer) => [answer, ...reported]);
    await turn();
    writes[0]?.done();
    await turn();
    expect(reported).toEqual([]);
    records[0]?.done();
    expect(await seen).toEqual(['stored', 'one enqueued']);
  });

  it('writes to the journal alone while Redis takes nothing', async () => {
    const { writes, records, reported, add } = withJournal({ isAway: true });
    const seen = add('one').then((answer) => [answer, ...reported]);
    await turn();
    records[0]?.done();
    expect(await seen).toEqual(['stored', 'one failed', 'alone']);
    expect(writes).toEqual([]);
  });

  it('is durable in Redis alone where the journal fails, and refused where both fail, with the fault of the journal', async () => {
    const { writes, records, reported, add } = withJournal({ maxBytes: 3 });
    const added = [add('one'), add('two')];
    await turn();
    const full = new QueueUnavailableError('The disk is full.');
    records.forEach(({ fail }) => fail(full));
    writes[0]?.done();
    writes[1]?.fail(new QueueUnavailableError('away'));
    const [first, second] = await Promise.all(added);
    expect(first).toBe('stored');
    expect(second).toMatchObject({ message: 'Neither Redis nor the journal took the event.', cause: full });
    expect(reported).toEqual([]);
  });

  it('answers when its time is over and one place has the group; the other place counts when it answers', async () => {
    holdTime();
    const { writes, records, reported, add } = withJournal({ timeoutMs: 50 });
    const added = add('one');
    await turn();
    records[0]?.done();
    await turn();
    vi.advanceTimersByTime(50);
    expect(await added).toBe('stored');
    expect(reported).toEqual([]);
    writes[0]?.done();
    await turn();
    expect(reported).toEqual(['one enqueued']);
  });

  it('sends what waits for Redis to the journal past 64 MiB, and takes no more past 128 MiB', async () => {
    const hand = withJournal({ maxBytes: MAX_PENDING_BYTES });
    const { writes, records, add } = hand;
    const large = 'x'.repeat(MAX_PENDING_BYTES - 1);
    const added = [add(large), add(large)];
    await turn();
    expect(await add('a third')).toBeInstanceOf(QueueUnavailableError);
    writes.forEach(({ done }) => done());
    records.forEach(({ done }) => done());
    await turn();
    [...writes, ...records].forEach(({ done }) => done());
    expect(await Promise.all(added)).toEqual(['stored', 'stored']);
  });
});
