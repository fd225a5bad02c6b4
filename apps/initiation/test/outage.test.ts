import { performance } from 'node:perf_hooks';
import { createReader } from '@landline/store';
import { expect, onTestFinished, test, vi } from 'vitest';
import { lockTable } from '../../../test/support/lock-table.ts';
import { startPrivatePostgres, type PrivatePostgres } from '../../../test/support/private-postgres.ts';
import { runSql } from '../../../test/support/run-sql.ts';
import { startTcpProxy, type TcpProxy } from '../../../test/support/tcp-proxy.ts';
import { ANSWER_LIMIT_MS } from '../src/app.ts';
import { LONG_LIMIT_MS, NOTHING, startInitiation, type TestInitiation } from './support/an-initiation.ts';

/** The answer to every caller while the database is away. */
const CALLERS = 60;

/** The limit that the product has, in ms. */
const LIMIT_MS = ANSWER_LIMIT_MS;

/** How much longer than promised an answer may take on a busy machine, in ms. An answer that waits for a fault takes two seconds at least. */
const MARGIN_MS = 1_600;

const known = { caller_known: true, caller_language: 'ar', caller_dialect: 'eg' };

/** Breaks the database. Resolves with the function that repairs it. */
type Break = (postgres: PrivatePostgres, proxy: TcpProxy) => Promise<() => Promise<unknown>>;

const FAULTS: [fault: string, breakIt: Break][] = [
  [
    'is stopped, and its port refuses',
    async (postgres) => {
      await postgres.stop();
      return postgres.restart;
    },
  ],
  [
    'is frozen with its connections open',
    async (postgres) => {
      await postgres.freeze();
      return postgres.thaw;
    },
  ],
  [
    'answers two seconds late, on old connections and new ones',
    async (_postgres, proxy) => {
      proxy.delay(2_000);
      proxy.reset();
      return async () => proxy.delay(0);
    },
  ],
  [
    'is behind a line that is half open',
    async (_postgres, proxy) => {
      proxy.freeze();
      proxy.delay(60_000);
      return async () => proxy.delay(0);
    },
  ],
  ['has a locked table', (postgres) => lockTable(postgres.url, 'user_profiles')],
  [
    'lacks a table',
    async ({ url }) => {
      await runSql(url, 'ALTER TABLE conversations RENAME TO not_yet');
      return () => runSql(url, 'ALTER TABLE not_yet RENAME TO conversations');
    },
  ],
];

test.for(FAULTS.flatMap(([fault, breakIt]) => [true, false].map((isReader) => ({ fault, breakIt, isReader }))))(
  'Postgres $fault (a reader: $isReader): the defaults in time, and known callers again at once when it is back',
  async ({ breakIt, isReader }) => {
    const postgres = await startPrivatePostgres();
    await addProfiles(postgres.url);
    const proxy = await startTcpProxy(postgres.url);
    onTestFinished(() => proxy.close());
    const app = await startInitiation(proxy.url, { isReader, limitMs: LIMIT_MS });
    await untilKnown(app);
    // Several idle connections must hang as well.
    await Promise.all(Array.from({ length: 4 }, (_, i) => app.variables(numberOf(90 + i))));
    await expect.poll(() => ready(app), { timeout: 20_000 }).toEqual({ status: 'ready', database: 'up' });

    const mend = await breakIt(postgres, proxy);
    const times: number[] = [];
    const ask = async (i: number) => {
      const began = performance.eventLoopUtilization();
      const variables = await app.variables(numberOf(i));
      // The app is in this process: only the time counts in which the process waits. On a busy machine its work takes long as well.
      times.push(performance.eventLoopUtilization(began).idle);
      return variables;
    };
    const first = await Promise.all(Array.from({ length: CALLERS }, (_, i) => ask(i)));
    expect(new Set(first.map((variables) => JSON.stringify(variables)))).toEqual(new Set([JSON.stringify(NOTHING)]));
    for (let i = 0; i < CALLERS; i++) {
      // oxlint-disable-next-line no-await-in-loop -- one caller after the other
      expect(await ask(i)).toEqual(NOTHING);
    }
    expect(Math.max(...times)).toBeLessThan(300 + MARGIN_MS);
    expect(await ready(app)).toEqual({ status: 'ready', database: 'away' });
    expect(await app.sample('landline_initiation_database_up')).toBe(0);

    await mend();
    let waitedMs = 0;
    const isBack = async () => {
      const began = performance.now();
      if (isKnown(await app.variables('+201005550199'))) return true;
      if (await isInTime(proxy.url)) waitedMs += performance.now() - began;
      return false;
    };
    await vi.waitUntil(isBack, { timeout: 20_000, interval: 1 });
    expect(waitedMs).toBeLessThan(1_000 + MARGIN_MS);
    await expect.poll(() => ready(app), { timeout: 20_000 }).toEqual({ status: 'ready', database: 'up' });
    for (let i = 0; i < 8; i++) {
      // oxlint-disable-next-line no-await-in-loop -- one caller after the other
      await expect.poll(() => app.variables(numberOf(i)), { timeout: 20_000 }).toMatchObject(known);
    }
    // Those that hung may end a moment later. Connections that nobody uses would stay for a minute.
    await expect.poll(() => backends(postgres.url), { timeout: 5_000 }).toBeLessThanOrEqual(15);
    expect(app.log()).not.toMatch(/\+2010/);
  },
);

