import { createHash } from 'node:crypto';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openBoundRecordingStorage } from '@landline/operations';
import { normalise } from '@landline/webhook';
import { deliveryOf } from '@landline/webhook/delivery';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { recordDeadBodies } from '../../../../test/support/dead-ledger.ts';
import { AUTHORIZATION, openConsole, type AConsole } from './support/a-console.ts';
import { apply, AT, transcript } from './support/filled.ts';

const AUDIO = Buffer.from('0123456789');
const SHA256 = createHash('sha256').update(AUDIO).digest('hex');
const ODD = 'conv.with/slash?and ü';

let console_: AConsole;
let root = '';
let folder = '';
let ids: string[] = [];
let audioId = '';
let deadIds: string[] = [];

beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'landline-audio-'));
  console_ = await openConsole({ storage: openBoundRecordingStorage(`file:${root}`) });
  folder = join(root, 'agent-1/2026/01/05');
  await mkdir(folder, { recursive: true });
  await writeFile(join(folder, 'a.mp3'), AUDIO);
  const { store } = console_;
  ids = await apply(store, [
    transcript('conv-1'),
    transcript('conv-2', { says: 'where is my order', at: AT + 3_600_000 }),
    transcript(ODD, { user: 'user-2', says: 'hello', at: AT + 7_200_000 }),
  ]);
  audioId = await applyAudio('conv-1', `file:${join(folder, 'a.mp3')}`);
  deadIds = await recordDeadBodies(store, [Buffer.from('{"a":1}'), Buffer.from('é'.repeat(20))], AT - 60_000);
  await store.keepRejected({
    id: '11111111-1111-4111-8111-111111111111',
    receivedAt: AT,
    code: 'signature_missing',
    cause: 'no_signature',
    advice: 'Let the header pass.',
    header: ['a', 'b'],
    headers: { host: 'x' },
    sender: '192.0.2.1',
    body: Buffer.from('{"said":"hi"}'),
    bodyBytes: 13,
    readmittedAt: null,
  });
});
afterAll(async () => {
  await console_.close();
  await rm(root, { recursive: true });
});

/** An event whose audio was cut out of its body and stored. */
async function applyAudio(conversationId: string, url: string): Promise<string> {
  const before = `{"type":"post_call_audio","event_timestamp":${AT / 1000},"data":{"conversation_id":"${conversationId}","full_audio":"`;
  const envelope = Buffer.from(`${before}"}}`);
  const whole = Buffer.from(`${before}${AUDIO.toString('base64')}"}}`);
  const hash = createHash('sha256').update(whole).digest('hex');
  const eventId = `${hash.slice(0, 8)}-${hash.slice(8, 12)}-${hash.slice(12, 16)}-${hash.slice(16, 20)}-${hash.slice(20, 32)}`;
  const recording = { at: before.length, bytes: AUDIO.length, sha256: SHA256, contentType: 'audio/mpeg', url };
  const reference = { eventId, bytes: whole.length, recording: { ...recording, storedAt: AT } };
  const delivery = deliveryOf(envelope, { receivedAt: AT + 5000, signedAt: AT / 1000, secretId: 'test' });
  const event = normalise({ ...delivery, reference });
  if (event.outcome === 'dead') throw new Error('dead');
  await console_.store.apply([event]);
  return event.entry.id;
}

const ask = (url: string, headers: Record<string, string> = {}) => console_.ask(url, { headers });
const idsOf = (answer: { json: () => { items: { id: string }[] } }) => answer.json().items.map(({ id }) => id);

