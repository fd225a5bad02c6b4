import { parseArgs } from 'node:util';
import type { CommandContext } from '../command-context.ts';
import { CliError } from '../errors.ts';
import { escapeControls, formatTable } from '../format-table.ts';
import { askRejected } from './ask-rejected.ts';
import { rejectedDocument } from './describe-rejected.ts';
import { FILTER_OPTIONS, readFilter } from './filter.ts';

const DEFAULT_LIMIT = 50;
const MAX_LIMIT = 10_000;

/**
 * `landline rejected list [filter] [--limit n] [--json]`: lists refused requests, newest first.
 *
 * @param context  Its environment is that of .env as well.
 * @throws         {CliError} `arguments_invalid`, `configuration_invalid`, `query_failed`.
 */
export async function listRejectedRequests(args: string[], context: CommandContext): Promise<number> {
  const { print, width } = context;
  const { values } = parseArgs({
    args,
    options: { ...FILTER_OPTIONS, limit: { type: 'string' }, json: { type: 'boolean', default: false } },
  });
  const filter = readFilter(values);
  const limit = readLimit(values.limit);
  const rows = await askRejected(context, (rejected) => rejected.list(filter, { limit }));
  const documents = rows.map(rejectedDocument);
  if (values.json) print(escapeControls(JSON.stringify(documents, undefined, 2)));
  else {
    const columns = ['id', 'received_at', 'code', 'cause', 'body_bytes', 'sender', 'readmitted_at'];
    print(
      formatTable(
        documents.map((document) => Object.fromEntries(columns.map((name) => [name, document[name]]))),
        width,
      ),
    );
  }
  return 0;
}

function readLimit(text = String(DEFAULT_LIMIT)): number {
  const limit = /^\d{1,5}$/.test(text) ? Number(text) : 0;
  if (limit >= 1 && limit <= MAX_LIMIT) return limit;
  throw new CliError('arguments_invalid', `--limit takes a number from 1 to ${MAX_LIMIT}.`);
}
