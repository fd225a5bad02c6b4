import { randomUUID } from 'node:crypto';
import { sign } from '@landline/webhook';
import type { Delivery } from '@landline/webhook/delivery';
import { describe, expect, it } from 'vitest';
import { noReadmissions, readmissionOf, readmitPage, type KeptRequest } from '../../src/readmit/readmit-page.ts';

const [SECRET, OTHER] = ['wsec_0123456789abcdef0123456789abcdef', 'wsec_fedcba9876543210fedcba9876543210'];
const AT = 1_767_225_600;
const BODY = Buffer.from('{"type":"conversation.message"}');
const accepting = { secrets: [OTHER, SECRET], toleranceSeconds: 3600 };

const kept = (changes: Partial<KeptRequest> = {}): KeptRequest => ({
  id: randomUUID(),
  receivedAt: AT * 1000 + 250,
  cause: 'another_secret',
  header: sign(BODY, SECRET, AT),
  body: BODY,
  bodyBytes: BODY.length,
  readmittedAt: null,
  ...changes,
});

describe('a refused request', () => {
  it('whose signature is good today is an event, received when it came', () => {
    expect(readmissionOf(kept(), accepting)).toEqual({
      ok: true,
      delivery: {
        receivedAt: AT * 1000 + 250,
        signedAt: AT,
        secretId: expect.stringMatching(/^[0-9a-f]{8}$/),
        origin: 'readmitted',
        encoding: 'utf8',
        body: BODY.toString(),
      },
    });
  });

  it.each<[string, Partial<KeptRequest>, boolean]>([
    ['as old as it may be when it came', { receivedAt: (AT + 3600) * 1000 + 999 }, true],
    ['older than that when it came', { receivedAt: (AT + 3601) * 1000 }, false],
    ['ahead when it came', { receivedAt: (AT - 301) * 1000 }, false],
  ])('is judged at the time of its receipt: %s', (_, changes, ok) => {
    expect(readmissionOf(kept(changes), accepting).ok).toBe(ok);
  });

  it.each<[string, Partial<KeptRequest>]>([
    ['signature_mismatch', { header: sign(BODY, 'another', AT) }],
    ['signature_mismatch', { body: Buffer.from(`${BODY.toString()}\n`), bodyBytes: BODY.length + 1 }],
    ['signature_missing', { header: null }],
    ['signature_malformed', { header: [sign(BODY, SECRET, AT), ''] }],
    ['signature_expired', { receivedAt: (AT + 9999) * 1000 }],
    ['body_cut', { bodyBytes: BODY.length + 1 }],
    ['body_unread', { body: null }],
  ])('is no event: %s', (reason, changes) => {
    expect(readmissionOf(kept(changes), accepting)).toEqual({ ok: false, reason });
  });

  it('with an empty body is one as well', () => {
    const empty = Buffer.alloc(0);
    const request = kept({ body: empty, bodyBytes: null, header: sign(empty, SECRET, AT) });
    expect(readmissionOf(request, accepting)).toMatchObject({ ok: true, delivery: { body: '' } });
  });
});

/** The ledger has all of them. */
const known = (ids: readonly string[]) => Promise.resolve(new Set(ids));

describe('a page of them', () => {
  const page = () => [
    kept(),
    kept({ cause: 'stale', header: null, receivedAt: 5 }),
    kept({ receivedAt: AT * 1000 + 999, readmittedAt: 1 }),
    kept({ cause: 'stale' }),
  ];
  const expected = {
    total: 4,
    readmitted: 2,
    byCause: { another_secret: { total: 2, readmitted: 1 }, stale: { total: 2, readmitted: 1 } },
    unfit: { signature_missing: 1, already_readmitted: 1 },
    first: 5,
    last: AT * 1000 + 999,
  };

  it('is counted, and nothing else happens without ports', async () => {
    const counts = noReadmissions();
    await readmitPage(page(), { counts, accepting, known });
    expect(counts).toEqual(expected);
    await readmitPage([], { counts, accepting, known });
    expect(counts).toEqual(expected);
  });

  it('is enqueued, and marked only when that is done', async () => {
    const counts = noReadmissions();
    const requests = page();
    const done: [string, unknown][] = [];
    const ports = {
      enqueue: async (events: readonly Delivery[]) => void done.push(['enqueue', events.map(({ origin }) => origin)]),
      mark: async (ids: readonly string[]) => void done.push(['mark', ids]),
    };
    await readmitPage(requests, { counts, accepting, known, ports });
    expect(done).toEqual([
      ['enqueue', ['readmitted', 'readmitted']],
      ['mark', [requests[0]?.id, requests[3]?.id]],
    ]);
    expect(counts).toEqual(expected);
    await readmitPage([kept({ header: null })], { counts, accepting, known, ports });
    expect(done).toHaveLength(2);
  });

  it('has no event that was readmitted before and is not in the ledger: that one is readmitted again', async () => {
    const counts = noReadmissions();
    const requests = page();
    const marked: string[] = [];
    const ports = {
      enqueue: () => Promise.resolve(),
      mark: async (ids: readonly string[]) => void marked.push(...ids),
    };
    await readmitPage(requests, { counts, accepting, known: () => Promise.resolve(new Set<string>()), ports });
    expect(marked).toEqual([requests[0]?.id, requests[2]?.id, requests[3]?.id]);
    expect(counts).toMatchObject({ readmitted: 3, unfit: { signature_missing: 1 } });
  });

  it('is neither marked nor counted where it cannot be enqueued', async () => {
    const counts = noReadmissions();
    const marked: string[] = [];
    const ports = {
      enqueue: () => Promise.reject(new Error('Redis is away')),
      mark: async (ids: readonly string[]) => void marked.push(...ids),
    };
    await expect(readmitPage(page(), { counts, accepting, known, ports })).rejects.toThrow('Redis is away');
    expect([counts, marked]).toEqual([noReadmissions(), []]);
  });
});
