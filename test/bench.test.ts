import { createStore } from '@landline/store';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { readOptions } from '../bench/bench-options.ts';
import { normalised } from '../bench/load/normalised.ts';
import { backlogEvents } from '../bench/measure/backlog.ts';
import { checkApplied, ledgerCount } from '../bench/measure/check-applied.ts';
import { countRows, rateOf } from '../bench/measure/commits.ts';
import { preload } from '../bench/measure/preload.ts';
import { createDatabase, type TestDatabase } from './support/database.ts';
import { runSql } from './support/run-sql.ts';

const EVENTS = 100;

describe('a run checks its own work', () => {
  const ids: string[] = [];
  let database: TestDatabase;

  beforeAll(async () => {
    database = await createDatabase(inject('databaseUrl'));
    const store = createStore({ databaseUrl: database.url });
    await store.apply(normalised(backlogEvents('live', EVENTS, ids)));
    await store.close();
  });

  afterAll(() => database.drop());

  /** Checks the database after a change, which is then rolled back. */
  async function checkAfter(change: string, undo: string, given: { ids?: string[]; pending?: number } = {}) {
    await runSql(database.url, change);
    try {
      return await checkApplied({ name: 'x', databaseUrl: database.url, ids, pending: 0, ...given });
    } finally {
      await runSql(database.url, undo);
    }
  }

  it('and finds nothing wrong where every event is there once', async () => {
    expect(await checkAfter('SELECT 1', 'SELECT 1')).toEqual({ applied: EVENTS });
    expect(await ledgerCount(database.url)).toBe(EVENTS);
  });

  it('and counts how many events are lost', async () => {
    const take = `CREATE TABLE taken AS SELECT * FROM webhook_events LIMIT 3;
      DELETE FROM webhook_events WHERE id IN (SELECT id FROM taken)`;
    const giveBack = 'INSERT INTO webhook_events SELECT * FROM taken; DROP TABLE taken';
    await expect(checkAfter(take, giveBack)).rejects.toThrow('x is wrong: 3 events lost.');
  });

  it('and counts what still waits as not lost', async () => {
    expect(await checkAfter('SELECT 1', 'SELECT 1', { ids: [...ids, randomId()], pending: 1 })).toEqual({
      applied: EVENTS,
    });
  });

  it('and finds an event that is there twice', async () => {
    const twice = `INSERT INTO webhook_events
      SELECT (jsonb_populate_record(e, jsonb_build_object('id', '${randomId()}'))).* FROM webhook_events e LIMIT 1`;
    const undo = `DELETE FROM webhook_events WHERE id::text LIKE '00000000%'`;
    await expect(checkAfter(twice, undo)).rejects.toThrow('1 events in the ledger that were never queued, or twice');
  });

  it('and finds an event that was taken but not applied', async () => {
    const spoil = `UPDATE webhook_events SET outcome = 'dead' WHERE id = '${ids[7]}'`;
    const undo = `UPDATE webhook_events SET outcome = 'applied' WHERE id = '${ids[7]}'`;
    await expect(checkAfter(spoil, undo)).rejects.toThrow('1 events in the ledger but not applied');
  });
});

function randomId(): string {
  return `00000000-0000-4000-8000-${Math.random().toString(16).slice(2).padEnd(12, '0').slice(0, 12)}`;
}

describe('the rows that are there before growth is measured', () => {
  it('are those of whole calls, each with ids of its own', async () => {
    const database = await createDatabase(inject('databaseUrl'));
    await preload(database.url, 60);
    const [counted] = await runSql(
      database.url,
      `SELECT count(*)::int AS messages, count(DISTINCT conversation_id)::int AS calls,
         (SELECT count(*)::int FROM conversations) AS conversations FROM conversation_messages`,
    );
    expect(counted).toEqual({ messages: 60, calls: 10, conversations: 10 });
    expect(await ledgerCount(database.url)).toBe(100);
    expect(await countRows(database.url)).toBe(100 + 100 + 10 + 60 + 10 + 10 + 1);
    await database.drop();
  });
});

describe('a rate', () => {
  const commits = [0, 10, 100, 200, 600, 1100].map((at) => ({ at: 5000 + at, events: 100 }));
  const rate = (count: number, stoppedAt = 9000) =>
    rateOf({ commits: commits.slice(0, count), startedAt: 4000, stoppedAt }, 50);

  it('counts from the end of the warm-up to the last commit', () => {
    expect(rate(5)).toBeCloseTo(300 / 0.55);
    expect(rate(6)).toBeCloseTo(400 / 1.05);
  });

  it('counts nothing that was committed after the worker got its signal to stop', () => {
    expect(rate(6, 5700)).toBeCloseTo(300 / 0.55);
    expect(rate(6, 5020)).toBe(100 / 0.01);
  });

  it('counts several transactions that end together by the time that they took', () => {
    const together = [0, 1, 2, 10_000, 10_001, 10_002].map((at) => ({ at, events: 100 }));
    expect(rateOf({ commits: together, startedAt: 0, stoppedAt: 11_000 }, 2)).toBe(300 / 10);
  });

  it('counts all commits where the backlog ends within the warm-up, or a moment after it', () => {
    expect(rate(2)).toBe(100 / 0.01);
    const drained = [0, 10, 51].map((at) => ({ at, events: 100 }));
    expect(rateOf({ commits: drained, startedAt: 0, stoppedAt: 300 }, 50)).toBeCloseTo(200 / 0.051);
  });

  it('counts the start where all was one transaction, and is none where nothing was applied', () => {
    expect(rate(1)).toBe(100);
    expect(() => rate(0)).toThrow('too few');
  });
});

describe('the arguments', () => {
  it('let only a whole run write the committed results', () => {
    expect(read()).toMatchObject({ folder: '.data/bench-whole', isWhole: true, only: ['accept', 'apply'] });
    expect(read('--quick')).toMatchObject({ folder: '.data/bench-quick', isWhole: false, isQuick: true });
    expect(read('--only', 'apply')).toMatchObject({ folder: '.data/bench-partial', isWhole: false, only: ['apply'] });
    expect(read('--quick', '--rounds', '3')).toMatchObject({ folder: '.data/bench-partial', rounds: 3 });
    expect(read('--contenders', 'landline')).toMatchObject({
      folder: '.data/bench-partial',
      isWhole: false,
      contenders: ['landline'],
    });
    expect(read('--out', '.data/x')).toMatchObject({ folder: '.data/x', isWhole: false });
  });

  it('are refused where they mean nothing', () => {
    expect(read('--only', 'apply,nothing')).toContain('There is no measure "nothing"');
    expect(read('--contenders', 'landline,kafka')).toContain('There is no contender "kafka"');
    expect(read('--rounds', '0')).toContain('--rounds');
    expect(read('--fast')).toContain('--fast');
    expect(read('apply')).toContain('apply');
  });
});

function read(...args: string[]): ReturnType<typeof readOptions> {
  return readOptions(args, { measures: ['accept', 'apply'], contenders: ['direct', 'landline'] });
}
