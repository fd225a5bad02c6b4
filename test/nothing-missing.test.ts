import { FETCH_CONVERSATION, fetchConversationWords, RECONCILE } from '@landline/operations';
import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { beforeAll, describe, expect, onTestFinished, test, vi } from 'vitest';
import { SAME_DAY } from '../packages/operations/test/reconcile/same-day.ts';
import type { Tables } from '../packages/store/test/support/read-tables.ts';
import { rowsOf, rowsOfWebhooks, startLine, type Line } from './nothing-missing/line.ts';
import {
  allBodies,
  atProvider,
  bodiesOf,
  bodiesThatCame,
  idsOf,
  makeScenario,
  unfetchableOf,
  whenOver,
  type Scenario,
  type Sizes,
} from './nothing-missing/scenario.ts';
import { differencesOf, differenceText } from './support/compare-tables.ts';
import { AGENT_ID, audioOf, type Account } from './support/provider/conversation.ts';
import type { Fault } from './support/provider/faults.ts';
import { startProvider, type StandIn } from './support/provider/start-provider.ts';
import { scrape, valueOf } from './support/scrape.ts';

/** NOTHING_MISSING=whole: the sizes that the promise names. */
const IS_WHOLE = process.env['NOTHING_MISSING'] === 'whole';
const SIZES: Sizes = IS_WHOLE
  ? { all: 2_000, never: 150, silent: 40, deleted: 10, running: 20 }
  : { all: 120, never: 15, silent: 4, deleted: 3, running: 2 };
const TIMEOUT = IS_WHOLE ? 900_000 : 240_000;
/** How many events of calls that are complete already are sent, or fetched, once more. */
const AGAIN = 3;

const LIST = '/v1/convai/conversations';

/** A page that comes well, between two that do not. */
const WELL: Fault = { kind: 'slow', pauseMs: 0 };
const FAULTS: readonly Fault[] = [
  { kind: 'too_many_concurrent_requests', wait: { seconds: 1, as: 'retry-after' } },
  WELL,
  { kind: 'internal_error' },
  { kind: 'slow', pauseMs: 300 },
  { kind: 'cut' },
  WELL,
  { kind: 'system_busy' },
];

/** The same calls for each test. */
let scenario: Scenario;
/** The rows of a line that lost none of them. */
let expected: Tables;

beforeAll(async () => {
  scenario = makeScenario(SIZES, Math.floor(Date.now() / 1000));
  expected = await rowsOfWebhooks(allBodies(scenario));
}, TIMEOUT);

/** A line that lost some calls, and the provider that has them. */
async function startAll() {
  const provider = await startProvider({ conversations: atProvider(scenario) });
  onTestFinished(() => provider.close());
  for (const id of idsOf(scenario.deleted.listed)) {
    provider.fail({ path: `${LIST}/${id}`, kind: 'not_found', times: 'always' });
  }
  return { provider, line: await lineThatLost() };
}

async function lineThatLost(): Promise<Line> {
  const line = await startLine();
  await line.withWorker(async () => {
    await line.deliver(bodiesThatCame(scenario));
    expect(await line.erase('user_erased')).toMatchObject({ status: 'done' });
  });
  return line;
}

/** What differs by intent: by which event a recording came, and where and when it was stored. Whether it was is compared. */
const OWN_VALUES = ['event_id', 'url', 'stored_at'];

/** Returns what of a row is the same on both lines. How complete a call is, and why, stands on one alone. */
function comparableRow(row: Record<string, unknown>): Record<string, unknown> {
  const cells = Object.entries(row)
    .filter(([name]) => !name.startsWith('completeness'))
    .map(([name, value]) => [name, OWN_VALUES.includes(name) ? value !== null : value]);
  return Object.fromEntries(cells);
}

/** Returns the rows of the calls that both lines have. */
function comparable(rows: Tables): Tables {
  const left = [...unfetchableOf(scenario), scenario.erased, scenario.forgotten];
  const keys = new Set<unknown>(left.flatMap(({ conversation_id: id, user_id: user }) => [id, user]));
  const isShared = (row: Record<string, unknown>) =>
    !['id', 'conversation_id', 'user_id'].some((column) => keys.has(row[column]));
  const shared = Object.entries(rows).map(([table, all]) => [table, all.filter(isShared).map(comparableRow)]);
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the tables are the same
  return Object.fromEntries(shared) as Tables;
}

/** The rows are those of the line that lost nothing, and fetched audio is in the storage as the provider has it. */
async function expectSameRows(line: Line): Promise<void> {
  const found = comparable(await rowsOf(line));
  const different = differencesOf(comparable(expected), found).map(differenceText);
  expect(different.slice(0, 10)).toEqual([]);
  expect(found.conversations).toHaveLength(SIZES.all - SIZES.deleted - 2);
  // The webhooks of the first ones came in the end.
  const id = idsOf(scenario.never).at(-1) ?? '';
  const [{ url } = {}] = await line.sql(`SELECT url FROM conversation_recordings WHERE conversation_id = '${id}'`);
  expect((await readFile(fileURLToPath(String(url)))).equals(audioOf(id))).toBe(true);
}

