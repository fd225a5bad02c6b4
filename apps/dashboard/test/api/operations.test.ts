import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { recordDeadBodies } from '../../../../test/support/dead-ledger.ts';
import { openConsole, type AConsole } from './support/a-console.ts';
import { apply, AT, transcript } from './support/filled.ts';

/** A refused request that another secret may make good. */
const REFUSED = {
  id: '11111111-1111-4111-8111-111111111111',
  receivedAt: AT,
  code: 'signature_mismatch',
  cause: 'body_changed',
  advice: 'x',
  header: 't=1,v0=2',
  headers: {},
  sender: null,
  body: Buffer.from('x'),
  bodyBytes: 1,
  readmittedAt: null,
} as const;

let console_: AConsole;
beforeAll(async () => {
  console_ = await openConsole();
  const { store } = console_;
  await apply(store, [transcript('conv-1'), transcript('conv-2')]);
  await recordDeadBodies(store, [Buffer.from('{"a":1}'), Buffer.from('{"a":2}'), Buffer.from('{"a":3}')], AT);
  await store.keepRejected(REFUSED);
});
afterAll(() => console_.close());
beforeEach(async () => {
  for (const shard of console_.queues.shards()) await shard.requests.drain();
});

function post(url: string, payload?: object) {
  return console_.ask(url, { method: 'POST', ...(payload && { payload }) });
}

/** What was left to the workers. */
async function requests(): Promise<unknown[]> {
  const jobs = await Promise.all(console_.queues.shards().map(({ requests: queue }) => queue.getJobs('waiting')));
  return jobs.flat().map(({ data }) => data);
}

