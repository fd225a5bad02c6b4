import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { sign } from '@landline/webhook';
import { expect, test } from 'vitest';
import { SECRET } from '../../../test/support/post.ts';
import { makeTempFolder } from '../../../test/support/temp-folder.ts';
import { runCommand } from '../src/run-command.ts';

const BODY = '{"type":"conversation.message"}';
const now = () => Math.floor(Date.now() / 1000);
const header = (body = BODY, secret = SECRET, at = now()) => sign(Buffer.from(body), secret, at);

/** Runs `landline diagnose` on a file with `BODY`, in a folder whose .env has the secret. */
async function diagnose(args: string[], env: Record<string, string> = {}) {
  const root = await makeTempFolder();
  await writeFile(join(root, '.env'), `ELEVENLABS_WEBHOOK_SECRET=${SECRET}\n`);
  const file = join(root, 'body.json');
  await writeFile(file, BODY);
  const lines: string[] = [];
  const context = { root, env, print: (line: string) => void lines.push(line), width: 120 };
  return { code: await runCommand(['diagnose', file, ...args], context), output: lines.join('\n') };
}

test.each<[string, string[], number, string]>([
  ['a good signature', ['--header', header()], 0, 'signature_good'],
  ['a whole line of a header', ['--header', `ElevenLabs-Signature: ${header()}`], 0, 'signature_good'],
  ['a newline that is gone', ['--header', header(`${BODY}\n`)], 0, 'newline_removed'],
  ['no time', ['--header', 'v0=1'], 0, 'no_time'],
  ['another secret', ['--header', header(BODY, 'another')], 1, 'another_secret'],
  ['a secret that is given', ['--header', header(BODY, 'another'), '--secret', 'another'], 0, 'signature_good'],
  ['two secrets', ['--header', header(BODY, 'b'), '--secret', 'a', '--secret', 'b'], 0, 'signature_good'],
  ['quotation marks', ['--header', header(), '--secret', `'${SECRET}'`], 0, 'secret_is_quoted'],
  ['an old signature', ['--header', header(BODY, SECRET, now() - 7200)], 0, 'stale'],
  ['the time of receipt', ['--header', header(BODY, SECRET, now() - 7200), '--at', '2h'], 0, 'signature_good'],
])('%s', async (_, args, code, cause) => {
  const result = await diagnose(args);
  expect(result.code).toBe(code);
  expect(result.output).toMatch(new RegExp(`^${cause}: .+\\n.+`));
  const document = await diagnose([...args, '--json']);
  expect(JSON.parse(document.output)).toEqual({
    cause,
    message: expect.any(String),
    advice: expect.any(String),
    found: code === 0,
  });
  expect(document.output).not.toContain(SECRET);
});

test.each([
  [[], 2, 'diagnose takes a file'],
  [['more', '--header', 't=1'], 2, 'diagnose takes a file'],
  [['--header', 't=1', '--nonsense'], 2, '--nonsense'],
  [['--header', 't=1', '--at', 'yesterday'], 2, '--at takes a time'],
])('%j is a wrong call', async (args, code, text) => {
  expect(await diagnose(args)).toMatchObject({ code, output: expect.stringContaining(text) });
});

test('a file that is not there is a wrong call, and no secret at all a fault', async () => {
  const lines: string[] = [];
  const context = { root: await makeTempFolder(), env: {}, print: (line: string) => void lines.push(line), width: 120 };
  expect(await runCommand(['diagnose', '/nowhere/body', '--header', 't=1'], context)).toBe(2);
  const file = join(context.root, 'body');
  await writeFile(file, BODY);
  expect(await runCommand(['diagnose', file, '--header', header()], context)).toBe(1);
  expect(lines.at(-1)).toContain('ELEVENLABS_WEBHOOK_SECRET is not set');
});