/** Returns how often a call's account, or its audio, was asked for. */
function askedFor({ requests }: StandIn, part = ''): Map<string, number> {
  const asked = new Map<string, number>();
  for (const { method, path } of requests) {
    const [, id] = new RegExp(`^${LIST}/([^/]+)${part}$`).exec(path) ?? [];
    if (id !== undefined && method === 'GET') asked.set(id, (asked.get(id) ?? 0) + 1);
  }
  return asked;
}

const onceEach = (...accounts: (readonly Account[])[]): Map<string, number> =>
  new Map(idsOf(accounts.flat()).map((id) => [id, 1]));

/** Returns the faults that requests have met. */
const metBy = ({ requests }: StandIn) => new Set(requests.flatMap(({ fault }) => fault ?? []));

/** Leaves out ids; the order does not matter. */
function without(asked: Map<string, number>, accounts: readonly Account[]): Map<string, number> {
  const left = new Set(idsOf(accounts));
  return new Map([...asked].filter(([id]) => !left.has(id)));
}

/** What is completed by a run once the running calls are over. */
function endAll({ conversations }: StandIn): void {
  for (const account of scenario.running) conversations.set(account.conversation_id, whenOver(account));
}

async function expectEnd(line: Line): Promise<void> {
  const { erased, forgotten } = scenario;
  const completeness = await line.completeness();
  const isNot = (wanted: string, accounts: readonly Account[]) =>
    idsOf(accounts).filter((id) => completeness.get(id) !== wanted);
  expect(isNot('unfetchable', unfetchableOf(scenario))).toEqual([]);
  expect(isNot('erased', [erased, forgotten])).toEqual([]);
  expect(isNot('complete', [...scenario.came, ...scenario.never, ...scenario.silent, ...scenario.running])).toEqual([]);
  expect(completeness.size).toBe(SIZES.all);
  const traces = await line.sql(
    `SELECT 1 FROM conversation_messages WHERE conversation_id IN ('${erased.conversation_id}', '${forgotten.conversation_id}')`,
  );
  expect(traces).toEqual([]);
}

const gauge = async (healthUrl: string, name: string) =>
  valueOf(await scrape(healthUrl), `landline_conversations_${name}`);

