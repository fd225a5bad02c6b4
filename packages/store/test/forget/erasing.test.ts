import { randomUUID } from 'node:crypto';
import { beforeEach, describe, expect, test } from 'vitest';
import { hashSubject, isHashOf } from '../../src/forget/subject-hash.ts';
import { subjectSchema, type Subject } from '../../src/forget/subject.ts';
import { anEvent } from '../support/an-event.ts';
import { EMPTY_TABLES, readTables } from '../support/read-tables.ts';
import { withStore } from '../support/with-store.ts';

const context = withStore();
beforeEach(async () => void (await context.sql(`${EMPTY_TABLES}; DELETE FROM operations; DELETE FROM erasures`)));

const NUMBERS = { n1: '+12025550101', n2: '+12025550102' };

async function anErasure(): Promise<string> {
  const id = randomUUID();
  await context.store.erasing.begin({ id, by: 'user', hash: 'h' });
  return id;
}

/** A call of a user, of a number, or of both. */
const call = (id: string, user: string | undefined, number: string | undefined) =>
  anEvent({
    type: 'conversation.started',
    data: { conversation_id: id, user_id: user, caller_number: number, language: 'en' },
  });

describe('what tells a person', () => {
  const u1: Subject = { by: 'user', value: 'u1' };
  const n1: Subject = { by: 'number', value: NUMBERS.n1 };

  test.each<
    [string, Subject, (readonly [string | undefined, string | undefined])[], { users: string[]; numbers: string[] }]
  >([
    [
      'a user with a number of their own',
      u1,
      [
        ['u1', NUMBERS.n1],
        ['u2', NUMBERS.n2],
      ],
      { users: ['u1'], numbers: [NUMBERS.n1] },
    ],
    [
      'a user whose number others use too',
      u1,
      [
        ['u1', NUMBERS.n1],
        ['u2', NUMBERS.n1],
      ],
      { users: ['u1'], numbers: [] },
    ],
    [
      'a user whose number called without a user',
      u1,
      [
        ['u1', NUMBERS.n1],
        [undefined, NUMBERS.n1],
      ],
      { users: ['u1'], numbers: [] },
    ],
    [
      'a number with a user who has no other',
      n1,
      [
        ['u1', NUMBERS.n1],
        ['u1', NUMBERS.n1],
      ],
      { users: ['u1'], numbers: [NUMBERS.n1] },
    ],
    [
      'a number of two users, of whom one has another',
      n1,
      [
        ['u1', NUMBERS.n1],
        ['u2', NUMBERS.n1],
        ['u2', NUMBERS.n2],
      ],
      { users: ['u1'], numbers: [NUMBERS.n1] },
    ],
    ['somebody who never called', u1, [['u2', NUMBERS.n1]], { users: ['u1'], numbers: [] }],
  ])('%s', async (_, subject, calls, expected) => {
    await context.store.apply(calls.map(([user, number], i) => call(`c${i}`, user, number)));
    expect(await context.store.erasing.personOf(subject)).toEqual({ conversations: [], ...expected });
  });

  test('a conversation is its own id, and takes no profile', async () => {
    await context.store.apply([call('c1', 'u1', NUMBERS.n1)]);
    const subject: Subject = { by: 'conversation', value: 'c1' };
    expect(await context.store.erasing.personOf(subject)).toEqual({ conversations: ['c1'], users: [], numbers: [] });
    expect(await context.store.erasing.plan(subject)).toMatchObject({ conversations: 1, events: 1, profiles: 0 });
  });
});

test('profiles go by user and by number; another user’s loses the number alone', async () => {
  await context.store.apply([
    call('c1', 'u1', NUMBERS.n1),
    call('c2', 'u2', NUMBERS.n1),
    call('c3', undefined, NUMBERS.n1),
    call('c4', 'u2', NUMBERS.n2),
  ]);
  await context.sql(`UPDATE user_profiles SET phone_number = '${NUMBERS.n1}'`);
  const person = await context.store.erasing.personOf({ by: 'number', value: NUMBERS.n1 });
  const id = await anErasure();
  await context.store.erasing.forgetProfiles(id, person);
  expect((await context.store.erasing.get(id))?.counts).toEqual({ profiles: 2 });
  expect((await readTables(context)).user_profiles).toMatchObject([
    { user_id: 'u2', phone_number: null, language: 'en' },
  ]);
});

test('a profile outlasts a call that is forgotten, and tells the number still', async () => {
  await context.store.apply([call('c1', 'u1', NUMBERS.n1)]);
  await context.store.forgetConversations(['c1'], { transcript: true, audio: true });
  const byNumber: Subject = { by: 'number', value: NUMBERS.n1 };
  const person = { conversations: [], users: ['u1'], numbers: [NUMBERS.n1] };
  expect(await context.store.erasing.personOf(byNumber)).toEqual(person);
  expect(await context.store.erasing.personOf({ by: 'user', value: 'u1' })).toEqual(person);
  expect(await context.store.erasing.plan(byNumber)).toMatchObject({ conversations: 0, profiles: 1 });
  await context.store.erasing.forgetProfiles(await anErasure(), person);
  expect((await readTables(context)).user_profiles).toEqual([]);
});

