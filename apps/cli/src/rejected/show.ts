import { parseArgs } from 'node:util';
import type { RejectedRow } from '@landline/store';
import type { CommandContext } from '../command-context.ts';
import { CliError } from '../errors.ts';
import { escapeControls } from '../format-table.ts';
import { askRejected } from './ask-rejected.ts';
import { describeRejected, rejectedDocument } from './describe-rejected.ts';

const UUID = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

/**
 * `landline rejected show <id> [--body] [--json]`: shows one refused request.
 *
 * @param context  Its environment is that of .env as well.
 * @returns        The exit code: 1 where `--body` could not write the whole body, else 0.
 * @throws         {CliError} `event_missing`: there is no such request; `arguments_invalid`, `configuration_invalid`, `query_failed`.
 */
export async function showRejected(args: string[], context: CommandContext): Promise<number> {
  const options = { body: { type: 'boolean', default: false }, json: { type: 'boolean', default: false } } as const;
  const { positionals, values } = parseArgs({ args, allowPositionals: true, options });
  const [id, ...rest] = positionals;
  if (!id || rest.length > 0) throw new CliError('arguments_invalid', 'rejected show takes one id.');
  if (!UUID.test(id)) throw new CliError('arguments_invalid', `"${id}" is no id of a refused request: that is a uuid.`);
  if (values.body && values.json)
    throw new CliError('arguments_invalid', 'rejected show takes --body or --json, not both.');
  if (values.body && context.isTerminal === true) throw new CliError('arguments_invalid', terminalFault(id));
  const row = await find(id, context);
  if (values.body) return writeKept(row, context);
  context.print(
    values.json ? escapeControls(JSON.stringify(rejectedDocument(row), undefined, 2)) : describeRejected(row),
  );
  return 0;
}

function terminalFault(id: string): string {
  return (
    'The bytes of a body can hold sequences that control a terminal, so they are not written to one. ' +
    `Write them to a file: npm run --silent landline -- rejected show ${id} --body > body.json`
  );
}

async function find(id: string, context: CommandContext): Promise<RejectedRow> {
  const row = await askRejected(context, (rejected) => rejected.get(id));
  if (row === undefined) throw new CliError('event_missing', `There is no refused request ${id}.`);
  return row;
}

async function writeKept({ body, bodyBytes }: RejectedRow, context: CommandContext): Promise<number> {
  const { write, print, printError = print } = context;
  if (write === undefined) throw new TypeError('rejected show --body needs an output for bytes.');
  const kept = body ?? new Uint8Array();
  if (kept.length > 0) await write(kept);
  if (body !== null && kept.length >= (bodyBytes ?? kept.length)) return 0;
  printError(`These are ${kept.length} of ${bodyBytes ?? 'an unknown number of'} bytes: the others were not kept.`);
  return 1;
}
