import { normalise } from '@landline/webhook';
import type { DeliveryBody } from '@landline/webhook/delivery';
import { beforeEach, expect, test } from 'vitest';
import type { DeadEvent } from '../src/ledger/ledger-statement.ts';
import { withStore } from './support/with-store.ts';

const context = withStore();
const AT = 1_767_225_600_000;

/** Bodies that no column of text would hold as they are. */
const BODIES: [DeliveryBody['encoding'], string][] = [
  ['utf8', 'not json \u0000 \uFEFF "\\\\" {é}'],
  ['utf8', ''],
  ['base64', Buffer.from([0xff, 0xfe, 0x00, 0x5c, 0x27]).toString('base64')],
];

function dead([encoding, body]: (typeof BODIES)[number], receivedAt: number, attempts = 1): DeadEvent {
  const event = normalise({ receivedAt, signedAt: AT / 1000, secretId: 'ab12', encoding, body });
  if (event.outcome !== 'dead') throw new Error('This event is to be dead.');
  return { entry: event.entry, fault: event.fault, attempts };
}

beforeEach(() => context.sql('DELETE FROM webhook_events; DELETE FROM webhook_bodies').then(() => undefined));

test('dead events are listed oldest first, page by page, also where several came in one millisecond', async () => {
  const events = Array.from({ length: 7 }, (_, i) => dead(['utf8', `no json ${i}`], AT + Math.floor(i / 3)));
  await context.store.recordDead(events);
  const pages = [];
  for (let after; ; after = pages.at(-1)?.at(-1)) {
    const page = await context.store.listDead({ after, limit: 2 });
    if (page.length === 0) break;
    pages.push(page);
  }
  expect(pages.map((page) => page.length)).toEqual([2, 2, 2, 1]);
  expect(pages.flat().map(({ receivedAt }) => receivedAt - AT)).toEqual([0, 0, 0, 1, 1, 1, 2]);
  expect(new Set(pages.flat().map(({ id }) => id))).toEqual(new Set(events.map(({ entry }) => entry.id)));
  expect(pages.flat().map(({ bytes }) => bytes)).toEqual(Array(7).fill(9));
});

test('a dead event is read with its exact bytes, its fault and its attempts', async () => {
  const events = BODIES.map((body, i) => dead(body, AT + i, i + 1));
  await context.store.recordDead(events);
  const records = await context.store.readDead(events.map(({ entry }) => entry.id));
  expect(records).toEqual(
    events.map(({ entry, fault, attempts }) => ({
      id: entry.id,
      delivery: { ...entry.delivery, secretId: 'ledger' },
      fault,
      attempts,
    })),
  );
});

test('an event that is not dead any more is neither listed, read nor counted', async () => {
  const [first, second] = [dead(['utf8', 'one'], AT), dead(['utf8', 'two'], AT + 1)];
  await context.store.recordDead([first, second]);
  expect(await context.store.countDead()).toBe(2);
  await context.sql(`UPDATE webhook_events SET outcome = 'applied' WHERE id = '${first.entry.id}'`);
  expect(await context.store.countDead()).toBe(1);
  expect((await context.store.listDead({ limit: 9 })).map(({ id }) => id)).toEqual([second.entry.id]);
  const read = await context.store.readDead([first.entry.id, second.entry.id]);
  expect(read.map(({ id }) => id)).toEqual([second.entry.id]);
  expect(await context.store.isDead(first.entry.id)).toBe(false);
  expect(await context.store.isDead(second.entry.id)).toBe(true);
});

test('a dead event that a later delivery revives is applied under the receipt that the ledger keeps', async () => {
  const body =
    '{"type":"conversation.message","event_id":"e","timestamp":1767225600,"data":{"conversation_id":"c","message":"a"}}';
  const [first, later] = [AT + 2_000, AT + 9_000].map((receivedAt) => {
    const event = normalise({ receivedAt, signedAt: AT / 1000, secretId: 'ab12', encoding: 'utf8', body });
    if (event.outcome !== 'applied') throw new Error('This event is to be applied.');
    return event;
  });
  if (first === undefined || later === undefined) throw new Error('There are two.');
  await context.store.recordDead([{ entry: first.entry, fault: { code: 'x', message: 'x' }, attempts: 1 }]);
  await context.store.apply([later]);
  const [clock] = await context.sql(`SELECT replace(clock::text, '-', '') AS clock FROM conversation_messages`);
  // In the middle of a clock is the delay until the receipt: 2^39 and these 2,000 ms.
  expect(clock).toEqual({ clock: expect.stringMatching(/^02019b76daa80080000007d0/) });
  expect(
    await context.sql('SELECT (extract(epoch FROM received_at) * 1000)::float8 AS at FROM webhook_events'),
  ).toEqual([{ at: AT + 2_000 }]);
});
