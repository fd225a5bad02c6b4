import { readFileSync } from 'node:fs';
import { counted } from '@landline/operations';
import { createStore } from '@landline/store';
import { idempotencyKey } from '@landline/webhook';
import { afterAll, beforeAll, describe, expect, onTestFinished, test, vi } from 'vitest';
import { runCommand } from '../apps/cli/src/run-command.ts';
import { messageBody, recordDeadBodies } from './support/dead-ledger.ts';
import type { AppProcess } from './support/app-process.ts';
import { startPipe, type Pipe } from './support/pipe.ts';
import { makeConversation } from './support/provider/conversation.ts';
import { startProvider } from './support/provider/start-provider.ts';
import { PERSON, transcriptOf } from '../packages/store/test/support/a-person.ts';
import { post, SECRET, send, signed } from './support/post.ts';
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
let worker: AppProcess;
beforeAll(async () => {
  pipe = await startPipe();
  worker = await pipe.startWorker({ ELEVENLABS_WEBHOOK_SECRET: SECRET });
});
afterAll(() => pipe.stop());

/** Types a command of the page: `npm run landline -- …`. `more`: variables beside those of the servers. */
async function type(command: string, secrets = SECRET, more: Readonly<Record<string, string>> = {}) {
  const [, words = ''] = /^npm run (?:--silent )?landline -- (.*)$/.exec(command) ?? [];
  const output: string[] = [];
  const code = await runCommand(words.split(' '), {
    root: await makeTempFolder(),
    env: { DATABASE_URL: pipe.databaseUrl, REDIS_URL: pipe.redis.url, ELEVENLABS_WEBHOOK_SECRET: secrets, ...more },
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
    'What is deleted, and when',
    'The secret was wrong for a day',
    'Webhooks did not come for a while',
    'Rebuild after an update',
    'A customer wants to be forgotten',
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
  });
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

describe('What is deleted, and when', () => {
  test('a plan tells of what is due, and a worker deletes it', async () => {
    await pipe.sql(`INSERT INTO rejected_requests (id, received_at, code, cause, advice, headers)
      VALUES (gen_random_uuid(), now() - interval '15 days', 'c', 'c', 'a', '{}'), (gen_random_uuid(), now(), 'c', 'c', 'a', '{}')`);
    const [plan = '', retention = '', ...others] = commandsOf('What is deleted, and when');
    expect(others).toEqual([]);
    expect(await type(plan)).toMatchObject({ code: 0, output: expect.stringMatching(/^ +1 {2}refused requests/m) });
    expect(await type(retention)).toMatchObject({
      code: 0,
      output: expect.stringMatching(/Deleted: .*\b1 refused request\./),
    });
    expect(await pipe.sql('SELECT count(*)::int AS n FROM rejected_requests')).toEqual([{ n: 1 }]);
    await pipe.sql('DELETE FROM rejected_requests');
  });
});

describe('The secret was wrong for a day', () => {
  test('what was refused is seen with its cause, and comes in once the secret is there', async () => {
    const right = 'wsec_fedcba9876543210fedcba9876543210';
    const bodies = Array.from({ length: 3 }, (_, i) => messageBody('conv_refused', `refused ${i}`).toString());
    for (const body of bodies) {
      // oxlint-disable-next-line no-await-in-loop -- one call after the other
      expect(await send(pipe.receiver.url, { headers: signed(body, right), body })).toMatchObject({ status: 401 });
    }
    const kept = 'SELECT count(*)::int AS n FROM rejected_requests';
    await vi.waitUntil(async () => (await pipe.sql(kept))[0]?.['n'] === 3, { timeout: 20_000, interval: 50 });
    const [list = '', plan = '', readmit = '', ...others] = commandsOf('The secret was wrong for a day');
    expect(others).toEqual([]);
    const listed = await type(list);
    expect(listed.output.match(/another_secret/g)).toHaveLength(3);

    await worker.stop();
    const secrets = `${right},${SECRET}`;
    worker = await pipe.startWorker({ ELEVENLABS_WEBHOOK_SECRET: secrets });
    expect(await type(plan, secrets)).toMatchObject({
      code: 0,
      output: expect.stringContaining('3 of 3 refused requests can be readmitted'),
    });
    expect(await type(readmit, secrets)).toMatchObject({ code: 0, output: expect.stringContaining('done: 3 of 3') });
    await pipe.untilIdle();
    expect(
      await pipe.sql(
        `SELECT content FROM conversation_messages WHERE conversation_id = 'conv_refused' ORDER BY content`,
      ),
    ).toEqual([{ content: 'refused 0' }, { content: 'refused 1' }, { content: 'refused 2' }]);
  });
});

describe('Webhooks did not come for a while', () => {
  test('what never came is named, and fetched', async () => {
    const startedAt = Math.floor(Date.now() / 1000) - 100 * 3_600;
    const provider = await startProvider({ conversations: [makeConversation({ id: 'conv_unsent', startedAt })] });
    onTestFinished(() => provider.close());
    const key = { ELEVENLABS_API_KEY: provider.apiKey, ELEVENLABS_API_URL: provider.url };
    await worker.stop();
    worker = await pipe.startWorker({ ELEVENLABS_WEBHOOK_SECRET: SECRET, ...key });
    const [plan = '', fetch = '', ...others] = commandsOf('Webhooks did not come for a while');
    expect(others).toEqual([]);
    expect(await type(plan, SECRET, key)).toMatchObject({
      code: 0,
      output: expect.stringMatching(/^ +1 {2}missing: .*\n +conv_unsent$/m),
    });
    expect(await type(fetch, SECRET, key)).toMatchObject({ code: 0, output: expect.stringContaining('done: ') });
    const row = `SELECT completeness, title FROM conversations WHERE id = 'conv_unsent'`;
    expect(await pipe.sql(row)).toEqual([{ completeness: 'complete', title: 'A table' }]);
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
    const differs = `conversation_messages.content: ${counted(Number(n), 'row')} `;
    expect(await type(build)).toMatchObject({ code: 0, output: expect.stringContaining(differs) });
    expect(await type(swap)).toMatchObject({
      code: 0,
      output: expect.stringContaining('The old tables are in landline_before_'),
    });
    expect(await pipe.sql(`SELECT FROM conversation_messages WHERE content LIKE 'as an older%'`)).toEqual([]);
    expect(await type(drop)).toMatchObject({ code: 0, output: expect.stringContaining('Dropped 1.') });
  });
});

/** The page's number becomes that of the person. */
const ofPerson = (command: string) => command.replace('+12025550123', PERSON.number);

describe('A customer wants to be forgotten', () => {
  test('the person is planned, erased, and looked for in the calls of others', async () => {
    const spokenOf = messageBody('conv_friend', 'Zenobia was here');
    for (const body of [transcriptOf('conv_zenobia').entry.delivery.body, spokenOf]) {
      // oxlint-disable-next-line no-await-in-loop -- one after the other
      expect(await post(pipe.receiver.url, body)).toMatchObject({ status: 200 });
    }
    await pipe.untilIdle();
    const [plan = '', erase = '', find = '', eraseOther = '', ...others] = commandsOf(
      'A customer wants to be forgotten',
    );
    expect(others).toEqual([]);
    expect(await type(ofPerson(plan))).toMatchObject({
      code: 0,
      output: expect.stringMatching(/^1 conversation with 2 messages/),
    });
    const erased = await type(ofPerson(erase));
    expect(erased).toMatchObject({ code: 0, output: expect.stringMatching(/^journals +have nothing of it from 20/m) });
    expect(erased.output).not.toContain(PERSON.number);
    expect(await type(find)).toMatchObject({
      code: 0,
      output: expect.stringMatching(/^\S+  \S+  applied  conversation.message    conv_friend$/m),
    });
    expect(await type(eraseOther.replace('<conversation id>', 'conv_friend'))).toMatchObject({ code: 0 });
    expect((await type(find)).output).not.toContain('conv_friend');
    expect(
      await pipe.sql(
        `SELECT count(*)::int AS n FROM conversation_messages WHERE conversation_id IN ('conv_zenobia', 'conv_friend')`,
      ),
    ).toEqual([{ n: 0 }]);
  });
});