test('a profile that an event on its way has made goes late, and one of a later call stays', async () => {
  const person = { conversations: [], users: ['u1', 'u2'], numbers: [] };
  await context.store.apply([call('c1', 'u1', NUMBERS.n1), call('c2', 'u2', NUMBERS.n2)]);
  await context.store.forgetConversations(['c1'], { transcript: true, audio: true });
  await context.store.erasing.forgetProfiles(await anErasure(), person, { isLate: true });
  expect((await readTables(context)).user_profiles.map((row) => row['user_id'])).toEqual(['u2']);
});

test('a plan counts by place, and conversations that were erased before', async () => {
  await context.store.apply([call('c1', 'u1', NUMBERS.n1), call('c2', 'u2', NUMBERS.n1)]);
  const byNumber: Subject = { by: 'number', value: NUMBERS.n1 };
  expect(await context.store.erasing.plan(byNumber)).toEqual({
    conversations: 2,
    erased_before: 0,
    messages: 0,
    tool_calls: 0,
    commands: 0,
    events: 2,
    recordings: 0,
    profiles: 2,
    users: 2,
  });
  await context.store.forgetConversations(['c1'], { transcript: true, audio: true });
  expect(await context.store.erasing.plan({ by: 'conversation', value: 'c1' })).toMatchObject({
    conversations: 0,
    erased_before: 1,
  });
});

test('operations that named the person have a hash in the place of the name', async () => {
  const { operations } = context.store;
  const ask = (filter: Record<string, string>) => operations.request({ kind: 'replay', filter });
  const [named, other] = [await ask({ user: 'u1', type: 'x' }), await ask({ user: 'u2' })];
  const person = { conversations: [], users: ['u1'], numbers: [] };
  const id = await anErasure();
  await context.store.erasing.clearFilters(id, person, 'the hash');
  expect((await context.store.erasing.get(id))?.counts).toEqual({ operations: 1 });
  expect((await operations.get(named.id))?.filter).toEqual({ user: 'the hash', type: 'x' });
  expect((await operations.get(other.id))?.filter).toEqual({ user: 'u2' });
});

describe('an erasure’s operation', () => {
  const words = { by: 'user', subject: 'u1', subject_hash: 'h', journal_hours: '24' };
  const left = { by: 'user', subject_hash: 'h', journal_hours: '24' };
  const checkpoint = { person: { users: ['u1'] } };

  test.each(['done', 'failed', 'cancelled'] as const)(
    'does not remember whom it forgot when it is %s',
    async (status) => {
      const { operations } = context.store;
      const { id } = await operations.request({ kind: 'erase', filter: words });
      const claimed = await operations.claim('erase', 60_000);
      if (claimed === undefined) throw new Error('Nothing is due.');
      const progress = { total: 1, done: 1, failed: 0, message: null, checkpoint };
      expect(await operations.keep(claimed, progress, 60_000)).toBe('kept');
      expect(await operations.get(id)).toMatchObject({ filter: words, checkpoint });
      await operations.finish(claimed, progress, status);
      expect(await operations.get(id)).toMatchObject({ status, filter: left, checkpoint: null });
    },
  );

  test('does not either when it is cancelled before a worker has it', async () => {
    const { operations } = context.store;
    const { id } = await operations.request({ kind: 'erase', filter: words });
    await operations.cancel(id);
    expect(await operations.get(id)).toMatchObject({ status: 'cancelled', filter: left });
  });

  test('is noted in erasures once, and ends with its counts', async () => {
    const id = randomUUID();
    await context.store.erasing.begin({ id, by: 'user', hash: 'h' });
    await context.store.erasing.begin({ id, by: 'user', hash: 'another' });
    await context.store.erasing.count(id, { messages: 1, commands: 0 });
    await context.store.erasing.count(id, { messages: 2, bodies: 4 });
    await context.store.erasing.end(id, { journal_until: 'then' });
    expect(await context.store.erasing.get(id)).toEqual({
      id,
      kind: 'user',
      subjectHash: 'h',
      requestedAt: expect.any(Number),
      doneAt: expect.any(Number),
      counts: { messages: 3, bodies: 4, journal_until: 'then' },
    });
  });
});

test('a hash is known by its subject alone, and no two are equal', async () => {
  const subject = subjectSchema.parse({ by: 'number', value: '+1 (202) 555-0101' });
  const [one, two] = [await hashSubject(subject), await hashSubject(subject)];
  expect(one).not.toBe(two);
  expect(one).toMatch(/^\$scrypt\$ln=15,r=8,p=3\$[A-Za-z0-9+/]{22}\$[A-Za-z0-9+/]{43}$/);
  expect(await isHashOf(one, { by: 'number', value: '+12025550101' })).toBe(true);
  expect(await isHashOf(one, { by: 'user', value: '+12025550101' })).toBe(false);
  expect(await isHashOf(one, { by: 'number', value: '+12025550102' })).toBe(false);
  expect(await isHashOf('no hash', subject)).toBe(false);
});
