import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { createServer, type IncomingMessage } from 'node:http';
import { buffer } from 'node:stream/consumers';
import { join } from 'node:path';
import { sign } from '@landline/webhook';
import { expect, onTestFinished, test } from 'vitest';
import { makeTempFolder } from '../../../test/support/temp-folder.ts';
import { send } from '../src/send.ts';

const SECRET = `wsec_${'5e'.repeat(32)}`;

/** Stands for a receiver: answers 200, and keeps whether the body was signed with SECRET. */
async function startReceiver() {
  const signatures: boolean[] = [];
  const judge = async (request: IncomingMessage) => {
    const header = String(request.headers['elevenlabs-signature']);
    const t = Number(/^t=(\d+)/.exec(header)?.[1]);
    signatures.push(header === sign(await buffer(request), SECRET, t));
  };
  const server = createServer((request, response) => {
    void judge(request).then(() => response.end());
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => void server.close());
  const address = server.address();
  return { signatures, url: `http://127.0.0.1:${typeof address === 'object' ? address?.port : 0}/` };
}

async function fileOf(text: string): Promise<string> {
  const file = join(await makeTempFolder(), 'secret');
  await writeFile(file, text);
  return file;
}

test.each([
  ['the variable', async () => ({ ELEVENLABS_WEBHOOK_SECRET: SECRET })],
  ['a file', async () => ({ ELEVENLABS_WEBHOOK_SECRET_FILE: await fileOf(`${SECRET}\n`) })],
  ['a pasted variable, as the receiver reads it', async () => ({ ELEVENLABS_WEBHOOK_SECRET: `"${SECRET}\u200b"` })],
  ['the first of several', async () => ({ ELEVENLABS_WEBHOOK_SECRET: `${SECRET},${'x'.repeat(32)}` })],
])('signs with the secret of %s', async (_, env) => {
  const { url, signatures } = await startReceiver();
  const lines: string[] = [];
  const given = await env();
  const sent = send(['conversation.started', '--url', url, '--count', '2'], given, (line) => lines.push(line));
  expect(await sent).toBe(0);
  expect(signatures).toEqual([true, true]);
  expect(lines.join()).toContain('2 of 2 accepted');
});

test('says which file of the secret cannot be read', async () => {
  const file = join(await makeTempFolder(), 'missing');
  const sent = send(['conversation.started'], { ELEVENLABS_WEBHOOK_SECRET_FILE: file }, () => undefined);
  await expect(sent).rejects.toThrow(`ELEVENLABS_WEBHOOK_SECRET_FILE: cannot read ${file}`);
});