describe('events', () => {
  it('are listed page after page, the newest first', async () => {
    const [newest, , oldest] = [audioId, ids[2], ids[0]];
    const first = await ask('/events?limit=2');
    expect(idsOf(first)).toEqual([newest, ids[2]]);
    const second = await ask(`/events?limit=2&cursor=${first.json().next}`);
    expect(idsOf(second)).toEqual([ids[1], oldest]);
    const third = await ask(`/events?limit=2&cursor=${second.json().next}`);
    expect([idsOf(third), third.json().next]).toEqual([deadIds.toReversed(), null]);
    expect((await ask('/events?outcome=dead')).json().items[0]).toMatchObject({
      outcome: 'dead',
      error: { code: 'an_old_bug', message: 'The version before could not read it.', attempts: 1 },
      applied_at: null,
    });
  });

  it('are found by the words of the commands, also by text over several pages', async () => {
    expect(idsOf(await ask('/events?user=user-2'))).toEqual([ids[2]]);
    expect(idsOf(await ask(`/events?conversation=${encodeURIComponent(ODD)}`))).toEqual([ids[2]]);
    const first = await ask('/events?text=find_order&limit=2');
    expect(idsOf(first)).toEqual([ids[2], ids[1]]);
    const second = await ask(`/events?text=find_order&limit=2&cursor=${first.json().next}`);
    expect([idsOf(second), second.json().next]).toEqual([[ids[0]], null]);
    expect((await ask('/events?text=nobody+said+this')).json()).toEqual({ items: [], next: null });
  });

  it('are shown with their exact bytes, and with the first of them', async () => {
    const detail = (await ask(`/events/${audioId}`)).json();
    expect(detail).toMatchObject({ type: 'post_call_audio', has_body: true, body_bytes: 107, whole_bytes: 123 });
    expect(detail.recordings).toMatchObject([{ href: `/api/v1/conversations/conv-1/recordings/${SHA256}` }]);
    const body = await ask(`/events/${audioId}/body`);
    expect(body.headers).toMatchObject({
      'content-type': 'application/octet-stream',
      'content-disposition': `attachment; filename="${audioId}.body"`,
      'x-body-bytes': '123',
      'cache-control': 'no-store',
    });
    expect(JSON.parse(body.body)).toMatchObject({ data: { full_audio: AUDIO.toString('base64') } });
    expect(body.rawPayload.length).toBe(123);
    const beginning = await ask(`/events/${deadIds[1]}/body?limit=7`);
    expect([beginning.body, beginning.headers['x-body-bytes']]).toEqual(['ééé', '40']);
    expect(beginning.headers['content-type']).toBe('text/plain; charset=utf-8');
  });

  it('say where they are not there, and where their bytes are gone', async () => {
    const missing = await ask('/events/99999999-9999-4999-8999-999999999999');
    expect([missing.statusCode, missing.json().code]).toEqual([404, 'event_missing']);
    await console_.sql(`DELETE FROM webhook_bodies WHERE event_id = '${deadIds[0]}'`);
    expect((await ask(`/events/${deadIds[0]}`)).json()).toMatchObject({ has_body: false, body_bytes: 7 });
    for (const url of [`/events/${deadIds[0]}/body`, `/events/${deadIds[0]}/body?limit=5`]) {
      const gone = await ask(url);
      expect([gone.statusCode, gone.json().code]).toEqual([410, 'body_missing']);
    }
  });

  it.each([
    ['/events?colour=red', 'colour'],
    ['/events?type=a&type=b', 'type'],
    ['/events?since=tomorrow', 'since'],
    ['/events?limit=0', 'limit'],
    ['/events?limit=201', 'limit'],
    ['/events?cursor=x', 'cursor'],
    ['/events/no-uuid', 'id'],
    ['/events?number=', 'number'],
    ['/rejected?cause=none', 'cause'],
    ['/conversations?min_duration=x', 'min_duration'],
    ['/conversations?completeness=lost', 'completeness'],
    ['/provider?since=7d', 'words'],
    ['/conversations/a%00b', 'id'],
    ['/overview?series=year', 'series'],
    ['/session?x=1', 'words'],
  ])('refuse what cannot be meant: %s', async (url, word) => {
    const answer = await ask(url);
    expect([answer.statusCode, answer.json()]).toEqual([
      400,
      { code: 'invalid', message: expect.stringContaining(word) },
    ]);
  });

  it('do not take the cursor of another list', async () => {
    const { next } = (await ask('/events?limit=1')).json();
    expect((await ask(`/conversations?cursor=${next}`)).statusCode).toBe(400);
  });
});

