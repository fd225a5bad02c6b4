import { randomUUID } from 'node:crypto';
import { createStore, hashSubject, type Operation, type OperationProgress, type Store } from '@landline/store';
import { deliveryOf } from '@landline/webhook/delivery';
import { afterAll, beforeAll, expect, inject, test } from 'vitest';
import { bodyOf } from '../../../store/test/support/an-event.ts';
import { deadOf, dump, eventsOfCall, PERSON, TRACES, transcriptOf } from '../../../store/test/support/a-person.ts';
import { EMPTY_TABLES } from '../../../store/test/support/read-tables.ts';
import { createDatabase, type TestDatabase } from '../../../../test/support/database.ts';
import { runSql } from '../../../../test/support/run-sql.ts';
import { eraseKind } from '../../src/erase/erase.ts';
import type { ErasePorts, HeldEvent, HeldRequest } from '../../src/erase/erase-ports.ts';
import { ERASE, erasureWords } from '../../src/erase/erasure-filter.ts';
import type { OperationContext } from '../../src/operation-kind.ts';

let database: TestDatabase;
let store: Store;
beforeAll(async () => {
  database = await createDatabase(inject('databaseUrl'));
  store = createStore({ databaseUrl: database.url, poolSize: 2 });
});
afterAll(async () => {
  await store.close();
  await database.drop();
});

const sql = (statement: string) => runSql(database.directUrl, statement);
const subject = { by: 'user', value: PERSON.user } as const;
/** ERASE=whole: at each step; else at some. */
const EVERY = process.env['ERASE'] === 'whole' ? 1 : 6;

/** For few rows this is faster than TRUNCATE. */
const EMPTY = `${EMPTY_TABLES}; ${['recordings_to_remove', 'rejected_requests', 'operations', 'erasures'].map((table) => `DELETE FROM ${table}`).join('; ')}`;

/** How much there is, whenever a worker dies. Redis and the storage are asked again, so what a death leaves uncounted there is not told. */
const COUNTS = {
  conversations: 2,
  messages: 4,
  tool_calls: 2,
  commands: 2,
  bodies: 13,
  events: 3,
  recordings: 2,
  profiles: 1,
};

/** A request of the console that rests. */
const asking = (kind: string, filter: Record<string, string>): HeldRequest => ({
  operation: { id: randomUUID(), kind, filter },
  unreadable: undefined,
  isResting: true,
});

/** A death of the worker between two of its steps. */
class Killed extends Error {}

/** What Redis holds of the person: a transcript of a call that nobody has applied, and a dead letter. */
let held: HeldEvent[];
let asked: HeldRequest[];
let files: Set<string>;

async function layOut(): Promise<void> {
  await sql(EMPTY);
  await store.apply([...eventsOfCall('c1'), ...eventsOfCall('c2')]);
  await store.recordDead([deadOf('c1'), deadOf('c3')]);
  const waiting = bodyOf({ type: 'conversation.started', data: { conversation_id: 'c4', user_id: PERSON.user } });
  held = [waiting, transcriptOf('c1', 20).entry.delivery.body].map((text) => {
    const body = Buffer.from(text);
    return { body, receivedAt: 1, delivery: deliveryOf(body, { receivedAt: 1, signedAt: 1, secretId: 'test' }) };
  });
  asked = [asking('replay', { user: PERSON.user }), asking('replay', { user: 'somebody else' })];
  files = new Set((await sql(`SELECT url FROM conversation_recordings`)).map(({ url }) => String(url)));
}

/** The ports, whose n-th call is the last: the worker dies before it, or after it, before it knows the answer. */
function dyingAt(calls: number, isAfter: boolean): { ports: ErasePorts; made: () => number } {
  let made = 0;
  const dying = <T extends object>(target: T): T =>
    new Proxy(target, {
      get(of, name, receiver) {
        const found: unknown = Reflect.get(of, name, receiver);
        if (typeof found === 'object' && found !== null) return dying(found);
        if (typeof found !== 'function') return found;
        return async (...given: unknown[]) => {
          const isLast = ++made === calls;
          if (isLast && !isAfter) throw new Killed();
          const answer: unknown = await Reflect.apply(found, of, given);
          if (isLast) throw new Killed();
          return answer;
        };
      },
    });
  const ports = dying<ErasePorts>({
    store,
    recordings: store.recordingsToRemove,
    storage: { remove: async (url) => void files.delete(url) },
    async forgetRequests(decide) {
      const left = asked.filter((request) => !decide(request));
      const requests = asked.length - left.length;
      asked = left;
      return { requests, in_hand: 0 };
    },
    async forgetJobs(decide) {
      const goes = await decide(held);
      const going = goes.filter(Boolean).length;
      held = held.filter((_, i) => goes[i] !== true);
      return { waiting: going, resting: 0, dead_letters: 0, rejected: 0, in_hand: 0 };
    },
  });
  return { ports, made: () => made };
}

/** Runs an operation as the engine does, with the progress that the worker before has written. */
async function run(operation: Operation, written: OperationProgress, ports: ErasePorts): Promise<OperationProgress> {
  let progress = written;
  const context: OperationContext = {
    operation: { ...operation, checkpoint: written.checkpoint },
    signal: new AbortController().signal,
    progress: () => progress,
    report: (change) => void (progress = { ...progress, ...change }),
    retry: (work) => work(),
    hold: () => Promise.resolve(),
    written: () => Promise.resolve(void (saved = progress)),
  };
  let saved = written;
  await eraseKind(ports)
    .run(context)
    .catch((error: unknown) => {
      if (!(error instanceof Killed)) throw error;
      // What was reported and not written is lost.
      progress = saved;
    });
  return progress;
}

test('a worker that dies before or after any of its steps leaves the rest to the next one', async () => {
  const hash = await hashSubject(subject);
  const filter = erasureWords({ subject, hash, journalHours: 24 });
  let deaths = 0;
  for (const isAfter of [false, true]) {
    for (let calls = isAfter ? EVERY : 1, isWhole = false; !isWhole; calls += EVERY) {
      // oxlint-disable no-await-in-loop -- one death after the other
      await layOut();
      const operation = await store.operations.request({ kind: ERASE, filter });
      const nothing: OperationProgress = { total: null, done: 0, failed: 0, message: null, checkpoint: null };
      const first = dyingAt(calls, isAfter);
      const left = await run(operation, nothing, first.ports);
      isWhole = first.made() < calls;
      const ended = isWhole ? left : await run(operation, left, dyingAt(Infinity, false).ports);
      expect(await store.erasing.get(operation.id)).toMatchObject({ counts: COUNTS });
      const { id, fence } = (await store.operations.claim(ERASE, 60_000)) ?? operation;
      await store.operations.finish({ id, fence }, ended, 'done');
      const text = await dump({ sql });
      const found = TRACES.filter((trace) => text.includes(trace));
      const marked = await sql(`SELECT id FROM conversations WHERE erased_at IS NOT NULL ORDER BY id`);
      expect({
        calls,
        isAfter,
        found,
        held,
        asked: asked.length,
        files: [...files],
        marked: marked.map((row) => row['id']),
      }).toEqual({
        calls,
        isAfter,
        found: [],
        held: [],
        asked: 1,
        files: [],
        marked: ['c1', 'c2', 'c3', 'c4'],
      });
      deaths += isWhole ? 0 : 1;
      // oxlint-enable no-await-in-loop
    }
  }
  expect(deaths * EVERY).toBeGreaterThan(60);
});
