import type { BodyReference, Recording } from '@landline/webhook/delivery';
import { beforeEach, describe, expect, test } from 'vitest';
import { LEDGER } from '../../../test/support/ledger.ts';
import type { ApplicableEvent } from '../src/apply.ts';
import { applicable, AT, bodyOf, read } from './support/an-event.ts';
import { withStore } from './support/with-store.ts';

const context = withStore();

const MINUTE = 60_000;
// printf 'abc' | sha256sum
const SHA256_OF_ABC = 'ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad';
const IDS = ['aaaaaaaa-0000-4000-8000-000000000000', 'bbbbbbbb-0000-4000-8000-000000000000'] as const;
/** The ledger id of `inline()`. */
const INLINE_ID = inline().entry.id;

beforeEach(() =>
  context
    .sql('DELETE FROM conversation_recordings; DELETE FROM webhook_events; DELETE FROM webhook_bodies')
    .then(() => undefined),
);

/** Audio in the body itself. */
function inline({ at = AT, conversation_id = 'call', full_audio = 'YWJj' } = {}): ApplicableEvent {
  return applicable(read(bodyOf({ type: 'post_call_audio', at, data: { conversation_id, full_audio } })));
}

/** The same audio, cut out of its body. */
function cutOut(eventId: string, url: string | null, at = AT, recorded: Partial<Recording> = {}): ApplicableEvent {
  const storedAt = url === null ? null : at + 5000;
  const recording = { at: 9, bytes: 3, sha256: SHA256_OF_ABC, contentType: 'audio/mpeg', url, storedAt, ...recorded };
  const reference: BodyReference = { eventId, bytes: 1000, recording };
  const body = bodyOf({ type: 'post_call_audio', at, data: { conversation_id: 'call', full_audio: '' } });
  return applicable(read(body, { reference }));
}

const recordings = () =>
  context.sql(`SELECT conversation_id, event_id, url, content_type, bytes::int, sha256, created_at, stored_at, deleted_at
    FROM conversation_recordings ORDER BY conversation_id, sha256`);

function permutations<T>(items: readonly T[]): T[][] {
  if (items.length < 2) return [[...items]];
  return items.flatMap((item, i) => permutations(items.toSpliced(i, 1)).map((rest) => [item, ...rest]));
}

/** Applies events in every order, one by one and as one group: all must end in the same one row, which it returns. */
async function inEveryOrder(events: readonly ApplicableEvent[]): Promise<Record<string, unknown> | undefined> {
  const seen: Record<string, unknown>[] = [];
  for (const order of permutations(events)) {
    for (const groups of [[order], order.map((event) => [event])]) {
      // oxlint-disable no-await-in-loop -- one order after another
      await context.sql('DELETE FROM conversation_recordings; DELETE FROM webhook_events; DELETE FROM webhook_bodies');
      for (const group of groups) await context.store.apply(group);
      const rows = await recordings();
      expect(rows).toHaveLength(1);
      seen.push(...rows);
      expect(seen.at(-1)).toEqual(seen[0]);
    }
  }
  return seen[0];
}

describe('a recording', () => {
  test('has the facts of its reference', async () => {
    await context.store.apply([cutOut(IDS[0], 's3://calls/é "1".mp3', AT, { bytes: 5_000_000_000 })]);
    const [row] = await context.sql('SELECT *, bytes::text AS bytes FROM conversation_recordings');
    expect(row).toEqual({
      conversation_id: 'call',
      event_id: IDS[0],
      url: 's3://calls/é "1".mp3',
      content_type: 'audio/mpeg',
      bytes: '5000000000',
      sha256: SHA256_OF_ABC,
      created_at: new Date(AT),
      stored_at: new Date(AT + 5000),
      deleted_at: null,
    });
  });

  test('of audio in the body has no URL; empty audio is none', async () => {
    await context.store.apply([inline(), inline({ conversation_id: 'silent', full_audio: '' })]);
    expect(await recordings()).toMatchObject([
      { conversation_id: 'call', event_id: INLINE_ID, url: null, bytes: 3, sha256: SHA256_OF_ABC, stored_at: null },
    ]);
  });

  test('is one for each conversation and audio', async () => {
    const [other, elsewhere] = [inline({ full_audio: 'YWJk' }), inline({ conversation_id: 'another call' })];
    await context.store.apply([inline(), other, elsewhere]);
    expect(await recordings()).toHaveLength(3);
  });
});

