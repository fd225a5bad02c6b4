import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import { openConnection, statusesIn } from '../../../test/support/raw-connection.ts';
import { post, signed, WEBHOOK_PATH } from '../../../test/support/post.ts';
import { startPrivateRedis, type PrivateRedis } from '../../../test/support/private-redis.ts';
import { startReceiver, type TestReceiver } from './support/a-receiver.ts';

const LARGE = 100_000;
const START = `POST ${WEBHOOK_PATH} HTTP/1.1\r\nhost: x\r\n`;
// Fresh and well-formed: whether it is right is known only when the body is there.
const SIGNED = Object.entries(signed('another body'))
  .map(([name, value]) => `${name}: ${value}\r\n`)
  .join('');
const DECLARED = `${START}${SIGNED}content-length: ${LARGE}\r\n\r\n`;
const CHUNKED = `${START}${SIGNED}transfer-encoding: chunked\r\n\r\n`;
const CHUNK = `${(60_000).toString(16)}\r\n${'x'.repeat(60_000)}\r\n`;

let redis: PrivateRedis;
let receiver: TestReceiver;
beforeAll(async () => {
  redis = await startPrivateRedis();
  receiver = await startReceiver(redis.url, { bodyLimitBytes: 1_000_000, maxReceivingBytes: 2 * LARGE });
});
afterAll(async () => {
  await receiver.close();
  await redis.remove();
});

/** Opens a connection and sends `text`; the body need not follow. */
async function begin(text: string) {
  const connection = await openConnection(receiver.url);
  connection.write(text);
  return connection;
}

it.each([
  ['no signature', `${START}content-length: ${LARGE}\r\n\r\n`],
  ['a malformed one', `${START}elevenlabs-signature: t=1\r\ntransfer-encoding: chunked\r\n\r\n`],
  ['a stale one', `${START}elevenlabs-signature: t=1,v0=${'0'.repeat(64)}\r\ncontent-length: ${LARGE}\r\n\r\n`],
])('refuses %s before a byte of the body has come', async (_, text) => {
  const connection = await begin(text);
  await connection.ended;
  expect(statusesIn(connection.received())).toEqual([401]);
});

it.each([
  ['declared', DECLARED],
  ['chunked', `${CHUNKED}${CHUNK}${CHUNK}`],
])(
  'tells a sender to come again while too much is under way (%s), and takes small events all the same',
  async (_, text) => {
    const first = await begin(DECLARED);
    const second = await begin(DECLARED);
    const refused = async () => {
      const third = await begin(text);
      await vi.waitUntil(() => statusesIn(third.received()).length > 0);
      third.cut();
      return third.received();
    };
    // The two are known to be under way when a third is refused.
    await vi.waitUntil(async () => statusesIn(await refused())[0] === 503, { timeout: 10_000 });
    expect(await refused()).toMatch(/^retry-after: \d+\r$/im);
    expect(await post(receiver.url, '{"type": "conversation.message"}')).toMatchObject({ status: 200 });

    first.cut();
    second.cut();
    const large = JSON.stringify({ type: 'x', pad: 'y'.repeat(LARGE) });
    await expect.poll(async () => (await post(receiver.url, large)).status, { timeout: 10_000 }).toBe(200);
  },
);