describe('conversations', () => {
  it('are listed and found', async () => {
    const first = await ask('/conversations?limit=2');
    expect(idsOf(first)).toEqual([ODD, 'conv-2']);
    expect(idsOf(await ask(`/conversations?limit=2&cursor=${first.json().next}`))).toEqual(['conv-1']);
    expect(idsOf(await ask('/conversations?text=order&until=2026-01-05T09:30:00Z'))).toEqual(['conv-1']);
    expect(idsOf(await ask('/conversations?user=user-1&outcome=success&min_duration=60'))).toEqual([
      'conv-2',
      'conv-1',
    ]);
    await console_.sql(
      `UPDATE conversations SET completeness = CASE id WHEN 'conv-1' THEN 'missing' ELSE 'complete' END,
        completeness_reason = CASE id WHEN 'conv-1' THEN 'it waits' END`,
    );
    const missing = await ask('/conversations?completeness=missing');
    expect(missing.json().items).toMatchObject([{ id: 'conv-1', completeness: 'missing' }]);
    expect(idsOf(await ask('/conversations?completeness=complete'))).toEqual([ODD, 'conv-2']);
    expect((await ask('/conversations/conv-1')).json()).toMatchObject({
      completeness: 'missing',
      completeness_reason: 'it waits',
    });
  });

  it('are shown with what was said, what was done, and who it was', async () => {
    const shown = (await ask('/conversations/conv-1')).json();
    expect(shown).toMatchObject({
      id: 'conv-1',
      language: 'ar',
      call_successful: 'success',
      has_recording: true,
      messages: 3,
      tool_calls: 1,
      transcript: [
        {
          role: 'user',
          content: 'مرحبا',
          interrupted: true,
          time_in_call_seconds: 1,
        },
        {
          role: 'agent',
          content: null,
        },
        {
          role: 'agent',
          content: '<script>alert(1)</script>',
        },
      ],
      calls: [
        {
          tool_name: 'find_order',
          parameters: { order: 7 },
          result: { state: 'sent' },
          position: 1,
          time_in_call_seconds: 3,
        },
      ],
      recordings: [
        {
          sha256: SHA256,
          bytes: 10,
        },
      ],
      profile: { user_id: 'user-1' },
      other_conversations: [{ id: 'conv-2' }],
    });
    expect((await ask(`/conversations/${encodeURIComponent(ODD)}`)).json()).toMatchObject({ id: ODD });
    expect((await ask('/conversations/nobody')).json().code).toBe('conversation_missing');
  });
});

