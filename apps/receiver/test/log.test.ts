import type { OutgoingHttpHeaders } from 'node:http';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { EVENT_TYPES } from '@landline/webhook';
import { CAUSES } from '@landline/webhook/causes';
import { post, SECRET, send, signed } from '../../../test/support/post.ts';
import { startPrivateRedis, type PrivateRedis } from '../../../test/support/private-redis.ts';
import { exampleEvent } from '../../../test/support/example-event.ts';
import { NO_FSYNC, startReceiver, type TestReceiver } from './support/a-receiver.ts';

let redis: PrivateRedis;
let receiver: TestReceiver;
beforeAll(async () => {
  redis = await startPrivateRedis(NO_FSYNC);
  receiver = await startReceiver(redis.url);
});
afterAll(async () => {
  await receiver.close();
  await redis.remove();
});

/** Returns the lines logged since the last call. */
let read = 0;
function newLines(): { level: number; msg: string }[] {
  const text = receiver.log().slice(read);
  read += text.length;
  return text
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line));
}

describe('the log', () => {
  it.each(Object.keys(EVENT_TYPES))(
    'has one info line for a %s event, with no more of it than its type',
    async (type) => {
      const body = exampleEvent(type);
      expect(await post(receiver.url, body)).toMatchObject({ status: 200 });
      const lines = newLines();
      expect(lines).toEqual([expect.objectContaining({ level: 30, msg: `📥 ElevenLabs Webhook received: ${type}` })]);
      expect(Object.keys(lines[0] ?? {}).sort()).toEqual(['hostname', 'level', 'msg', 'name', 'pid', 'time']);
    },
  );

  it.each(['{"type": "a\\nb"}', '{"type": "\u001b[31m"}', '[]', '', '{"type": 5}'])(
    'names no type that could pass for something else: %j',
    async (body) => {
      expect(await post(receiver.url, body)).toMatchObject({ status: 200 });
      expect(newLines()).toEqual([expect.objectContaining({ msg: '📥 ElevenLabs Webhook received: unknown' })]);
    },
  );

  it('says why a delivery was refused, once', async () => {
    await send(receiver.url, { headers: signed('{}', 'x'.repeat(32)), body: '{"message": "spoken words"}' });
    const cause = CAUSES.another_secret.says;
    expect(newLines()).toEqual([expect.objectContaining({ level: 40, code: 'signature_mismatch', cause })]);
  });

  const causes: [string, OutgoingHttpHeaders, string | Buffer, string][] = [
    ['No byte of the body arrived', signed('{}'), '', 'signature_mismatch'],
    ['Content-Encoding: gzip', { ...signed('{}'), 'content-encoding': 'gzip' }, gzipSync('{}'), 'signature_mismatch'],
    ['gzip bytes', signed('{}'), gzipSync('{}'), 'signature_mismatch'],
    ['wsec_', signed('{}', SECRET.slice(5)), '{}', 'signature_mismatch'],
    ['newline', signed('{}\n'), '{}', 'signature_mismatch'],
    ['2 times', { 'elevenlabs-signature': ['t=1', 't=1'] }, '{}', 'signature_malformed'],
    ['no v0', { 'elevenlabs-signature': 't=1,v1=00' }, '{}', 'signature_malformed'],
    ['no header ElevenLabs-Signature', {}, '{}', 'signature_missing'],
    ['milliseconds', signed('{}', undefined, Date.now()), '{}', 'signature_malformed'],
  ];
  it.each(causes)(
    'names the likely cause of a 401, which the answer does not: %s',
    async (cause, headers, body, code) => {
      const answer = await send(receiver.url, { headers, body });
      expect(JSON.parse(answer.body)).toEqual({ code, message: expect.any(String) });
      expect(answer.body).not.toContain(cause);
      expect(newLines()).toEqual([expect.objectContaining({ level: 40, code, cause: expect.stringContaining(cause) })]);
    },
  );

  it('says that a body was too large', async () => {
    await post(receiver.url, Buffer.alloc(65_537, ' '));
    expect(newLines()).toEqual([expect.objectContaining({ level: 40, code: 'body_too_large' })]);
  });

  it('never has a secret, a signature, what was said or a phone number', () => {
    const log = receiver.log();
    const private_ = [SECRET, 'v0=', 'shop open', 'opening hours', '12025550123', '+1202', 'user_42', 'spoken words'];
    expect(private_.filter((text) => log.includes(text))).toEqual([]);
  });
});
