import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { writeFile } from 'node:fs/promises';
import { expect, test } from 'vitest';
import { makeTempFolder } from '../../../test/support/temp-folder.ts';
import { runCommand } from '../src/run-command.ts';

async function run(argv: string[], env: Record<string, string> = {}, root?: string) {
  const printed: string[] = [];
  const faults: string[] = [];
  const code = await runCommand(['context', ...argv], {
    root: root ?? (await makeTempFolder()),
    env,
    print: (line) => printed.push(line),
    printError: (line) => faults.push(line),
    width: 120,
  });
  return { code, printed: printed.join('\n'), faults: faults.join('\n') };
}

test('prints the agent context, these keys and values and no others, in this order', async () => {
  const { code, printed, faults } = await run(['--url', 'https://calls.example.com']);
  expect([code, faults]).toEqual([0, '']);
  const wanted = {
    webhook_url: 'https://calls.example.com/api/elevenlabs/webhook',
    supported_languages: ['ar', 'en', 'fr', 'es', 'de', 'it', 'pt', 'ru', 'zh', 'ja', 'ko'],
    supported_dialects: {
      ar: ['eg', 'sa', 'ae', 'jo', 'lb', 'ma', 'tn', 'dz', 'iq', 'sy', 'ye', 'om', 'kw', 'qa', 'bh'],
      en: ['us', 'uk', 'au', 'ca', 'nz', 'ie'],
      es: ['es', 'mx', 'ar', 'co', 'cl', 'pe', 've'],
    },
    twilio_enabled: true,
    command_saving_enabled: true,
    personality_awareness: true,
  };
  expect(JSON.parse(printed)).toEqual(wanted);
  expect(printed).toBe(JSON.stringify(wanted, undefined, 2));
});

test.each([
  ['an origin', 'https://calls.example.com', 'https://calls.example.com/api/elevenlabs/webhook'],
  ['an origin with a slash', 'https://calls.example.com/', 'https://calls.example.com/api/elevenlabs/webhook'],
  ['a port', 'http://10.0.0.7:8080', 'http://10.0.0.7:8080/api/elevenlabs/webhook'],
  [
    'the whole address',
    'https://calls.example.com/api/elevenlabs/webhook',
    'https://calls.example.com/api/elevenlabs/webhook',
  ],
  [
    'the whole address with a slash',
    'https://calls.example.com/api/elevenlabs/webhook/',
    'https://calls.example.com/api/elevenlabs/webhook',
  ],
  [
    'the whole address behind a prefix',
    'https://example.com/calls/api/elevenlabs/webhook',
    'https://example.com/calls/api/elevenlabs/webhook',
  ],
])('takes %s, in --url and in PUBLIC_URL', async (_, given, url) => {
  expect(JSON.parse((await run(['--url', given])).printed)).toHaveProperty('webhook_url', url);
  expect(JSON.parse((await run([], { PUBLIC_URL: given })).printed)).toHaveProperty('webhook_url', url);
});

test('--url wins over PUBLIC_URL, which .env may hold; without both it is this machine and PORT', async () => {
  const root = await makeTempFolder();
  await writeFile(join(root, '.env'), 'PUBLIC_URL=https://from.example\nPORT=4000\n');
  const urlOf = async (argv: string[], env: Record<string, string>) =>
    JSON.parse((await run(argv, env, root)).printed).webhook_url;
  expect(await urlOf(['--url', 'https://given.example'], {})).toBe('https://given.example/api/elevenlabs/webhook');
  expect(await urlOf([], {})).toBe('https://from.example/api/elevenlabs/webhook');
  expect(await urlOf([], { PUBLIC_URL: '' })).toBe('http://127.0.0.1:4000/api/elevenlabs/webhook');
  expect(JSON.parse((await run([])).printed).webhook_url).toBe('http://127.0.0.1:3000/api/elevenlabs/webhook');
});

test.each([
  [['--url', 'calls.example.com'], {}, 2, '--url takes an origin'],
  [['--url', 'https://calls.example.com/hooks'], {}, 2, '--url takes an origin'],
  [['--url', 'https://someone:hunter2@calls.example.com'], {}, 2, '--url takes an origin'],
  [['--url', 'https://calls.example.com/?a=b'], {}, 2, '--url takes an origin'],
  [['--url', 'ftp://calls.example.com'], {}, 2, '--url takes an origin'],
  [['--url', ''], {}, 2, '--url takes an origin'],
  [['--url'], {}, 2, '--url'],
  [['now'], {}, 2, 'now'],
  [['--nonsense'], {}, 2, "Unknown option '--nonsense'"],
  [[], { PUBLIC_URL: 'calls.example.com' }, 1, 'PUBLIC_URL takes an origin'],
  [[], { PORT: 'many' }, 1, 'PORT'],
])('%j with %j exits with %i, says %j, and prints nothing else', async (argv, env, code, text) => {
  const result = await run(argv, env);
  expect([result.code, result.printed]).toEqual([code, '']);
  expect(result.faults).toContain(text);
  expect(result.faults).not.toContain('hunter2');
});

test('as a process: JSON on stdout and nothing on stderr; a fault the other way round', async () => {
  const main = join(import.meta.dirname, '..', 'dist', 'main.js');
  const { PATH = '' } = process.env;
  const call = (...args: string[]) =>
    promisify(execFile)(process.execPath, [main, 'context', ...args], {
      env: { PATH, PUBLIC_URL: 'https://a.example' },
    });
  const { stdout, stderr } = await call();
  expect([JSON.parse(stdout).webhook_url, stderr]).toEqual(['https://a.example/api/elevenlabs/webhook', '']);
  await expect(call('--url', 'x')).rejects.toMatchObject({
    code: 2,
    stdout: '',
    stderr: expect.stringContaining('--url'),
  });
});
