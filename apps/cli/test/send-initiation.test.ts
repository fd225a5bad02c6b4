import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { createServer, type IncomingHttpHeaders, type IncomingMessage } from 'node:http';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { expect, onTestFinished, test } from 'vitest';
import { chooseQuietPort } from '../../../test/support/quiet-port.ts';
import { makeTempFolder } from '../../../test/support/temp-folder.ts';
import { runCommand } from '../src/run-command.ts';

const TOKEN = '5e'.repeat(24);
const ANSWER = { type: 'conversation_initiation_client_data', dynamic_variables: { caller_known: true } };

async function run(argv: string[], env: Record<string, string>) {
  const printed: string[] = [];
  const faults: string[] = [];
  const code = await runCommand(['send', ...argv], {
    root: await makeTempFolder(),
    env,
    print: (line) => printed.push(line),
    printError: (line) => faults.push(line),
    width: 120,
  });
  return { code, printed: printed.join('\n'), faults: faults.join('\n') };
}

/** Starts a stand-in for the initiation. It answers `status` and `body`, and keeps the requests. */
async function startServer(status: number, body: string, headers: Record<string, string> = {}) {
  const asked: { url: string | undefined; headers: IncomingHttpHeaders; body: unknown }[] = [];
  const note = async (request: IncomingMessage) => {
    asked.push({ url: request.url, headers: request.headers, body: JSON.parse(await text(request)) });
  };
  const server = createServer((request, response) => {
    void note(request).then(() => response.writeHead(status, headers).end(body));
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => void server.close());
  const address = server.address();
  return { asked, port: String(typeof address === 'object' ? address?.port : 0) };
}

test('asks npm start on this machine as ElevenLabs does, and prints the answer', async () => {
  const { asked, port } = await startServer(200, JSON.stringify(ANSWER));
  const env = { INITIATION_TOKEN: TOKEN, INITIATION_PORT: port };
  const { code, printed, faults } = await run(['conversation-initiation', '--caller', '+12025550123'], env);
  expect(code).toBe(0);
  expect(printed).toBe(JSON.stringify(ANSWER, undefined, 2));
  expect(faults).toMatch(/^Answered in \d+ ms\.$/);
  expect(asked).toMatchObject([
    {
      url: '/api/elevenlabs/conversation-initiation',
      headers: { authorization: `Bearer ${TOKEN}`, 'content-type': 'application/json' },
    },
  ]);
  // There is no conversation id, so the initiation enqueues no conversation.started.
  expect(asked[0]?.body).toEqual({
    caller_id: '+12025550123',
    agent_id: expect.any(String),
    called_number: expect.any(String),
    call_sid: expect.stringMatching(/^CA[0-9a-f]{32}$/),
  });
});

test('sends the values of its options to the address of --url, with the token of a file', async () => {
  const { asked, port } = await startServer(200, JSON.stringify(ANSWER));
  const file = join(await makeTempFolder(), 'token');
  await writeFile(file, `${TOKEN}\n`);
  const options = '--caller anonymous --called +442079460000 --agent agent_7 --conversation conv_7 --call-sid CA7';
  const url = ['--url', `http://127.0.0.1:${port}`];
  const argv = [...url, 'conversation-initiation', ...options.split(' ')];
  expect(await run(argv, { INITIATION_TOKEN_FILE: file })).toMatchObject({ code: 0 });
  expect(asked).toMatchObject([
    { url: '/api/elevenlabs/conversation-initiation', headers: { authorization: `Bearer ${TOKEN}` } },
  ]);
  expect(asked[0]?.body).toEqual({
    caller_id: 'anonymous',
    called_number: '+442079460000',
    agent_id: 'agent_7',
    conversation_id: 'conv_7',
    call_sid: 'CA7',
  });
});

const refusal = (code: string) => JSON.stringify({ code, message: 'No.' });

test.each([
  [401, refusal('token_mismatch'), 'has another INITIATION_TOKEN'],
  [401, refusal('token_not_set'), 'Set INITIATION_TOKEN for it'],
  [401, refusal('token_missing'), 'drops the header Authorization'],
  [401, 'Login please', 'asks for a login of its own'],
  [404, 'Not here', 'See INITIATION_PORT and --url'],
  [200, '<p>Hello', 'That is no JSON'],
  [503, 'Later', 'answered 503: Later'],
])('explains %i %s', async (status, body, advice) => {
  const { port } = await startServer(status, body);
  const env = { INITIATION_TOKEN: TOKEN, INITIATION_PORT: port };
  const { code, printed, faults } = await run(['conversation-initiation', '--caller', '+12025550123'], env);
  expect([code, printed]).toEqual([1, '']);
  expect(faults).toContain(advice);
  expect(faults).not.toContain(TOKEN);
});

test('sends the token to no other address', async () => {
  const other = await startServer(200, JSON.stringify(ANSWER));
  const { port } = await startServer(307, '', { location: `http://127.0.0.1:${other.port}/` });
  const env = { INITIATION_TOKEN: TOKEN, INITIATION_PORT: port };
  expect((await run(['conversation-initiation', '--caller', '1'], env)).code).toBe(1);
  expect(other.asked).toEqual([]);
});

test('names the remedy where nothing listens', async () => {
  const port = String(await chooseQuietPort());
  const env = { INITIATION_TOKEN: TOKEN, INITIATION_PORT: port };
  const { code, faults } = await run(['conversation-initiation', '--caller', '+12025550123'], env);
  expect(code).toBe(1);
  expect(faults).toContain(`Nothing listens at http://127.0.0.1:${port}. Run npm start in another terminal`);
});

test.each([
  [['conversation-initiation'], { INITIATION_TOKEN: TOKEN }, 2, '--caller <number>'],
  [['conversation-initiation', '--caller', ''], { INITIATION_TOKEN: TOKEN }, 2, '--caller <number>'],
  [['conversation-initiation', 'now', '--caller', '1'], { INITIATION_TOKEN: TOKEN }, 2, '--caller <number>'],
  [['conversation-initiation', '--caller', '1', '--count', '2'], { INITIATION_TOKEN: TOKEN }, 2, "'--count'"],
  [['conversation-initiation', '--caller', '1', '--url', 'here'], { INITIATION_TOKEN: TOKEN }, 2, '--url takes'],
  [['conversation-initiation', '--caller', '1'], {}, 1, 'INITIATION_TOKEN is not set'],
  [['conversation-initiation', '--caller', '1'], { INITIATION_TOKEN: 'clé secrète' }, 1, 'a character outside ASCII'],
  [['conversation-initiation', '--caller', '1'], { INITIATION_TOKEN_FILE: '/none' }, 1, 'cannot read /none'],
  [
    ['conversation-initiation', '--caller', '1'],
    { INITIATION_TOKEN: TOKEN, INITIATION_PORT: 'x' },
    1,
    'INITIATION_PORT',
  ],
])('%j with %j exits with %i and says %j', async (argv, env, code, advice) => {
  const result = await run(argv, env);
  expect([result.code, result.printed]).toEqual([code, '']);
  expect(result.faults).toContain(advice);
  expect(result.faults).not.toContain('secrète');
});