describe('a plan', () => {
  it('of a replay counts its events, and has absolute times', async () => {
    const plan = (
      await post('/operations/plan', { kind: 'replay', filter: { outcome: 'dead', since: '2026-01-01' } })
    ).json();
    expect(plan).toMatchObject({
      kind: 'replay',
      total: 3,
      text: '3 events would go through the worker again (3 dead). What is applied already changes nothing.',
      parts: [{ counts: { dead: 3 } }, { name: 'by type' }],
    });
    expect(plan.filter).toEqual({
      outcome: 'dead',
      since: '2026-01-01T00:00:00.000Z',
      until: expect.stringMatching(/Z$/),
    });
    const { total, text } = (await post('/operations/plan', { kind: 'replay', filter: { text: 'find_order' } })).json();
    expect([total, text]).toEqual([2, expect.stringContaining('2 applied')]);
  });

  it('of a readmission counts by cause', async () => {
    const plan = (await post('/operations/plan', { kind: 'readmit', filter: { cause: 'body_changed' } })).json();
    expect(plan).toMatchObject({
      total: 1,
      parts: [{ counts: { body_changed: 1 } }],
      filter: { cause: 'body_changed' },
    });
    expect(plan.text).toMatch(/^1 refused request would be verified anew/);
  });

  it('of a readmission leaves out what was readmitted before, and what nobody can readmit', async () => {
    const { store } = console_;
    const others = [
      { cause: 'body_changed', readmittedAt: AT },
      { cause: 'another_secret', readmittedAt: AT },
      { cause: 'no_signature', readmittedAt: null },
      { cause: 'body_cut', readmittedAt: null },
    ] as const;
    for (const [n, other] of others.entries()) {
      const id = `3333333${n}-3333-4333-8333-333333333333`;
      await store.keepRejected({ ...REFUSED, ...other, id, receivedAt: AT + n });
    }
    const plan = (await post('/operations/plan', { kind: 'readmit', filter: {} })).json();
    expect(plan).toMatchObject({ total: 1, is_whole: true, parts: [{ counts: { body_changed: 1 } }] });
    expect(plan.text).toMatch(
      / 2 requests were readmitted before\. 2 requests can never be readmitted: no secret makes them good\.$/,
    );
    const none = (await post('/operations/plan', { kind: 'readmit', filter: { cause: 'no_signature' } })).json();
    expect([none.total, none.text]).toEqual([
      0,
      'No refused request waits for this: nothing would be readmitted. 1 request can never be readmitted: no secret makes it good.',
    ]);
  });

  it('of an erasure says what would be forgotten', async () => {
    const plan = (await post('/operations/plan', { kind: 'erase', by: 'user', value: 'user-1' })).json();
    expect(plan).toMatchObject({ total: 2, filter: { by: 'user', value: 'user-1' } });
    expect(plan.text).toMatch(
      /^2 conversations with 6 messages and 0 recordings, the bodies of 2 events and 1 profile/,
    );
    const nobody = (await post('/operations/plan', { kind: 'erase', by: 'user', value: 'nobody' })).json();
    expect([nobody.total, nobody.text]).toEqual([0, 'There is no user nobody: nothing of it would be forgotten.']);
  });

  it('of a rebuild says of how many events, or that there is nothing to rebuild', async () => {
    const body = { kind: 'rebuild-conversation', conversation: 'conv-1' };
    const plan = (await post('/operations/plan', body)).json();
    expect(plan).toMatchObject({ total: 1, parts: [{ counts: { events: 1 } }] });
    const none = await post('/operations/plan', { ...body, conversation: 'none' });
    expect([none.statusCode, none.json().code]).toEqual([404, 'conversation_missing']);
    await console_.sql(
      `DELETE FROM webhook_bodies b USING webhook_events e WHERE e.id = b.event_id AND e.conversation_id = 'conv-2'`,
    );
    const gone = await post('/operations/plan', { ...body, conversation: 'conv-2' });
    expect([gone.statusCode, gone.json().code]).toEqual([409, 'not_rebuildable']);
  });

  it.each([
    [{ kind: 'forget' }, 'kind'],
    [{ kind: 'replay', filter: { colour: 'red' } }, 'colour'],
    [{ kind: 'replay', filter: { type: 'x' }, rate: 0 }, 'rate'],
    [{ kind: 'readmit', filter: { cause: 'none' } }, 'cause'],
    [{ kind: 'erase', by: 'number', value: 'anonymous' }, 'names nobody'],
    [{ kind: 'erase', by: 'name', value: 'x' }, 'by'],
    [{ kind: 'erase', by: 'user', value: 'a\0b' }, 'value'],
  ])('of what cannot be meant is refused: %j', async (body, word) => {
    for (const url of ['/operations/plan', '/operations']) {
      const answer = await post(url, body);
      expect([answer.statusCode, answer.json().message]).toEqual([400, expect.stringContaining(word)]);
    }
    expect(await requests()).toEqual([]);
  });
});

