import { hash } from 'node:crypto';
import { once } from 'node:events';
import { Agent, createServer, type IncomingMessage, type RequestListener } from 'node:http';
import { setImmediate } from 'node:timers/promises';
import { buffer } from 'node:stream/consumers';
import { splitBody } from '@landline/recordings';
import { verify } from '@landline/webhook/verify';
import { describe, expect, onTestFinished, test } from 'vitest';
import { makeTempFolder } from '../../../test/support/temp-folder.ts';
import { audioBody } from '../src/example-audio.ts';
import { postEvent } from '../src/post-event.ts';
import { runCommand } from '../src/run-command.ts';
import { send } from '../src/send.ts';

const SECRET = `wsec_${'5e'.repeat(32)}`;
const MEBIBYTE = 1024 * 1024;

async function startServer(listener: RequestListener): Promise<string> {
  const server = createServer(listener);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => void server.close());
  const address = server.address();
  return `http://127.0.0.1:${typeof address === 'object' ? address?.port : 0}/api/elevenlabs/webhook`;
}

interface Received {
  body: Buffer;
  encoding: string | undefined;
  length: string | undefined;
  isSigned: boolean;
}

async function receive(request: IncomingMessage): Promise<Received> {
  const body = await buffer(request);
  const header = request.headers['elevenlabs-signature'];
  const { ok } = verify(body, header, { secrets: [SECRET], now: Date.now() / 1000, toleranceSeconds: 60 });
  const { 'transfer-encoding': encoding, 'content-length': length } = request.headers;
  return { body, encoding, length, isSigned: ok };
}

/** Sends recordings to a stand-in for a receiver, and gives what it received. */
async function sendAudio(...args: string[]) {
  const received: Received[] = [];
  const url = await startServer((request, response) => {
    const keep = async () => {
      received.push(await receive(request));
      response.end('{"status":"accepted"}');
    };
    void keep();
  });
  const printed: string[] = [];
  const env = { ELEVENLABS_WEBHOOK_SECRET: SECRET };
  const code = await send(['post_call_audio', ...args, '--url', url], env, (line) => printed.push(line));
  return { code, printed, received };
}

interface AudioEvent {
  type: string;
  event_timestamp: number;
  data: { agent_id: string; conversation_id: string; full_audio: string };
}

const parse = ({ body }: Received): AudioEvent => JSON.parse(body.toString());