describe(`of ${SIZES.all} calls ${SIZES.never} never came, ${SIZES.silent} came without audio`, () => {
  test(
    'exactly what is missing is fetched, once, and the rows are those that webhooks give',
    { timeout: TIMEOUT },
    async () => {
      const { provider, line } = await startAll();
      const { never, silent, running, came, deleted, forgotten, erased } = scenario;
      const worker = await line.startWorker(provider);
      const first = await line.untilDone(RECONCILE);

      expect(first).toMatchObject({ status: 'done' });
      const reasons = 'SELECT id FROM conversations WHERE completeness_reason IS NOT NULL ORDER BY id COLLATE "C"';
      expect((await line.sql(reasons)).map(({ id }) => id)).toEqual(idsOf(unfetchableOf(scenario)).toSorted());
      expect(without(askedFor(provider), unfetchableOf(scenario))).toEqual(onceEach(never, [forgotten]));
      expect(without(askedFor(provider, '/audio'), deleted.voiceless)).toEqual(onceEach(never, silent));
      const asked = askedFor(provider);
      expect(idsOf(unfetchableOf(scenario)).every((id) => (asked.get(id) ?? 0) <= 2)).toBe(true);
      const reconciliations =
        'SELECT waiting::int, fetched::int, fetched_recordings::int, unfetchable::int, error FROM reconciliations';
      expect(await line.sql(reconciliations)).toEqual([
        {
          waiting: running.length,
          fetched: never.length,
          fetched_recordings: never.length + silent.length,
          unfetchable: SIZES.deleted,
          error: null,
        },
      ]);
      await expect.poll(() => gauge(worker.healthUrl, 'missing'), { timeout: 20_000 }).toBe(0);
      expect(await gauge(worker.healthUrl, 'unfetchable')).toBe(SIZES.deleted);

      // A second run fetches nothing; webhooks that come late, and what is fetched again, change nothing.
      const before = provider.requests.length;
      await line.sql(SAME_DAY);
      expect(await line.run()).toMatchObject({ status: 'done' });
      const second = provider.requests.slice(before).filter(({ path }) => path.startsWith(`${LIST}/`));
      expect(second).toEqual([]);
      await line.deliver(never.slice(0, AGAIN).flatMap(bodiesOf));
      for (const id of idsOf(came.slice(0, AGAIN))) {
        // oxlint-disable-next-line no-await-in-loop -- one after the other
        expect(await line.run(FETCH_CONVERSATION, fetchConversationWords(id))).toMatchObject({ status: 'done' });
      }
      endAll(provider);
      await line.sql(SAME_DAY);
      const plan: unknown = JSON.parse(await line.landline(provider, 'reconcile', '--plan', '--json'));
      expect(plan).toMatchObject({ missing: expect.toSatisfy(sameAs(running)), waiting: [], without_recording: [] });
      expect(await line.run()).toMatchObject({ status: 'done' });
      const again = came.slice(0, AGAIN);

      expect(without(askedFor(provider), unfetchableOf(scenario))).toEqual(
        onceEach(never, running, again, [forgotten]),
      );
      expect(without(askedFor(provider, '/audio'), deleted.voiceless)).toEqual(onceEach(never, silent, running));
      expect(askedFor(provider).has(erased.conversation_id)).toBe(false);
      expect(provider.mostAtOnce()).toBeLessThanOrEqual(2);
      await expectSameRows(line);
      await expectEnd(line);
      // What is fetched again was complete.
      const fetched = never.length + silent.length + running.length;
      expect(await gauge(worker.healthUrl, 'fetched_total')).toBe(fetched);
    },
  );

  test(
    'the worker is killed in the middle, the list is full of faults, and it still ends so',
    { timeout: TIMEOUT },
    async () => {
      const { provider, line } = await startAll();
      const { never, silent, deleted, running, erased } = scenario;
      // One that was heard live would be asked for by its id, and be unfetchable.
      const late = never.slice(1, 2);
      for (const { conversation_id: id } of late) provider.conversations.delete(id);
      for (const fault of FAULTS) provider.fail({ path: LIST, ...fault });
      // Audio whose end never comes holds the run in the middle.
      provider.fail({ path: /\/audio$/, kind: 'stalled', after: Math.floor(never.length / 3) });
      const worker = await line.startWorker(provider);
      await vi.waitUntil(() => metBy(provider).has('stalled'), { timeout: 60_000, interval: 5 });
      worker.kill('SIGKILL');
      await worker.exited;
      const run = `SELECT status, fence::int FROM operations WHERE kind = '${RECONCILE}' ORDER BY created_at LIMIT 1`;
      expect(await line.sql(run)).toEqual([{ status: 'running', fence: 1 }]);
      // The long form waits until the lease of the killed worker has run out.
      if (!IS_WHOLE) await line.sql(`UPDATE operations SET lease_until = clock_timestamp() WHERE status = 'running'`);
      const next = await line.startWorker(provider);

      expect(await line.untilDone(RECONCILE)).toMatchObject({ status: 'done' });
      expect(await line.sql(run)).toEqual([{ status: 'done', fence: 2 }]);
      expect(
        await line.sql('SELECT fetched::int, fetched_recordings::int, unfetchable::int FROM reconciliations'),
      ).toEqual([
        {
          fetched: never.length - late.length,
          fetched_recordings: never.length - late.length + silent.length,
          unfetchable: SIZES.deleted,
        },
      ]);
      for (const account of late) provider.conversations.set(account.conversation_id, account);
      endAll(provider);
      const before = provider.requests.length;
      await line.sql(SAME_DAY);
      expect(await line.run()).toMatchObject({ status: 'done' });
      const since = { ...provider, requests: provider.requests.slice(before) };
      expect(askedFor(since)).toEqual(onceEach(late, running));
      expect(askedFor(provider).has(erased.conversation_id)).toBe(false);
      expect(askedFor(provider, '/audio').has(deleted.gone[0]?.conversation_id ?? '')).toBe(false);
      expect(metBy(provider)).toEqual(new Set([...FAULTS.map(({ kind }) => kind), 'stalled', 'not_found']));
      await expect.poll(() => gauge(next.healthUrl, 'missing'), { timeout: 20_000 }).toBe(0);
      await expectSameRows(line);
      await expectEnd(line);
    },
  );

  test(
    'a key that saw some agents only: what it did not see is fetched once it does',
    { timeout: TIMEOUT },
    async () => {
      const few = makeScenario({ all: 12, never: 3, silent: 2, deleted: 0, running: 0 }, Math.floor(Date.now() / 1000));
      const hidden = [...few.never, ...few.silent];
      for (const account of hidden) account.agent_id = 'agent_hidden';
      const provider = await startProvider({ conversations: atProvider(few) });
      onTestFinished(() => provider.close());
      const line = await startLine();
      await line.withWorker(() => line.deliver(bodiesThatCame(few)));
      provider.keys.set(provider.apiKey, { isAdmin: true, agents: [AGENT_ID] });
      await line.startWorker(provider);

      expect(await line.untilDone(RECONCILE)).toMatchObject({ status: 'done' });
      const before = await line.completeness();
      expect(idsOf(hidden).filter((id) => before.get(id) === 'complete')).toEqual([]);
      // The first comparison of a day asks again for what it could not fetch.
      await line.sql(`UPDATE reconciliations SET window_to = window_to - interval '1 day'`);
      provider.keys.set(provider.apiKey, { isAdmin: true });
      expect(await line.run()).toMatchObject({ status: 'done' });
      expect(await line.completeness()).toEqual(new Map(idsOf(atProvider(few)).map((id) => [id, 'complete'])));
    },
  );
});

/** Whether ids are those of conversations, in any order. */
const sameAs = (accounts: readonly Account[]) => (ids: readonly string[]) =>
  ids.toSorted().join() === idsOf(accounts).toSorted().join();
