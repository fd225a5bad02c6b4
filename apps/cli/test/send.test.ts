import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { createServer, type IncomingMessage } from 'node:http';
import { buffer } from 'node:stream/consumers';
import { join } from 'node:path';
import { normalise, sign } from '@landline/webhook';
import { deliveryOf } from '@landline/webhook/delivery';
import { describe, expect, onTestFinished, test } from 'vitest';
import { chooseQuietPort } from '../../../test/support/quiet-port.ts';
import { makeTempFolder } from '../../../test/support/temp-folder.ts';
import { EXAMPLE_NAMES } from '../src/example-events.ts';
import { runCommand } from '../src/run-command.ts';
import { send } from '../src/send.ts';

const SECRET = `wsec_${'5e'.repeat(32)}`;
const ENV = { ELEVENLABS_WEBHOOK_SECRET: SECRET };

/** A request that the stand-in for a receiver got. */
interface Received {
  path: string | undefined;
  contentType: string | undefined;
  body: Buffer;
  /** Unix seconds, from the signature. */
  signedAt: number;
  /** Whether SECRET signed the body. */
  isSigned: boolean;
}

/** Starts a stand-in for a receiver. It keeps the requests, and gives the n-th request the n-th answer; all further ones get the last answer. */
async function startReceiver(answers: readonly [number, string][] = [[200, '{"status":"accepted"}']]) {
  const received: Received[] = [];
  const keep = async (request: IncomingMessage) => {
    const body = await buffer(request);
    const header = String(request.headers['elevenlabs-signature']);
    const signedAt = Number(/^t=(\d+)/.exec(header)?.[1]);
    const isSigned = header === sign(body, SECRET, signedAt);
    received.push({ path: request.url, contentType: request.headers['content-type'], body, signedAt, isSigned });
  };
  const server = createServer((request, response) => {
    const answer = () => {
      const [status, text] = answers[received.length - 1] ?? answers.at(-1) ?? [500, ''];
      response.writeHead(status).end(text);
    };
    void keep(request).then(answer);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => void server.close());
  const address = server.address();
  const port = typeof address === 'object' ? (address?.port ?? 0) : 0;
  return { received, port, url: `http://127.0.0.1:${port}/api/elevenlabs/webhook` };
}

async function fileOf(content: string | Buffer): Promise<string> {
  const file = join(await makeTempFolder(), 'file');
  await writeFile(file, content);
  return file;
}

/** Normalises a request as the worker does. */
function eventOf({ body, signedAt }: Received) {
  return normalise(deliveryOf(body, { receivedAt: signedAt * 1000, signedAt, secretId: 'test' }));
}

const typeOf = ({ entry }: ReturnType<typeof eventOf>) => entry.type ?? '';

/** Runs `send`, and keeps the lines that it prints. */
async function run(args: string[], env: Record<string, string> = ENV) {
  const printed: string[] = [];
  const code = await send(args, env, (line) => printed.push(line));
  return { code, printed };
}

describe('the signature', () => {
  test.each([
    ['the variable', async () => ENV],
    ['a file', async () => ({ ELEVENLABS_WEBHOOK_SECRET_FILE: await fileOf(`${SECRET}\n`) })],
    ['a pasted variable, as the receiver reads it', async () => ({ ELEVENLABS_WEBHOOK_SECRET: `"${SECRET}\u200b"` })],
    ['the first of several', async () => ({ ELEVENLABS_WEBHOOK_SECRET: `${SECRET},${'x'.repeat(32)}` })],
  ])('is made with the secret of %s', async (_, env) => {
    const { url, received } = await startReceiver();
    const { code, printed } = await run(['conversation.started', '--url', url, '--count', '2'], await env());
    expect(code).toBe(0);
    expect(received.map(({ isSigned }) => isSigned)).toEqual([true, true]);
    expect(printed).toEqual([expect.stringContaining('2 of 2 accepted')]);
  });

  test('is of the time of sending', async () => {
    const { url, received } = await startReceiver();
    const before = Math.floor(Date.now() / 1000);
    await run(['conversation.started', '--url', url]);
    const after = Math.floor(Date.now() / 1000);
    const [{ signedAt } = { signedAt: 0 }] = received;
    expect(signedAt).toBeGreaterThanOrEqual(before);
    expect(signedAt).toBeLessThanOrEqual(after);
  });

  test('needs a secret: send names the file that cannot be read, or says that there is no secret', async () => {
    const file = join(await makeTempFolder(), 'missing');
    const unreadable = `ELEVENLABS_WEBHOOK_SECRET_FILE: cannot read ${file}`;
    await expect(run(['live'], { ELEVENLABS_WEBHOOK_SECRET_FILE: file })).rejects.toThrow(unreadable);
    await expect(run(['live'], {})).rejects.toThrow('npm start makes a .env that has one');
    await expect(run(['live'], { ELEVENLABS_WEBHOOK_SECRET: 'short' })).rejects.toThrow('ELEVENLABS_WEBHOOK_SECRET');
  });
});

describe('what is sent', () => {
  test.each(EXAMPLE_NAMES.filter((name) => name !== 'live'))(
    'is an event of the type %s that changes tables',
    async (name) => {
      const { url, received } = await startReceiver();
      expect((await run([name, '--url', url])).code).toBe(0);
      const events = received.map(eventOf);
      expect(events).toMatchObject([{ outcome: 'applied', entry: { type: name } }]);
      expect(received).toMatchObject([{ contentType: 'application/json' }]);
    },
  );

  test('of live are calls of ten events each, every event with an id of its own', async () => {
    const { url, received } = await startReceiver();
    await run(['live', '--count', '20', '--url', url]);
    const events = received.map(eventOf);
    const names = [...new Set(events.map(({ entry }) => entry.conversationId))];
    const types = names.map((name) =>
      events
        .filter(({ entry }) => entry.conversationId === name)
        .map(typeOf)
        .toSorted(),
    );
    const call = [
      'agent.action',
      'agent.tool_call',
      'conversation.ended',
      ...Array.from({ length: 6 }, () => 'conversation.message'),
      'conversation.started',
    ];
    expect(types).toEqual([call, call]);
    expect(new Set(events.map(({ entry }) => entry.eventKey)).size).toBe(20);
  });

  test('is of other conversations at each run', async () => {
    const { url, received } = await startReceiver();
    await run(['post_call_transcription', '--count', '2', '--url', url]);
    await run(['post_call_transcription', '--count', '2', '--url', url]);
    const events = received.map(eventOf);
    expect(new Set(events.map(({ entry }) => entry.conversationId)).size).toBe(4);
  });

  test('of a file are its bytes, also where they are no JSON', async () => {
    const bytes = Buffer.from([0xef, 0xbb, 0xbf, 0x7b, 0x20, 0x0d, 0x0a, 0x00, 0xff]);
    const { url, received } = await startReceiver();
    expect((await run([await fileOf(bytes), '--url', url])).code).toBe(0);
    expect(received).toMatchObject([{ body: bytes, isSigned: true }]);
  });

  test('has 64 requests under way at once, and no more', async () => {
    let [underWay, most] = [0, 0];
    let [isAnswering, port] = [false, ''];
    const waiting: (() => void)[] = [];
    const answerAll = () => {
      isAnswering = true;
      for (const each of waiting.splice(0)) each();
    };
    const server = createServer((request, response) => {
      if (request.url === '/probe') return void response.end();
      most = Math.max(most, ++underWay);
      const answer = () => {
        underWay -= 1;
        response.writeHead(200).end();
      };
      request.resume().on('end', () => {
        if (isAnswering) return answer();
        waiting.push(answer);
        // With fewer than 64 under way none is answered at all. A 65th would have come before the answer to the probe.
        if (waiting.length === 64) void fetch(`http://127.0.0.1:${port}/probe`).then(answerAll);
      });
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    onTestFinished(() => void server.close());
    const address = server.address();
    port = String(typeof address === 'object' ? address?.port : 0);
    const { code, printed } = await run(['live', '--count', '200'], { ...ENV, PORT: port });
    expect([code, printed]).toEqual([0, [expect.stringContaining('200 of 200 accepted')]]);
    expect(most).toBe(64);
  });

  test('is signed with the secret that --secret names', async () => {
    const { received, url } = await startReceiver();
    const other = ['conversation.started', '--url', url, '--secret'];
    expect(await send([...other, 'wsec_another'], ENV, () => undefined)).toBe(0);
    expect(await send([...other, SECRET], {}, () => undefined)).toBe(0);
    expect(received.map(({ isSigned }) => isSigned)).toEqual([false, true]);
    await expect(send([...other, ''], ENV)).rejects.toMatchObject({ code: 'arguments_invalid' });
  });

  test('goes to the receiver of this machine unless --url says otherwise', async () => {
    const { port, received } = await startReceiver();
    const { code } = await run(['conversation.started'], { ...ENV, PORT: String(port) });
    expect({ code, paths: received.map(({ path }) => path) }).toEqual({ code: 0, paths: ['/api/elevenlabs/webhook'] });
  });
});

describe('what is printed', () => {
  test('counts each answer but 200 with its code, and the exit code is 1', async () => {
    const refused = '{"code":"signature_mismatch","message":"No."}';
    const { url } = await startReceiver([
      [200, ''],
      [401, refused],
      [503, 'later'],
      [401, refused],
    ]);
    const { code, printed } = await run(['live', '--count', '4', '--url', url]);
    expect(code).toBe(1);
    expect(printed[0]).toMatch(/^1 of 4 accepted by http:\/\/127\.0\.0\.1:\d+\/api\/elevenlabs\/webhook in [\d.]+ s /);
    expect(printed.slice(1).toSorted()).toEqual(['1 × 503 later', `2 × 401 ${refused}`]);
  });

  test('counts an answer that is cut off among the faults', async () => {
    const server = createServer((_request, response) => void response.destroy());
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    onTestFinished(() => void server.close());
    const address = server.address();
    const port = String(typeof address === 'object' ? address?.port : 0);
    const { code, printed } = await run(['live', '--count', '3'], { ...ENV, PORT: port });
    expect(code).toBe(1);
    expect(printed[0]).toMatch(/^0 of 3 accepted by /);
    expect(printed.slice(1)).toEqual(['3 × socket hang up']);
  });

  test('shows the first 300 characters of a refusal', async () => {
    const { url } = await startReceiver([[500, 'x'.repeat(5_000)]]);
    const { printed } = await run(['conversation.started', '--url', url]);
    expect(printed.slice(1)).toEqual([`1 × 500 ${'x'.repeat(300)}`]);
  });

  test('names the remedy where nothing listens', async () => {
    const port = String(await chooseQuietPort());
    const { code, printed } = await run(['conversation.started'], { ...ENV, PORT: port });
    expect(code).toBe(1);
    expect(printed.join('\n')).toMatch(/^1 × .*nothing listens there\. Run npm start in another terminal/m);
  });

  test('names http:// as the remedy where the server speaks no TLS', async () => {
    const { port } = await startReceiver();
    const { code, printed } = await run(['conversation.started', '--url', `https://127.0.0.1:${port}/`]);
    expect(code).toBe(1);
    expect(printed.slice(1)).toEqual(['1 × no TLS is spoken there: the address begins with http://']);
  });
});

describe('landline send', () => {
  test.each([
    [[], 'send takes one event type or a file'],
    [['live', 'live'], 'send takes one event type or a file'],
    [['conversation.begun'], '"conversation.begun" is neither an event type nor a file that can be read.'],
    [['live', '--count', '0'], '--count takes a whole number from 1 to 10000000.'],
    [['live', '--count', '10000001'], '--count takes a whole number from 1 to 10000000.'],
    [['live', '--count', '1.5'], '--count takes a whole number from 1 to 10000000.'],
    [['live', '--url', 'calls.example.com'], '--url takes the whole address'],
    [['live', '--url', 'ftp://calls.example.com/'], '--url takes the whole address'],
    [['live', '--times', '2'], "'--times'"],
  ])('%j is a wrong command line: exit code 2, and says %j', async (args, advice) => {
    const [printed, faults]: [string[], string[]] = [[], []];
    const code = await runCommand(['send', ...args], {
      root: await makeTempFolder(),
      env: ENV,
      print: (line) => printed.push(line),
      printError: (line) => faults.push(line),
      width: 120,
    });
    expect({ code, printed }).toEqual({ code: 2, printed: [] });
    expect(faults.join('\n')).toContain(advice);
  });
});