describe('what is asked for', () => {
  it('is left to a worker, and known at once', async () => {
    const started = await post('/operations', { kind: 'replay', filter: { outcome: 'dead' }, rate: 100 });
    expect(started.statusCode).toBe(202);
    const { id } = started.json();
    const filter = { outcome: 'dead', until: expect.any(String) };
    const request = { do: 'start', id, kind: 'replay', filter, rate: 100, requestedBy: 'admin' };
    expect(await requests()).toEqual([{ v: 1, request }]);
    expect((await console_.ask(`/operations/${id}`)).json()).toMatchObject({
      id,
      status: 'asked',
      requested_by: 'admin',
    });
    expect((await console_.ask('/operations')).json().items).toMatchObject([{ id, status: 'asked', rate: 100 }]);

    await console_.store.operations.request({ id, kind: 'replay', filter: { outcome: 'dead' }, requestedBy: 'admin' });
    expect((await console_.ask(`/operations/${id}`)).json()).toMatchObject({ id, status: 'planned' });
    expect((await console_.ask('/operations')).json()).toMatchObject({ items: [{ id }], next: null });
  });

  it('is started once where it is sent twice with the same id', async () => {
    const id = '22222222-2222-4222-8222-222222222222';
    for (let n = 0; n < 2; n += 1) {
      const started = await post('/operations', { kind: 'replay', id, filter: { outcome: 'dead' } });
      expect([started.statusCode, started.json()]).toEqual([202, { id }]);
    }
    expect(await requests()).toMatchObject([{ request: { do: 'start', id } }]);
    const wrong = await post('/operations', { kind: 'replay', id: 'mine', filter: {} });
    expect([wrong.statusCode, wrong.json().message]).toEqual([400, expect.stringContaining('id takes a uuid')]);
  });

  it('is taken out where it is cancelled before a worker has begun it', async () => {
    const { id } = (await post('/operations', { kind: 'rebuild-conversation', conversation: 'conv-1' })).json();
    expect((await post(`/operations/${id}/cancel`)).statusCode).toBe(202);
    expect(await requests()).toEqual([{ v: 1, request: { do: 'cancel', id } }]);
    expect((await console_.ask(`/operations/${id}`)).statusCode).toBe(404);
  });

  it('has the words of its kind', async () => {
    const bodies = [
      { kind: 'readmit', filter: { cause: 'body_changed' } },
      { kind: 'erase', by: 'number', value: '+49 30 1234567' },
      { kind: 'rebuild-conversation', conversation: 'conv-1' },
    ];
    for (const body of bodies) await post('/operations', body);
    const until = expect.any(String);
    expect((await requests()).toReversed()).toMatchObject([
      { request: { kind: 'readmit', total: 2, filter: { cause: 'body_changed', until } } },
      {
        request: {
          kind: 'erase',
          total: 0,
          filter: {
            by: 'number',
            subject: '+49301234567',
            journal_hours: '24',
            subject_hash: expect.stringContaining('$scrypt$'),
          },
        },
      },
      { request: { kind: 'rebuild-conversation', filter: { conversation: 'conv-1' } } },
    ]);
  });

  it('fits into a request, however long its words are', async () => {
    // As JSON each of these characters has six.
    const [text, word] = ['\u0001'.repeat(1000), '\u0001'.repeat(256)];
    const filter = { text, type: word, conversation: word, agent: word, user: word, error: word, outcome: 'dead' };
    expect((await post('/operations', { kind: 'replay', filter })).statusCode).toBe(202);
    const longer = await post('/operations', { kind: 'replay', filter: { ...filter, agent: `${word}x` } });
    expect([longer.statusCode, longer.json().message]).toEqual([
      400,
      expect.stringContaining('agent must be a text of'),
    ]);
  });

  it('can be cancelled while it goes on', async () => {
    const { id } = await console_.store.operations.request({ kind: 'replay', filter: {} });
    expect((await post(`/operations/${id}/cancel`)).statusCode).toBe(202);
    expect(await requests()).toEqual([{ v: 1, request: { do: 'cancel', id } }]);
    await console_.store.operations.cancel(id);
    const ended = await post(`/operations/${id}/cancel`);
    expect([ended.statusCode, ended.json().code]).toEqual([409, 'operation_ended']);
    const none = await post('/operations/99999999-9999-4999-8999-999999999999/cancel');
    expect([none.statusCode, none.json().code]).toEqual([404, 'operation_missing']);
  });

  it('may be that failures are known', async () => {
    for (const known of [true, false]) {
      const answer = await console_.ask('/failures/0123456789ab', { method: 'PUT', payload: { known } });
      expect([answer.statusCode, answer.json()]).toEqual([202, {}]);
    }
    const at: unknown = expect.any(Number);
    expect((await requests()).toReversed()).toEqual([
      { v: 1, request: { do: 'mark', fingerprint: '0123456789ab', by: 'admin', at } },
      { v: 1, request: { do: 'unmark', fingerprint: '0123456789ab', at } },
    ]);
  });
});
