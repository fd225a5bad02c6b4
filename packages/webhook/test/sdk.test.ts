import { createHmac } from 'node:crypto';
import { ElevenLabsClient } from '@elevenlabs/elevenlabs-js';
import { describe, expect, test } from 'vitest';
import { sign } from '../src/sign.ts';
import { verify } from '../src/verify.ts';
import { fixture } from './support/deliver.ts';

const SECRET = `wsec_${'5e'.repeat(32)}`;
const client = new ElevenLabsClient({ apiKey: 'not-a-key' });
const nowSeconds = () => Math.floor(Date.now() / 1000);

const BODIES: [string, string][] = [
  ['a transcript', fixture('post-call-transcription')],
  ['Python spacing and floats', '{"type": "x", "event_timestamp": 1739537297, "data": {"a": 0.0, "b": 6.78e-05}}'],
  ['an empty object', '{}'],
  ['characters of two, three and four bytes', '{"message": "é ﷺ مرحبا 你好 👋🏽"}'],
  ['escaped characters', String.raw`{"message": "caf\u00e9 \ud83d\udc4b \u0000 \"quoted\" \\"}`],
  ['new lines and tabs around', '\r\n\t{"a" :\t1}\n\n'],
  ['no object', '[1, 2.50, "three"]'],
  ['a megabyte', JSON.stringify({ full_audio: 'A'.repeat(1024 * 1024) })],
];

describe("ElevenLabs' own SDK", () => {
  test.each(BODIES)('accepts what we sign: %s', async (_, body) => {
    const event: unknown = await client.webhooks.constructEvent(
      body,
      sign(Buffer.from(body), SECRET, nowSeconds()),
      SECRET,
    );

    expect(event).toEqual(JSON.parse(body));
  });

  test('refuses what we sign with another secret, or for another body', async () => {
    const body = '{"a": 1}';
    const header = sign(Buffer.from(body), SECRET, nowSeconds());

    await expect(client.webhooks.constructEvent(body, header, `${SECRET}0`)).rejects.toThrow(/does not match/);
    await expect(client.webhooks.constructEvent('{"a":1}', header, SECRET)).rejects.toThrow(/does not match/);
  });
});

describe('the documented recipe', () => {
  test.each(BODIES)('makes headers that we accept: %s', (_, body) => {
    const t = nowSeconds();
    const digest = createHmac('sha256', SECRET).update(`${t}.${body}`).digest('hex');

    const verdict = verify(Buffer.from(body), `t=${t},v0=${digest}`, {
      secrets: [SECRET],
      now: t,
      toleranceSeconds: 1800,
    });

    expect(verdict).toMatchObject({ ok: true, signedAt: t });
  });
});
