import { once } from 'node:events';
import { existsSync, readFileSync, statSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { missingLines, passagesOf, readCommands, readPassages } from './readme/read-readme.ts';
import { beginSession, type Session } from './typing/session.ts';

/** Commands of README.md that the test does not type, because they need Docker. test/docker.test.ts and test/compose.test.ts check their files. */
const NEED_DOCKER = ['docker compose up --detach --scale worker=4'];

/** Before this command the reader presses Ctrl-C. */
const AFTER_CTRL_C = 'install -m 600 .env.example .env';

/** How long the first terminal may take to show the output that a command causes, in ms. */
const LOG_LIMIT_MS = 20_000;

const COMMAND_LIMIT_MS = 150_000;

const passages = readPassages('README.md');
const commands = readCommands();

describe('the commands of README.md', () => {
  test('are all typed here, in their order, or need Docker', () => {
    const written = passages.flatMap((passage) => passage.commands);
    // The test types no comment behind a command: zsh reads it as arguments.
    const typed = written.map((command) => command.replace(/ +# .*$/, ''));
    expect(typed.filter((command) => !NEED_DOCKER.includes(command))).toEqual(commands.map(({ text }) => text));
    expect(typed).toEqual(expect.arrayContaining(NEED_DOCKER));
  });

  test('have output below them, and it is read as output', () => {
    expect(passages.flatMap(({ shown }) => shown).length).toBeGreaterThanOrEqual(3);
    const page = '```sh\none\n```\n\n```output\nfirst …\nsecond\n```\n\n```text\na picture\n```\n';
    expect(passagesOf(page)).toEqual([{ commands: ['one'], shown: ['first …\nsecond'] }]);
  });
});

test.each([
  [['id | status', '---+---', '(1 row)'], ' id     | status\n--------+------\n(1 row)\n', []],
  [['✅ Conversation started: conv_…'], '{"msg":"✅ Conversation started: conv_1"}\n', []],
  [['1 of 1 accepted'], '0 of 1 accepted\n', ['1 of 1 accepted']],
  [['second', 'first'], 'first\nsecond\n', ['first']],
  [['a.b'], 'acb\n', ['a.b']],
])('of the lines %j, the output %j lacks %j', (shown, output, missing) => {
  expect(missingLines(shown, output)).toEqual(missing);
});

describe('a reader who types README.md in a fresh clone', () => {
  let session: Session;
  /** The output of the second terminal since the passage began, and how much the first one had printed by then. */
  let printed = '';
  let logged = 0;

  beforeAll(async () => {
    session = await beginSession();
  });
  afterAll(() => session.end());

  const split = commands.findIndex(({ text }) => text === AFTER_CTRL_C);
  /** The passage of each command that is its passage's last; undefined for every other command. */
  const endings = passages.flatMap((passage) =>
    passage.commands
      .filter((command) => !NEED_DOCKER.includes(command))
      .map((_, i, all) => (i === all.length - 1 ? passage : undefined)),
  );
  const steps = commands.map((command, i) => ({ ...command, isSecond: isSecondCd(i), ending: endings[i] }));

  /** Whether a command is the second `cd landline`, which the reader types in a second terminal. */
  function isSecondCd(i: number): boolean {
    return commands[i]?.text === 'cd landline' && commands.findIndex(({ text }) => text === 'cd landline') < i;
  }

  async function type({ text, prints, isSecond, ending }: (typeof steps)[number]): Promise<void> {
    const command = session.withPorts(text.replace('<this repository>', session.repository));
    const { exit, output } = await session.type(command, { opensTerminal: isSecond });
    expect({ exit, output }).toEqual({ exit: 0, output });
    const missing = missingLines(prints.map(session.withPorts), output);
    expect({ missing, output }).toEqual({ missing: [], output });
    printed += output;
    if (ending === undefined) return;
    for (const shown of ending.shown) await expectShown(session.withPorts(shown).split('\n'));
    [printed, logged] = ['', session.log().length];
  }

  /** Waits until one of the two terminals shows all of these lines. */
  async function expectShown(lines: readonly string[]): Promise<void> {
    const missing = () => [printed, session.log().slice(logged)].map((output) => missingLines(lines, output));
    const isShown = () => missing().some((each) => each.length === 0);
    await vi.waitUntil(isShown, { timeout: LOG_LIMIT_MS, interval: 20 }).catch(() => {});
    expect({ isShown: isShown(), printed, log: session.log() }).toMatchObject({ isShown: true });
  }

  test.each(steps.slice(0, split))('sees what it says: $text', type, COMMAND_LIMIT_MS);

  test(
    'stops all of it by Ctrl-C, and finds the data again at the next start',
    async () => {
      await session.interrupt();
      expect(missingLines(['Stopped. The data is in .data for the next start.'], session.log())).toEqual([]);
      const answering = await Promise.all([...session.ports.values()].map(isAnswering));
      expect(answering).toEqual([false, false, false, false, false]);
      expect(existsSync(join(session.clone, '.data/postgres/postmaster.pid'))).toBe(false);
      const { output } = await session.type('npm start');
      expect(output).toContain('Landline is up.');
      const query = await session.type('npm run landline -- sql "SELECT count(*) AS calls FROM conversations"');
      expect(missingLines(['calls', '1', '(1 row)'], query.output)).toEqual([]);
      await session.interrupt();
    },
    COMMAND_LIMIT_MS,
  );

  test.each(steps.slice(split))('sees what it says: $text', type, COMMAND_LIMIT_MS);

  test('has the configuration for Docker, which no other command reads', () => {
    const env = join(session.clone, '.env');
    expect(readFileSync(env, 'utf8')).toBe(readFileSync(join(session.clone, '.env.example'), 'utf8'));
    expect((statSync(env).mode & 0o777).toString(8)).toBe('600');
  });
});

async function isAnswering(port: number): Promise<boolean> {
  const socket = connect(port, '127.0.0.1');
  const isOpen = await once(socket, 'connect').then(
    () => true,
    () => false,
  );
  socket.destroy();
  return isOpen;
}