describe('send post_call_audio --seconds', () => {
  test('sends a signed event in chunks without a length, as ElevenLabs does', async () => {
    const { code, printed, received } = await sendAudio('--seconds', '60');
    expect({ code, printed }).toEqual({ code: 0, printed: [expect.stringContaining('1 of 1 accepted')] });
    expect(received).toMatchObject([{ encoding: 'chunked', length: undefined, isSigned: true }]);
    expect(received.map(parse)).toMatchObject([
      {
        type: 'post_call_audio',
        data: { agent_id: 'agent_example', conversation_id: expect.stringMatching(/^conv_\w+_0$/) },
      },
    ]);
  });

  test.each([
    // A frame of 24 ms has 384 bytes.
    ['1', 42],
    ['24', 1_000],
    ['60', 2_500],
    ['61', 2_542],
  ])('of %s makes an MP3 of %i silent frames', async (seconds, frames) => {
    const { received } = await sendAudio('--seconds', seconds);
    const audio = Buffer.from(received.map((each) => parse(each).data.full_audio).join(''), 'base64');
    expect(audio.length).toBe(frames * 384);
    const silent = Buffer.from(`fffb94c0${'00'.repeat(17)}`, 'hex');
    const heads = Array.from({ length: frames }, (_, i) => audio.subarray(i * 384, i * 384 + 21));
    expect(heads.filter((head) => !head.equals(silent))).toEqual([]);
  });

  test('gives each event its own conversation and its own bytes, at each run', async () => {
    const [{ received: first }, { received: second }] = [
      await sendAudio('--seconds', '5', '--count', '3'),
      await sendAudio('--seconds', '5', '--count', '3'),
    ];
    const events = [...first, ...second].map(parse);
    expect(new Set(events.map(({ data }) => data.conversation_id)).size).toBe(6);
    expect(new Set(events.map(({ data }) => hash('sha256', data.full_audio, 'hex'))).size).toBe(6);
    expect([...first, ...second].map(({ isSigned }) => isSigned)).toEqual([true, true, true, true, true, true]);
  });

  test('sends what the receiver splits into an envelope and audio', async () => {
    const { received } = await sendAudio('--seconds', '30');
    const body = received[0]?.body ?? Buffer.alloc(0);
    async function* read(from: number, to: number) {
      yield await Promise.resolve(body.subarray(from, to));
    }
    const result = await splitBody({ bytes: body.length, read, signedAt: 0, eventId: 'any' });
    expect(result).toMatchObject({ kind: 'audio', audio: { bytes: 480_000, isCanonical: true } });
  });

  test('counts a refusal that comes before the end of the body', async () => {
    const url = await startServer(
      (_request, response) => void response.writeHead(413).end('{"code":"body_too_large"}'),
    );
    const printed: string[] = [];
    const env = { ELEVENLABS_WEBHOOK_SECRET: SECRET };
    const args = ['post_call_audio', '--seconds', '600', '--url', url];
    expect(await send(args, env, (line) => printed.push(line))).toBe(1);
    expect(printed).toEqual([expect.stringContaining('0 of 1 accepted'), '1 × 413 {"code":"body_too_large"}']);
  });

  test.each([
    [['post_call_audio', '--seconds', '0'], '--seconds takes a whole number from 1 to 86400.'],
    [['post_call_audio', '--seconds', '86401'], '--seconds takes a whole number from 1 to 86400.'],
    [['post_call_audio', '--seconds', '1.5'], '--seconds takes a whole number from 1 to 86400.'],
    [['post_call_audio', '--seconds', 'ten'], '--seconds takes a whole number from 1 to 86400.'],
    [['live', '--seconds', '60'], 'live has none. Leave it out, or send post_call_audio --seconds 60.'],
  ])('%j is a wrong command line: exit code 2, and says %j', async (args, advice) => {
    const [printed, faults]: [string[], string[]] = [[], []];
    const code = await runCommand(['send', ...args], {
      root: await makeTempFolder(),
      env: { ELEVENLABS_WEBHOOK_SECRET: SECRET },
      print: (line) => printed.push(line),
      printError: (line) => faults.push(line),
      width: 120,
    });
    expect({ code, printed }).toEqual({ code: 2, printed: [] });
    expect(faults.join('\n')).toContain(advice);
  });
});

describe('a streamed body', () => {
  test('is made no faster than it is read', async () => {
    let [made, read, mostAhead] = [0, 0, 0];
    const url = await startServer((request, response) => {
      const readSlowly = async () => {
        for await (const chunk of request) {
          read += Buffer.from(chunk).length;
          mostAhead = Math.max(mostAhead, made - read);
          await setImmediate();
        }
        response.end();
      };
      void readSlowly();
    });
    // A recording of 50 minutes.
    const whole = audioBody('run', { sequence: 0, at: new Date(0), seconds: 3_000 });
    function* counted() {
      made = 0;
      for (const chunk of whole.chunks()) {
        made += chunk.length;
        yield chunk;
      }
    }
    const agent = new Agent();
    const answer = await postEvent(url, { bytes: whole.bytes, chunks: counted }, { secret: SECRET, agent });
    expect({ answer, made, read }).toEqual({ answer: '200', made: whole.bytes, read: whole.bytes });
    expect(whole.bytes).toBeGreaterThan(60 * MEBIBYTE);
    // The two sockets hold some MiB.
    expect(mostAhead).toBeLessThan(24 * MEBIBYTE);
  });

  test('is the same each time it is made', () => {
    const { bytes, chunks } = audioBody('run', { sequence: 7, at: new Date(1_760_000_150_000), seconds: 10 });
    const [first, second] = [Buffer.concat([...chunks()]), Buffer.concat([...chunks()])];
    expect(first).toEqual(second);
    expect(first.length).toBe(bytes);
    expect(first.toString('utf8', 0, 139)).toBe(
      '{"type":"post_call_audio","event_timestamp":1760000150,"data":{"agent_id":"agent_example","conversation_id":"conv_run_7","full_audio":"//uU',
    );
  });
});
