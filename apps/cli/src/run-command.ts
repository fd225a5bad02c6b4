import { parseArgs } from 'node:util';
import type { CommandContext } from './command-context.ts';
import { CliError } from './errors.ts';
import { findOwnDatabase } from './find-database.ts';
import { checkQuery } from './sql/check-query.ts';
import { readEnvFile } from './start/env-file.ts';
import { stopSignal } from './start/stop-signal.ts';
import { usageOf } from './usage.ts';

/** Exit code of a command line that is wrong. */
const MISUSE = 2;

const UUID = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

type Command = (args: string[], context: CommandContext) => Promise<number>;

// Each command is loaded when it is called, so that `help` loads no database client and `send` no supervisor.
const COMMANDS: Readonly<Record<string, Command>> = {
  start: async (args, context) => {
    parseArgs({ args });
    // An earlier start may have been killed while it installed Redis.
    await (await import('@landline/local-servers')).removeLeftPolicy();
    const withParent = context.env['npm_lifecycle_event'] !== undefined;
    return (await import('./start/start.ts')).start(context, stopSignal({ withParent }));
  },
  test: async (args, context) => (await import('./run-tests.ts')).runTests(args, context),
  send: async (args, context) => {
    const env = await readEnvFile(context.root, context.env);
    if (args.includes('conversation-initiation')) {
      return (await import('./send-initiation.ts')).sendInitiation(args, { ...context, env });
    }
    return (await import('./send.ts')).send(args, env);
  },
  context: async (args, { root, env, print }) => {
    const { makeAgentContext } = await import('./context.ts');
    print(JSON.stringify(makeAgentContext(args, await readEnvFile(root, env)), undefined, 2));
    return 0;
  },
  migrate: async (args, { root, env, print }) => {
    parseArgs({ args });
    const { runMigrate } = await import('./migrate.ts');
    const variables = await readEnvFile(root, env);
    return runMigrate(await findOwnDatabase(root, variables), variables, print);
  },
  roles: async (args, context) => {
    const options = { 'new-passwords': { type: 'boolean', default: false } } as const;
    const { positionals, values } = parseArgs({ args, allowPositionals: true, options });
    const [folder, ...rest] = positionals;
    if (!folder || rest.length > 0)
      return misuse('roles takes one folder, where it keeps their URLs.', context, 'roles');
    return (await import('./roles/roles.ts')).runRoles(folder, { mayReplace: values['new-passwords'] }, context);
  },
  sql: async (args, context) => {
    const [query, ...rest] = parseArgs({ args, allowPositionals: true }).positionals;
    if (!query?.trim() || rest.length > 0) return misuse('sql takes one query, in quotes.', context, 'sql');
    const fault = checkQuery(query);
    if (fault !== undefined) return misuse(fault, context, 'sql');
    return (await import('./sql/sql.ts')).runSql(query, context);
  },
  show: async (args, context) => {
    const options = { body: { type: 'boolean', default: false }, json: { type: 'boolean', default: false } } as const;
    const { positionals, values } = parseArgs({ args, allowPositionals: true, options });
    const [id, ...rest] = positionals;
    if (!id || rest.length > 0) return misuse('show takes one event id.', context, 'show');
    if (!UUID.test(id)) return misuse(`"${id}" is no event id: an event id is a uuid.`, context, 'show');
    if (values.body && values.json) return misuse('show takes --body or --json, not both.', context, 'show');
    return (await import('./show/show.ts')).showEvent(id, values, context);
  },
  events: async (args, context) => (await import('./find/list-events.ts')).listEvents(args, context),
  replay: async (args, context) => (await import('./replay/replay.ts')).replay(args, context),
  erase: async (args, context) => (await import('./erase/erase.ts')).erase(args, context),
  retention: async (args, context) => (await import('./retention/retention.ts')).retention(args, context),
  reconcile: async (args, context) => (await import('./reconcile/reconcile.ts')).reconcile(args, context),
  rebuild: async (args, context) => (await import('./rebuild/rebuild.ts')).rebuild(args, context),
  provider: async (args, context) => (await import('./provider/provider.ts')).provider(args, context),
  operations: async (args, context) => (await import('./operations/operations.ts')).operations(args, context),
  journal: async (args, context) => (await import('./journal/journal.ts')).journal(args, context),
  rejected: async (args, context) => (await import('./rejected/rejected.ts')).rejected(args, context),
  diagnose: async (args, context) => (await import('./diagnose.ts')).runDiagnose(args, context),
  help: (args, { print }) => {
    print(usageOf(args.find((word) => !word.startsWith('-') && word !== 'help') ?? ''));
    return Promise.resolve(0);
  },
};

/**
 * Runs one command of `landline`.
 *
 * @param argv  The command's name and its arguments. An empty list prints the usage; with `--help` it is that of the command.
 * @returns     The exit code: 0 for success, 1 for a fault, 2 for a wrong command line. The fault has been printed.
 */
export async function runCommand(argv: readonly string[], context: CommandContext): Promise<number> {
  const asksForHelp = argv.some((word) => word === '--help' || word === '-h');
  const [name = 'help', ...args] = asksForHelp ? ['help', ...argv] : argv;
  const command = Object.hasOwn(COMMANDS, name) ? COMMANDS[name] : undefined;
  if (command === undefined) return misuse(`There is no command "${name}".`, context);
  try {
    return await command(args, context);
  } catch (error) {
    // Only Node's first sentence is printed: the others are about its API.
    if (isUnknownOption(error)) return misuse(error.message.replace(/\. .*$/s, '.'), context, name);
    complain(error instanceof Error ? error.message : String(error), context);
    return error instanceof CliError && error.code === 'arguments_invalid' ? MISUSE : 1;
  }
}

/** The message is last, where it is seen. */
function misuse(message: string, context: CommandContext, command = ''): number {
  complain(`${usageOf(command)}\n\n${message}`, context);
  return MISUSE;
}

/** Prints a fault beside the command's answer, because the answer may go to a file or to another program. */
function complain(message: string, { print, printError = print }: CommandContext): void {
  printError(message);
}

// parseArgs throws such an error at a wrong option or a word too many.
function isUnknownOption(error: unknown): error is Error {
  return error instanceof Error && 'code' in error && String(error.code).startsWith('ERR_PARSE_ARGS_');
}