describe('of several events with the same audio', () => {
  test('one that has a URL outranks an earlier one that has none', async () => {
    const later = cutOut(IDS[0], 'file:/later.mp3', AT + MINUTE);
    expect(await inEveryOrder([inline(), later, cutOut(IDS[1], null, AT - MINUTE)])).toMatchObject({
      event_id: IDS[0],
      url: 'file:/later.mp3',
      created_at: new Date(AT + MINUTE),
      stored_at: new Date(AT + MINUTE + 5000),
    });
  });

  test('the earliest with a URL stands', async () => {
    const [first, second] = [cutOut(IDS[1], 'file:/1.mp3', AT), cutOut(IDS[0], 'file:/2.mp3', AT + 1)];
    expect(await inEveryOrder([first, second])).toMatchObject({ event_id: IDS[1], url: 'file:/1.mp3' });
  });

  test('of one time the least event id stands, with a URL as without', async () => {
    const kept = [cutOut(IDS[0], 'file:/a.mp3'), cutOut(IDS[1], 'file:/b.mp3')];
    expect(await inEveryOrder(kept)).toMatchObject({ event_id: IDS[0], url: 'file:/a.mp3' });
    const lost = [cutOut(IDS[0], null), cutOut(IDS[1], null)];
    expect(await inEveryOrder(lost)).toMatchObject({ event_id: IDS[0], url: null });
  });

  test('a delivery whose audio was kept counts also where the same event came before without', async () => {
    const deliveries = [cutOut(IDS[0], null), cutOut(IDS[0], 'file:/kept.mp3')];
    expect(await inEveryOrder(deliveries)).toMatchObject({ event_id: IDS[0], url: 'file:/kept.mp3' });
  });

  test('none takes a deletion back', async () => {
    await context.store.apply([inline()]);
    await context.sql(`UPDATE conversation_recordings SET deleted_at = '2026-02-01T00:00:00Z'`);
    await context.store.apply([cutOut(IDS[0], 'file:/again.mp3')]);
    expect(await recordings()).toMatchObject([
      { url: 'file:/again.mp3', deleted_at: new Date('2026-02-01T00:00:00Z') },
    ]);
  });

  test('a repeat writes nothing', async () => {
    const version = () => context.sql('SELECT ctid::text, xmin::text FROM conversation_recordings');
    const event = cutOut(IDS[0], 'file:/kept.mp3');
    await context.store.apply([event]);
    const before = await version();
    await context.store.apply([event, event]);
    expect(await version()).toEqual(before);
  });
});

describe('the reference of a body', () => {
  const FAULT = { code: 'body_too_large', message: 'It has \ud800 "20" MiB.\u0000' };

  test('is in the ledger beside the envelope, and null where the body is whole', async () => {
    const event = cutOut(IDS[0], 'file:/kept.mp3');
    await context.store.apply([event, inline()]);
    const rows = await context.sql(`SELECT id, body, body_reference FROM ${LEDGER} ORDER BY body_reference`);
    expect(rows).toEqual([
      {
        id: IDS[0],
        body: Buffer.from(event.entry.delivery.body),
        body_reference: event.entry.delivery.reference,
      },
      { id: INLINE_ID, body: Buffer.from(inline().entry.delivery.body), body_reference: null },
    ]);
  });

  test('stays with the body that came first', async () => {
    await context.store.apply([cutOut(IDS[0], 'file:/first.mp3')]);
    await context.store.apply([cutOut(IDS[0], 'file:/second.mp3')]);
    const rows = await context.sql(`SELECT body_reference #>> '{recording,url}' AS url FROM webhook_events`);
    expect(rows).toEqual([{ url: 'file:/first.mp3' }]);
  });

  test('comes back with a dead event, whose size is that of the envelope', async () => {
    const reference = { eventId: IDS[1], bytes: 20_000_000, bodyUrl: 'file:/bodies/1', fault: FAULT, later: [1] };
    const event = read('{"type":"x"}', { reference });
    if (event.outcome !== 'dead') throw new Error('This event is to be dead.');
    expect(await context.store.recordDead([{ ...event, attempts: 1 }])).toEqual(new Set([IDS[1]]));
    expect(await context.store.listDead({ limit: 9 })).toMatchObject([{ id: IDS[1], bytes: 12 }]);
    const [record] = await context.store.readDead([IDS[1]]);
    const storable = 'It has \ufffd "20" MiB.\ufffd';
    expect(record).toMatchObject({ id: IDS[1], fault: { code: 'body_too_large', message: storable } });
    expect(record?.delivery).toEqual({
      ...event.entry.delivery,
      secretId: 'ledger',
      reference: { ...reference, fault: { ...FAULT, message: storable } },
    });
  });

  test('is not there in a dead event whose body is whole', async () => {
    const event = read('no json');
    if (event.outcome !== 'dead') throw new Error('This event is to be dead.');
    await context.store.recordDead([{ ...event, attempts: 1 }]);
    const [record] = await context.store.readDead([event.entry.id]);
    expect(Object.keys(record?.delivery ?? {})).not.toContain('reference');
  });
});
