import { beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { openTransactions } from '../../src/connection/transactions.ts';
import { eventFilterSchema } from '../../src/find/event-filter.ts';
import { openLedger, type OpenLedger } from '../../src/find/open-ledger.ts';
import { countMatching, searchText } from '../../src/find/search-text.ts';
import { storeOn } from '../../src/store.ts';
import { anEvent, applicable, AT, bodyOf, read, type Told } from '../support/an-event.ts';
import { withStore } from '../support/with-store.ts';

const context = withStore();
const MINUTE = 60_000;

/** Received at `AT` plus so many minutes. */
function received(told: Told, minutes: number, origin?: 'replay') {
  const event = anEvent(told);
  const delivery = { ...event.entry.delivery, receivedAt: AT + minutes * MINUTE, ...(origin && { origin }) };
  return { ...event, entry: { ...event.entry, delivery } };
}

const message = (conversation: string, text: string, more: object = {}): Told => ({
  type: 'conversation.message',
  eventId: `${conversation} ${text}`,
  data: { conversation_id: conversation, role: 'user', message: text, ...more },
});

let ledger: OpenLedger;
beforeAll(async () => {
  const { store } = context;
  await store.apply([
    received({ type: 'conversation.started', data: { conversation_id: 'c1', agent_id: 'a1', user_id: 'u1' } }, 1),
    received(
      { type: 'conversation.started', data: { conversation_id: 'c2', agent_id: 'a1', from_number: '+12025550123' } },
      2,
    ),
    received(message('c1', 'first words'), 3),
    received(message('c2', 'مرحبا'), 4, 'replay'),
    received(message('c1', 'LAST words'), 5),
    received({ type: 'something.new', data: { conversation_id: 'c3' } }, 6),
  ]);
  await context.sql(`UPDATE conversations SET external_number = '+12025550123' WHERE id = 'c2'`);
  await store.recordDead([dead('{"type":"conversation.message","data":{}}', 7, 'conversation_id_missing')]);
  await store.recordDead([dead('no json', 8, 'body_not_json')]);
  ledger = openLedger({ databaseUrl: context.url });
  return () => ledger.close();
});

function dead(body: string, minutes: number, code: string) {
  const { entry } = read(body);
  const delivery = { ...entry.delivery, receivedAt: AT + minutes * MINUTE };
  return { entry: { ...entry, delivery }, fault: { code, message: `${code} it is` }, attempts: 2 };
}

const filterOf = (words: Record<string, string>) => eventFilterSchema(AT + 60 * MINUTE).parse(words);
const minutesOf = (events: readonly { receivedAt: number }[]) =>
  events.map(({ receivedAt }) => (receivedAt - AT) / MINUTE);
const list = async (words: Record<string, string>, limit = 100) =>
  minutesOf(await ledger.list(filterOf(words), { limit }));

describe('events are listed, the newest first,', () => {
  test.each([
    [{}, [8, 7, 6, 5, 4, 3, 2, 1]],
    [{ type: 'conversation.message' }, [7, 5, 4, 3]],
    [{ outcome: 'applied' }, [5, 4, 3, 2, 1]],
    [{ outcome: 'ignored' }, [6]],
    [{ outcome: 'dead' }, [8, 7]],
    [{ error: 'body_not_json' }, [8]],
    [{ origin: 'replay' }, [4]],
    [{ origin: 'webhook' }, [8, 7, 6, 5, 3, 2, 1]],
    [{ conversation: 'c1' }, [5, 3, 1]],
    [{ agent: 'a1' }, [5, 4, 3, 2, 1]],
    [{ user: 'u1' }, [5, 3, 1]],
    [{ number: '+1 202 555 0123' }, [4, 2]],
    [{ agent: 'a1', user: 'u1', type: 'conversation.message' }, [5, 3]],
    [{ agent: 'a2' }, []],
    [{ since: new Date(AT + 3 * MINUTE).toISOString(), until: new Date(AT + 5 * MINUTE).toISOString() }, [4, 3]],
    [{ since: '55m' }, [8, 7, 6, 5]],
    [{ outcome: 'applied', origin: 'webhook', conversation: 'c1', since: '58m' }, [5, 3]],
  ])('by %j', async (words, minutes) => {
    expect(await list(words)).toEqual(minutes);
  });

  test('with all that a listing shows', async () => {
    const [event] = await ledger.list(filterOf({ error: 'body_not_json' }), { limit: 1 });
    expect(event).toEqual({
      id: read('no json').entry.id,
      eventKey: null,
      type: null,
      conversationId: null,
      eventAt: AT,
      receivedAt: AT + 8 * MINUTE,
      appliedAt: null,
      origin: 'webhook',
      outcome: 'dead',
      error: { code: 'body_not_json', message: 'body_not_json it is', attempts: 2 },
      bodyBytes: 7,
    });
  });

  test('page by page in both orders, without a gap or a repeat, also within one millisecond', async () => {
    const told = Array.from({ length: 7 }, (_, i) => received(message('same', `${i}`), -1));
    await context.store.apply(told);
    onTestFinished(async () => {
      await context.sql(`DELETE FROM webhook_events WHERE conversation_id = 'same'`);
    });
    for (const order of ['newest', 'oldest'] as const) {
      const seen: { receivedAt: number; id: string }[] = [];
      for (let more = true; more;) {
        const page = await ledger.list(filterOf({}), { order, limit: 4, after: seen.at(-1) });
        seen.push(...page);
        more = page.length > 0;
      }
      const byHand = seen.toSorted((a, b) => a.receivedAt - b.receivedAt || (a.id < b.id ? -1 : 1));
      expect(seen).toEqual(order === 'oldest' ? byHand : byHand.toReversed());
      expect(new Set(seen.map(({ id }) => id)).size).toBe(15);
    }
  });
});

test('a plan counts by type and outcome, and says when the first and the last came', async () => {
  expect(await countMatching(ledger, filterOf({}))).toEqual({
    total: 8,
    byType: { 'conversation.started': 2, 'conversation.message': 4, 'something.new': 1, unknown: 1 },
    byOutcome: { applied: 5, ignored: 1, dead: 2 },
    first: AT + MINUTE,
    last: AT + 8 * MINUTE,
  });
  expect(await countMatching(ledger, filterOf({ agent: 'nobody' }))).toEqual({
    total: 0,
    byType: {},
    byOutcome: {},
    first: null,
    last: null,
  });
  const words = await countMatching(ledger, filterOf({ text: 'WORDS', conversation: 'c1' }));
  expect(words).toMatchObject({ total: 2, first: AT + 3 * MINUTE, last: AT + 5 * MINUTE });
});

test('events that were applied since then match whatever became of them', async () => {
  const options = { limit: 100, order: 'oldest' } as const;
  const since = Date.now() - 3_600_000;
  expect(minutesOf(await ledger.list(filterOf({ outcome: 'dead' }), { ...options, appliedSince: since }))).toEqual([
    1, 2, 3, 4, 5, 7, 8,
  ]);
  const later = Date.now() + 3_600_000;
  expect(minutesOf(await ledger.list(filterOf({ outcome: 'dead' }), { ...options, appliedSince: later }))).toEqual([
    7, 8,
  ]);
});

async function search(words: Record<string, string>, signal?: AbortSignal) {
  const found: number[] = [];
  let looked = 0;
  let withoutBody = 0;
  const steps = searchText(ledger, {
    filter: { ...filterOf(words), text: words['text'] ?? '' },
    ...(signal && { signal }),
  });
  for (;;) {
    const step = await steps.next();
    if (step.done) return { found, looked, withoutBody, isComplete: step.value };
    found.push(...minutesOf(step.value.found));
    looked += step.value.looked;
    withoutBody += step.value.withoutBody;
  }
}

describe('a text is looked for in the bodies', () => {
  test('newest first, whatever its case', async () => {
    expect(await search({ text: 'words' })).toEqual({ found: [5, 3], looked: 8, withoutBody: 0, isComplete: true });
    expect(await search({ text: 'مرحبا' })).toMatchObject({ found: [4] });
    expect(await search({ text: 'words', since: '56m' })).toMatchObject({ found: [5], looked: 5 });
    expect(await search({ text: 'nobody said' })).toMatchObject({ found: [], isComplete: true });
  });

  test('until the time is over, and that is told', async () => {
    expect(await search({ text: 'words' }, AbortSignal.abort())).toEqual({
      found: [],
      looked: 0,
      withoutBody: 0,
      isComplete: false,
    });
  });

  test('and bodies that are gone are counted', async () => {
    const id = read('no json').entry.id;
    await context.sql(`CREATE TABLE kept AS SELECT * FROM webhook_bodies WHERE event_id = '${id}'`);
    await context.sql(`DELETE FROM webhook_bodies WHERE event_id = '${id}'`);
    onTestFinished(async () => {
      await context.sql('INSERT INTO webhook_bodies SELECT * FROM kept');
    });
    expect(await search({ text: 'json' })).toEqual({ found: [], looked: 8, withoutBody: 1, isComplete: true });
  });
});

test('bodies are read as they were received, with their states', async () => {
  const { id } = read('no json').entry;
  const [stored] = await ledger.bodies([id]);
  expect(stored?.delivery).toMatchObject({ body: 'no json', encoding: 'utf8', receivedAt: AT + 8 * MINUTE });
  expect(await ledger.states([id, '00000000-0000-4000-8000-000000000000'])).toEqual(
    new Map([[id, { outcome: 'dead', code: 'body_not_json', attempts: 2 }]]),
  );
  const [page] = await ledger.page(filterOf({ error: 'body_not_json' }), { limit: 1 });
  expect(page?.storedBytes).toBe(7);
});

test('nothing can be changed over it', async () => {
  const transactions = openTransactions({ databaseUrl: context.url, isReadOnly: true });
  const store = storeOn(transactions);
  onTestFinished(() => store.close());
  const event = applicable(read(bodyOf({ type: 'x', data: { conversation_id: 'c' } })));
  await expect(store.apply([event])).rejects.toMatchObject({ code: '25006' });
});
