import { createStore } from '@landline/store';
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import { createDatabase, type TestDatabase } from '../../../test/support/database.ts';
import { messageBody, recordDeadBodies } from '../../../test/support/dead-ledger.ts';
import { makeTempFolder } from '../../../test/support/temp-folder.ts';
import { listEvents } from '../src/find/list-events.ts';
import { runCommand } from '../src/run-command.ts';

let database: TestDatabase;
let ids: string[];
beforeAll(async () => {
  database = await createDatabase(inject('databaseUrl'));
  const store = createStore({ databaseUrl: database.url });
  const bodies = Array.from({ length: 5 }, (_, i) => messageBody(`conv_${i}`, `word ${i} \u001b[31m مرحبا`));
  ids = await recordDeadBodies(store, bodies);
  await store.close();
});
afterAll(() => database.drop());

async function contextOf() {
  const output: string[] = [];
  const errors: string[] = [];
  return {
    output,
    errors,
    context: {
      root: await makeTempFolder(),
      env: { READER_DATABASE_URL: database.url },
      print: (line: string) => output.push(line),
      printError: (line: string) => errors.push(line),
      width: 120,
    },
  };
}

/** Runs `landline events`. */
async function events(...args: string[]) {
  const { context, output, errors } = await contextOf();
  const code = await runCommand(['events', ...args], context);
  return { code, output, errors: errors.join('\n') };
}

test('lists events, the newest first, a line for each', async () => {
  const { code, output, errors } = await events();
  expect({ code, errors }).toEqual({ code: 0, errors: '' });
  expect(output).toHaveLength(5);
  expect(output[0]).toBe(
    `2026-01-05T09:00:00.004Z  ${ids[4]}  dead     conversation.message    conv_4  an_old_bug: The version before could not read it.`,
  );
});

test('with --json it prints one array with the names of the columns, and nothing else', async () => {
  const { code, output, errors } = await events('--json', '--conversation', 'conv_2');
  expect({ code, errors }).toEqual({ code: 0, errors: '' });
  expect(JSON.parse(output.join('\n'))).toEqual([
    {
      id: ids[2],
      type: 'conversation.message',
      event_key: 'conv_2 word 2 \u001b[31m مرحبا',
      conversation_id: 'conv_2',
      outcome: 'dead',
      error: { code: 'an_old_bug', message: 'The version before could not read it.', attempts: 1 },
      event_at: '2026-01-05T09:00:00.000Z',
      received_at: '2026-01-05T09:00:00.002Z',
      applied_at: null,
      origin: 'webhook',
      body_bytes: expect.any(Number),
    },
  ]);
  expect(output.join('')).not.toContain('\u001b');
});

test('with --limit it says how to go on, and going on misses none and repeats none', async () => {
  const first = await events('--limit', '2');
  expect(first.output.map((line) => line.split('  ')[1])).toEqual([ids[4], ids[3]]);
  const place = `2026-01-05T09:00:00.003Z,${ids[3]}`;
  expect(first.errors).toBe(`There may be more: type the same with --after ${place}`);
  const next = await events('--limit', '9', '--after', place);
  expect(next.output.map((line) => line.split('  ')[1])).toEqual([ids[2], ids[1], ids[0]]);
  expect((await events('--text', 'word', '--after', place)).output).toHaveLength(3);
});

test('nothing found is told, and is an empty array in JSON', async () => {
  expect(await events('--type', 'nothing')).toEqual({ code: 0, output: ['No event matches.'], errors: '' });
  expect(await events('--type', 'nothing', '--json')).toEqual({ code: 0, output: ['[]'], errors: '' });
});

describe('--text', () => {
  test('finds what stands in a body', async () => {
    const { code, output } = await events('--text', 'WORD 3');
    expect(code).toBe(0);
    expect(output).toEqual([expect.stringContaining(ids[3] ?? '')]);
    expect(JSON.parse((await events('--text', 'مرحبا', '--json')).output.join('\n'))).toHaveLength(5);
  });

  test('says that all was looked at where nothing is found', async () => {
    expect(await events('--text', 'never said')).toEqual({
      code: 0,
      output: ['No event has this text. All 5 that match otherwise were looked at.'],
      errors: '',
    });
  });

  test('a time that is over is never shown as nothing found: it exits with 1, and says how to go on', async () => {
    for (const args of [
      ['--text', 'never said'],
      ['--text', 'never said', '--json'],
    ]) {
      const { context, output, errors } = await contextOf();
      expect(await listEvents(args, context, { searchMs: 0 })).toBe(1);
      expect(errors.join('\n')).toContain('The time was over.');
      expect(output.join('')).toBe(args.includes('--json') ? '[]' : '');
    }
  });
});

test.each([
  [['--outcome', 'odd'], '--outcome must be one of applied, ignored, dead.'],
  [['--since', 'yesterday'], '--since takes a time such as'],
  [['--limit', '0'], '--limit takes a whole number from 1 to 10000, not "0".'],
  [['--limit', '1e3'], '--limit takes a whole number'],
  [['--after', '2026-01-05T09:00:00Z'], '--after takes what the list before has told'],
  [['--text', ''], '--text must be a text of 1 to 1000 characters.'],
  [['--colour', 'red'], "Unknown option '--colour'"],
  [['word'], 'Unexpected argument'],
])('%j is a wrong call, which changes nothing and exits with 2', async (args, message) => {
  const { code, output, errors } = await events(...args);
  expect({ code, output }).toEqual({ code: 2, output: [] });
  expect(errors).toContain(message);
});

test('a database that is away is told, and never shown as nothing found', async () => {
  const { context, output, errors } = await contextOf();
  const env = { READER_DATABASE_URL: 'postgresql://nobody@127.0.0.1:1/none' };
  expect(await runCommand(['events', '--json'], { ...context, env })).toBe(1);
  expect(output).toEqual([]);
  expect(errors.join('\n')).toContain('127.0.0.1');
});