describe('an answer', () => {
  it('stays small, whatever a payload holds', async () => {
    const turns = Array.from({ length: 1_200 }, (_, i) => ({
      role: 'user',
      message: i === 0 ? `${'x'.repeat(47_999)}😀${'y'.repeat(100_000)}` : `turn ${i} ${'z'.repeat(200)}`,
      time_in_call_secs: i,
    }));
    const { data, ...body } = transcript('conv-large', { at: AT - 3_600_000 });
    const large = { ...data, transcript: turns, analysis: { found: 'é'.repeat(1_000_000) } };
    await apply(console_.store, [{ ...body, data: large }], AT - 120_000);
    const answer = await ask('/conversations/conv-large');
    expect(answer.rawPayload.length).toBeLessThan(300_000);
    const { transcript: shown, messages, analysis } = answer.json();
    expect([messages, shown.length > 200, shown.length < 1_000]).toEqual([1_200, true, true]);
    expect(shown[0].content).toMatch(/^x{47999}… \(47999 of 148001 characters are shown/);
    expect(analysis).toMatch(/^\{"found":"é+… \(12003 of 1000012 characters/);
  });
});

describe('a recording', () => {
  const url = `/conversations/conv-1/recordings/${SHA256}`;

  it('is given whole, and by ranges', async () => {
    const whole = await ask(url);
    expect([whole.statusCode, whole.body]).toEqual([200, '0123456789']);
    expect(whole.headers).toMatchObject({
      'content-type': 'audio/mpeg',
      'accept-ranges': 'bytes',
      'content-length': '10',
      'cache-control': 'no-store',
    });
    const head = await console_.app.inject({
      method: 'HEAD',
      url: `/api/v1${url}`,
      headers: { authorization: AUTHORIZATION },
    });
    expect([head.statusCode, head.headers['content-length'], head.body]).toEqual([200, '10', '']);
    const ranges = ['bytes=0-3', 'bytes=8-', 'bytes=-2', 'bytes=5-99'];
    const answers = await Promise.all(ranges.map((range) => ask(url, { range })));
    expect(answers.map(({ statusCode, body, headers }) => [statusCode, body, headers['content-range']])).toEqual([
      [206, '0123', 'bytes 0-3/10'],
      [206, '89', 'bytes 8-9/10'],
      [206, '89', 'bytes 8-9/10'],
      [206, '56789', 'bytes 5-9/10'],
    ]);
  });

  it('has nothing for a range behind its end, and is whole for what is no single range', async () => {
    const behind = await ask(url, { range: 'bytes=10-' });
    expect([behind.statusCode, behind.headers['content-range']]).toEqual([416, 'bytes */10']);
    for (const headers of [{ range: 'bytes=0-1,4-5' }, { range: 'x' }, { range: 'bytes=0-1', 'if-range': '"other"' }]) {
      expect((await ask(url, headers)).statusCode).toBe(200);
    }
  });

  it('says where it is not, was deleted, or is not in the storage', async () => {
    expect((await ask(`/conversations/conv-2/recordings/${SHA256}`)).json().code).toBe('recording_missing');
    for (const place of [`${folder}/none.mp3`, '/etc/passwd', `${root}-2/agent-1/2026/01/05/a.mp3`]) {
      await console_.sql(`UPDATE conversation_recordings SET url = 'file:${place}'`);
      for (const asked of [url, `/events/${audioId}/body`]) {
        const lost = await ask(asked);
        expect([lost.statusCode, lost.json().code]).toEqual([410, 'body_missing']);
        expect(lost.json().message).not.toMatch(/file:|\.mp3|passwd|landline-audio/);
      }
    }
    await console_.sql(`UPDATE conversation_recordings SET url = NULL, deleted_at = '2026-01-06T00:00:00Z'`);
    const deleted = await ask(url);
    expect([deleted.statusCode, deleted.json().code]).toEqual([410, 'recording_deleted']);
    expect((await ask(`/events/${audioId}/body`)).statusCode).toBe(410);
    expect((await ask(`/events/${audioId}`)).json().has_body).toBe(false);
  });
});

describe('what failed, and what was refused', () => {
  it('is grouped by why', async () => {
    const { items, others } = (await ask('/failures')).json();
    expect(others).toBe(0);
    expect(items).toHaveLength(1);
    expect(items).toMatchObject([
      { code: 'an_old_bug', count: 2, example: { id: deadIds[1] }, types: { unknown: 2 }, known_at: null },
    ]);
    expect(items[0].hours).toHaveLength(24);
    expect(idsOf(await ask(`/events?fingerprint=${items[0].fingerprint}`))).toEqual(deadIds.toReversed());
    await console_.store.failures.markKnown(items[0].fingerprint, 'somebody');
    // One answer serves all consoles for a second.
    await vi.waitFor(
      async () => expect((await ask('/failures')).json().items).toMatchObject([{ known_by: 'somebody' }]),
      {
        timeout: 20_000,
      },
    );
  });

  it('is shown with its diagnosis', async () => {
    const listed = (await ask('/rejected?cause=no_signature')).json();
    expect(listed).toMatchObject({
      items: [{ header: 'a\nb', kept_bytes: 13, readmitted_at: null }],
      next: null,
      causes: [{ cause: 'no_signature', count: 1, readmitted: 0, first_at: '2026-01-05T09:00:00.000Z' }],
    });
    expect((await ask('/rejected?cause=no_time')).json()).toMatchObject({ items: [], causes: [{ count: 1 }] });
    expect((await ask(`/rejected/${listed.items[0].id}`)).json().body_text).toBe('{"said":"hi"}');
    expect((await ask('/rejected/99999999-9999-4999-8999-999999999999')).statusCode).toBe(404);
  });
});
