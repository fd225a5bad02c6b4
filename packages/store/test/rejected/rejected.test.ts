import { randomUUID } from 'node:crypto';
import { beforeAll, beforeEach, describe, expect, it, onTestFinished } from 'vitest';
import { openTransactions } from '../../src/connection/transactions.ts';
import { openLookups, type Lookups } from '../../src/lookup/lookups.ts';
import type { RejectedRow } from '../../src/rejected/rejected-row.ts';
import { createRejectedTable, type RejectedLimits } from '../../src/rejected/rejected-table.ts';
import { withStore } from '../support/with-store.ts';

const AT = 1_767_225_600_000;
const context = withStore();
let lookups: Lookups;
beforeAll(() => {
  lookups = openLookups({ databaseUrl: context.url });
  return () => lookups.close();
});
beforeEach(async () => {
  await context.sql('DELETE FROM rejected_requests');
});

let made = 0;
/** A row; each came a second after the one before. */
const aRow = (changes: Partial<RejectedRow> = {}): RejectedRow => ({
  id: randomUUID(),
  receivedAt: AT + 1000 * made++,
  code: 'signature_mismatch',
  cause: 'another_secret',
  advice: 'Compare the secret.',
  header: 't=1,v0=2',
  headers: { host: 'x' },
  body: Buffer.from('{}'),
  bodyBytes: 2,
  sender: '127.0.0.1',
  readmittedAt: null,
  ...changes,
});

function aTable(limits: RejectedLimits) {
  const transactions = openTransactions({ databaseUrl: context.url });
  onTestFinished(() => transactions.close());
  return createRejectedTable(transactions, limits);
}

const ids = (rows: readonly { id: string }[]) => rows.map(({ id }) => id);
const all = () => lookups.rejected.list({}, { limit: 100 });

async function keep(rows: readonly RejectedRow[], table = aTable({})): Promise<void> {
  // oxlint-disable-next-line no-await-in-loop -- one after the other
  for (const row of rows) await table.keepRejected(row);
}

describe('a refused request', () => {
  it.each<[string, Partial<RejectedRow>]>([
    ['with a body', {}],
    ['with an empty body', { body: Buffer.alloc(0), bodyBytes: 0 }],
    ['with a body of any bytes', { body: Buffer.from([0xff, 0, 0xfe]), bodyBytes: 3 }],
    ['without a body, a header and a sender', { body: null, bodyBytes: null, header: null, sender: null }],
    ['with a header that was repeated', { header: ['t=1', '', 'é"\\'] }],
    ['with the beginning of a body of gigabytes', { bodyBytes: 5_000_000_000 }],
  ])('%s is read as it was written, and a repeat changes nothing', async (_, changes) => {
    const row = aRow(changes);
    await keep([row, { ...row, cause: 'stale' }]);
    const read = await lookups.rejected.get(row.id);
    expect(read && { ...read, body: read.body && Buffer.from(read.body) }).toEqual(row);
    const { body, ...fields } = row;
    expect(await all()).toEqual([{ ...fields, keptBytes: body?.length ?? null }]);
    expect(await context.store.rejectedPage({}, { limit: 10 })).toMatchObject([fields]);
  });

  it('that is not there is undefined', async () => {
    expect(await lookups.rejected.get(randomUUID())).toBeUndefined();
  });
});

describe('lists', () => {
  it('come newest first, pages oldest first, each narrowed down by time and cause', async () => {
    const [a, b, c] = [aRow(), aRow({ cause: 'stale' }), aRow()];
    await keep([b, a, c]);
    expect(ids(await all())).toEqual(ids([c, b, a]));
    expect(ids(await lookups.rejected.list({}, { limit: 2 }))).toEqual(ids([c, b]));
    for (const [filter, expected] of [
      [{ since: b.receivedAt }, [b, c]],
      [{ until: b.receivedAt }, [a]],
      [{ cause: 'stale' }, [b]],
      [{ cause: "st'ale" }, []],
      [{ since: a.receivedAt, until: c.receivedAt, cause: 'another_secret' }, [a]],
    ] as const) {
      // oxlint-disable no-await-in-loop -- one after the other
      expect(ids(await context.store.rejectedPage(filter, { limit: 10 }))).toEqual(ids(expected));
      expect(ids(await lookups.rejected.list(filter, { limit: 10 }))).toEqual(ids(expected).toReversed());
      // oxlint-enable no-await-in-loop
    }
    const [first] = await context.store.rejectedPage({}, { limit: 1 });
    expect(ids(await context.store.rejectedPage({}, { after: first, limit: 10 }))).toEqual(ids([b, c]));
  });

  it('that are read page by page have each row once, also those of one millisecond', async () => {
    const rows = Array.from({ length: 7 }, () => aRow({ receivedAt: AT }));
    await keep(rows);
    const seen: string[] = [];
    let page = await context.store.rejectedPage({}, { limit: 2 });
    while (page.length > 0) {
      seen.push(...page.map(({ id }) => id));
      // oxlint-disable-next-line no-await-in-loop -- page after page
      page = await context.store.rejectedPage({}, { after: page.at(-1), limit: 2 });
    }
    expect(seen).toEqual(rows.map(({ id }) => id).toSorted());
  });
});

it('is marked when it was readmitted', async () => {
  const rows = [aRow(), aRow()];
  await keep(rows);
  await context.store.markReadmitted([rows[0]?.id ?? ''], AT + 5);
  expect((await all()).map(({ readmittedAt }) => readmittedAt)).toEqual([null, AT + 5]);
});

describe('the bounds of the table', () => {
  it('so many rows: first those that are readmitted or that nobody can readmit go, then the oldest, and one that is older than all', async () => {
    const table = aTable({ maxRows: 3 });
    const rows = [aRow(), aRow(), aRow(), aRow()];
    await keep(rows.slice(0, 3), table);
    await table.markReadmitted([rows[2]?.id ?? ''], AT);
    await keep(rows.slice(3), table);
    await keep([aRow({ receivedAt: AT - 1 })], table);
    expect((await all()).map(({ id }) => id)).toEqual([rows[3], rows[1], rows[0]].map((row) => row?.id));
    await keep([aRow({ cause: 'no_signature' })], table);
    expect((await all()).map(({ id }) => id)).toEqual([rows[3], rows[1], rows[0]].map((row) => row?.id));
  });

  it('10,000 rows by default', async () => {
    await context.sql(`
      INSERT INTO rejected_requests (id, received_at, code, cause, advice, headers)
      SELECT gen_random_uuid(), to_timestamp(${AT / 1000}) - n * interval '1 second', 'c', 'stale', 'a', '{}'
      FROM generate_series(1, 10005) AS n`);
    await keep([aRow()]);
    const [counted] = await context.sql(
      'SELECT count(*)::int AS rows, min(received_at) AS oldest FROM rejected_requests',
    );
    expect(counted).toEqual({ rows: 10_000, oldest: new Date(AT - 9999 * 1000) });
  });

  it('so many bytes of bodies: the oldest go', async () => {
    const table = aTable({ maxBodyBytes: 250 });
    const rows = [100, 100, 100].map((bytes) => aRow({ body: Buffer.alloc(bytes) }));
    await keep(rows, table);
    const kept = async () => (await all()).reduce((sum, { keptBytes }) => sum + (keptBytes ?? 0), 0);
    expect(await kept()).toBeLessThanOrEqual(300);
    // A table looks anew when it is opened.
    await keep([aRow({ body: null })], aTable({ maxBodyBytes: 250 }));
    expect(await kept()).toBe(200);
    expect((await all()).map(({ id }) => id)).not.toContain(rows[0]?.id);
  });
});