test('while a table is locked for long, look-ups do not pile up in Postgres', async () => {
  const postgres = await startPrivatePostgres();
  await addProfiles(postgres.url);
  const app = await startInitiation(postgres.url, { limitMs: LIMIT_MS });
  await untilKnown(app);
  const unlock = await lockTable(postgres.url, 'conversations');
  onTestFinished(unlock);
  const until = performance.now() + 4_000;
  let most = 0;
  while (performance.now() < until) {
    // oxlint-disable-next-line no-await-in-loop -- one after the other
    expect(await app.variables('+201005550101')).toEqual(NOTHING);
    // oxlint-disable-next-line no-await-in-loop -- one after the other
    most = Math.max(most, await backends(postgres.url));
  }
  expect(most).toBeLessThanOrEqual(15);
});

test('an app that starts before its database answers with the defaults, and knows callers once the database is there', async () => {
  const postgres = await startPrivatePostgres();
  await addProfiles(postgres.url);
  await postgres.stop();
  const app = await startInitiation(postgres.url, { isAway: true, limitMs: LIMIT_MS });
  expect(await app.variables('+201005550101')).toEqual(NOTHING);
  await postgres.restart();
  await untilKnown(app);
});

test('a role with one connection is enough for the gate to open again', async () => {
  const postgres = await startPrivatePostgres();
  await addProfiles(postgres.url);
  await runSql(postgres.url, `CREATE ROLE narrow LOGIN PASSWORD 'narrow' CONNECTION LIMIT 1`);
  await runSql(postgres.url, 'GRANT SELECT ON ALL TABLES IN SCHEMA public TO narrow');
  const url = new URL(postgres.url);
  [url.username, url.password] = ['narrow', 'narrow'];
  url.searchParams.set('connection_limit', '1');
  const app = await startInitiation(url.href, { limitMs: LIMIT_MS });
  await untilKnown(app);
  const unlock = await lockTable(postgres.url, 'conversations');
  expect(await app.variables('+201005550101')).toEqual(NOTHING);
  await unlock();
  await untilKnown(app);
});

test('a database to which a connection takes longer than a caller waits is asked again all the same', async () => {
  const postgres = await startPrivatePostgres();
  await addProfiles(postgres.url);
  const proxy = await startTcpProxy(postgres.url);
  onTestFinished(() => proxy.close());
  // A connection takes three answers, and a look-up one.
  proxy.delay(80);
  const app = await startInitiation(proxy.url, { limitMs: LIMIT_MS });
  await untilKnown(app);
  proxy.reset();
  expect(await app.variables(numberOf(7))).toEqual(NOTHING);
  // Callers come all the while.
  await untilKnown(app);
});

test('a look-up that fails without a fault of the database does not close the gate', async () => {
  const postgres = await startPrivatePostgres();
  await addProfiles(postgres.url);
  const reader = createReader({ databaseUrl: postgres.url, isReader: true, limitMs: LONG_LIMIT_MS });
  const broken = {
    ...reader,
    findCaller: async (number: string) => (number === '+1555' ? fail() : reader.findCaller(number)),
  };
  const app = await startInitiation(postgres.url, { reader: broken });
  await untilKnown(app);
  expect(await app.variables('+1555')).toEqual(NOTHING);
  expect(await app.sample('landline_initiation_answers_total{kind="defaults",because="internal_error"}')).toBe(1);
  expect(await ready(app)).toEqual({ status: 'ready', database: 'up' });
  expect(app.log()).not.toContain('secret words');
});

function fail(): never {
  throw new Error('secret words');
}

const numberOf = (i: number) => `+2010055501${String(i).padStart(2, '0')}`;

async function addProfiles(url: string): Promise<void> {
  await runSql(
    url,
    `INSERT INTO user_profiles (user_id, language, dialect, phone_number, first_seen_at, last_seen_at)
     SELECT '+2010055501' || lpad(i::text, 2, '0'), 'ar', 'eg', '+2010055501' || lpad(i::text, 2, '0'), now(), now()
     FROM generate_series(0, 99) i`,
  );
}

/** Whether Postgres answers anybody else within the product's limit. On a busy machine it may not, and then nobody can be known. */
async function isInTime(url: string): Promise<boolean> {
  const began = performance.now();
  const answers = await runSql(url, 'SELECT 1').then(
    () => true,
    () => false,
  );
  return answers && performance.now() - began < LIMIT_MS;
}

/** On a busy machine most look-ups take longer than the product's limit, and then the answer is the defaults. */
async function untilKnown(app: TestInitiation): Promise<void> {
  await vi.waitUntil(async () => isKnown(await app.variables('+201005550199')), { timeout: 40_000, interval: 10 });
}

function isKnown(variables: unknown): boolean {
  return (
    typeof variables === 'object' &&
    variables !== null &&
    'caller_known' in variables &&
    variables.caller_known === true
  );
}

async function ready(app: TestInitiation): Promise<unknown> {
  return (await fetch(`${app.url}/health/ready`)).json();
}

async function backends(url: string): Promise<number> {
  const rows = await runSql(url, `SELECT 1 FROM pg_stat_activity WHERE application_name = 'landline initiation'`);
  return rows.length;
}
