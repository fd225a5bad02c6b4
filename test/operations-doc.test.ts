import { readFileSync } from 'node:fs';
import { createStore } from '@landline/store';
import { idempotencyKey } from '@landline/webhook';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { runCommand } from '../apps/cli/src/run-command.ts';
import { messageBody, recordDeadBodies } from './support/dead-ledger.ts';
import { startPipe, type Pipe } from './support/pipe.ts';
import { post } from './support/post.ts';
import { makeTempFolder } from './support/temp-folder.ts';

const page = readFileSync(new URL('../docs/operations.md', import.meta.url), 'utf8');

/** Returns the commands of a recipe of docs/operations.md, in their order. */
function commandsOf(recipe: string): string[] {
  const section = page.split(/^### /m).find((part) => part.startsWith(`${recipe}\n`)) ?? '';
  const blocks = [...section.matchAll(/```sh\n([^]*?)```/g)];
  // In a list the commands are indented.
  return blocks.flatMap(([, commands = '']) => commands.trim().split(/\n */));
}

let pipe: Pipe;
beforeAll(async () => {
  pipe = await startPipe();
  await pipe.startWorker();
});
afterAll(() => pipe.stop());

/** Types a command of the page: `npm run landline -- …`. */
async function type(command: string) {
  const [, words = ''] = /^npm run (?:--silent )?landline -- (.*)$/.exec(command) ?? [];
  const output: string[] = [];
  const code = await runCommand(words.split(' '), {
    root: await makeTempFolder(),
    env: { DATABASE_URL: pipe.databaseUrl, REDIS_URL: pipe.redis.url },
    print: (line) => output.push(line),
    printError: (line) => output.push(line),
    width: 120,
  });
  return { code, output: output.join('\n') };
}

test('each recipe has commands, and all of its commands are ours', () => {
  const [, recipes = ''] = page.split(/^## Recipes$/m);
  const names = [...recipes.matchAll(/^### (.*)$/gm)].map(([, name = '']) => name);
  expect(names).toEqual([
    'A bug in how I read an event',
    'What happened to call X',
    'The secret was wrong for a day',
    'Rebuild after an update',
  ]);
  for (const name of names) {
    const commands = commandsOf(name);
    expect(commands.length).toBeGreaterThan(0);
    for (const command of commands) expect(command).toMatch(/^npm run landline -- /);
  }
});

describe('A bug in how I read an event', () => {
  test('its events are found, planned and replayed', async () => {
    const store = createStore({ databaseUrl: pipe.databaseUrl });
    const bodies = Array.from({ length: 30 }, (_, i) => messageBody('conv_bug', `word ${i}`));
    await recordDeadBodies(store, bodies, Date.now() - 60_000);
    await store.close();
    const [find = '', plan = '', replay = '', ...others] = commandsOf('A bug in how I read an event');
    expect(others).toEqual([]);
    const found = await type(find);
    expect(found.code).toBe(0);
    expect(found.output.split('\n')).toHaveLength(30);
    expect(await type(plan)).toMatchObject({ code: 0, output: expect.stringContaining('by outcome: 30 dead') });
    expect(await type(replay)).toMatchObject({ code: 0, output: expect.stringContaining('done: 30 of 30') });
    expect(await pipe.sql('SELECT count(*)::int AS n FROM conversation_messages')).toEqual([{ n: 30 }]);
    expect(await type(find)).toEqual({ code: 0, output: 'No event matches.' });
  }, 60_000);
});

describe('What happened to call X', () => {
  test('its events are listed, and one is shown', async () => {
    const body = messageBody('conv_x', 'hello');
    expect(await post(pipe.receiver.url, body)).toMatchObject({ status: 200 });
    await pipe.untilIdle();
    const [find = '', show = '', ...others] = commandsOf('What happened to call X');
    expect(others).toEqual([]);
    const id = idempotencyKey(body);
    expect(await type(find.replace('<conversation id>', 'conv_x'))).toEqual({
      code: 0,
      output: expect.stringMatching(new RegExp(`^\\S+  ${id}  applied  conversation.message    conv_x$`)),
    });
    const shown = await type(show.replace('<event id>', id));
    expect(shown).toMatchObject({ code: 0, output: expect.stringContaining('conv_x') });
  });
});

describe('Rebuild after an update', () => {
  test('what would change is told, then swapped in, and the old tables go', async () => {
    await pipe.sql(`UPDATE conversation_messages SET content = 'as an older version read it'`);
    const [{ n = 0 } = {}] = await pipe.sql('SELECT count(*)::int AS n FROM conversation_messages');
    const [plan = '', build = '', swap = '', drop = '', ...others] = commandsOf('Rebuild after an update');
    expect(others).toEqual([]);
    expect(await type(plan)).toMatchObject({
      code: 0,
      output: expect.stringContaining('applied events of the ledger'),
    });
    const differs = `conversation_messages.content: ${String(n)} rows differ`;
    expect(await type(build)).toMatchObject({ code: 0, output: expect.stringContaining(differs) });
    expect(await type(swap)).toMatchObject({
      code: 0,
      output: expect.stringContaining('The old tables are in landline_before_'),
    });
    expect(await pipe.sql(`SELECT FROM conversation_messages WHERE content LIKE 'as an older%'`)).toEqual([]);
    expect(await type(drop)).toMatchObject({ code: 0, output: expect.stringContaining('Dropped 1.') });
  }, 60_000);
});
