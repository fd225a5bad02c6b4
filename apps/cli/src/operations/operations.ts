import { setTimeout as delay } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { openOperations, type Operation, type OperationStore } from '@landline/store';
import type { CommandContext } from '../command-context.ts';
import { CliError } from '../errors.ts';
import { explainDatabaseFault } from '../explain-database-fault.ts';
import { findOwnDatabase, findReadableDatabase } from '../find-database.ts';
import { escapeControls } from '../format-table.ts';
import { readEnvFile } from '../start/env-file.ts';
import { describeOperation, operationDocument, operationLine } from './describe-operation.ts';

/** How many operations are listed. */
const LISTED = 50;

/** How long a cancelled operation is waited for, in ms. */
const END_MS = 10_000;

const UUID = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

/**
 * `landline operations [show <id> | cancel <id>] [--json]`: lists operations, shows one, or ends one.
 *
 * @returns  The exit code: 1 where an operation that was cancelled goes on, else 0.
 * @throws   {CliError} `arguments_invalid`, `operation_missing`, `operation_ended`, `query_failed`, `configuration_invalid`.
 */
export async function operations(args: string[], context: CommandContext): Promise<number> {
  const options = { json: { type: 'boolean', default: false } } as const;
  const { positionals, values } = parseArgs({ args, allowPositionals: true, options });
  const { verb, id } = readWords(positionals);
  const store = await openStore(context, { mayWrite: verb === 'cancel' });
  try {
    if (verb === 'list') return printList(await store.list(LISTED), values.json, context);
    const operation = verb === 'show' ? await find(store, id) : await cancel(store, id);
    printOne(operation, values.json, context);
    return verb === 'show' || operation.status === 'cancelled' ? 0 : 1;
  } catch (cause) {
    throw cause instanceof CliError ? cause : new CliError('query_failed', explainDatabaseFault(cause), { cause });
  } finally {
    await store.close();
  }
}

function readWords([verb = 'list', id, ...rest]: string[]): { verb: string; id: string } {
  const takesId = verb === 'show' || verb === 'cancel';
  if ((!takesId && verb !== 'list') || rest.length > 0 || (takesId ? id === undefined : id !== undefined)) {
    throw new CliError('arguments_invalid', 'operations takes nothing, or show or cancel with the id of an operation.');
  }
  if (id !== undefined && !UUID.test(id)) {
    throw new CliError('arguments_invalid', `"${id}" is no id of an operation: that is a uuid.`);
  }
  return { verb, id: id ?? '' };
}

async function openStore({ root, env }: CommandContext, { mayWrite }: { mayWrite: boolean }) {
  const variables = await readEnvFile(root, env);
  if (mayWrite) return openOperations((await findOwnDatabase(root, variables)).databaseUrl);
  return openOperations((await findReadableDatabase(root, variables)).url, { isReadOnly: true });
}

async function find(store: Pick<OperationStore, 'get'>, id: string): Promise<Operation> {
  const operation = await store.get(id);
  if (operation === undefined) throw new CliError('operation_missing', `There is no operation ${id}.`);
  return operation;
}

async function cancel(store: OperationStore, id: string): Promise<Operation> {
  const asked = await store.cancel(id);
  if (asked === undefined) {
    const { status } = await find(store, id);
    throw new CliError('operation_ended', `The operation ${id} has ended before: it is ${status}.`);
  }
  const until = performance.now() + END_MS;
  for (let now = asked; ;) {
    if (now.finishedAt !== null || performance.now() > until) return now;
    // oxlint-disable-next-line no-await-in-loop -- until its worker has seen it
    await delay(50);
    // oxlint-disable-next-line no-await-in-loop -- until its worker has seen it
    now = await find(store, id);
  }
}

function printList(all: readonly Operation[], json: boolean, { print }: CommandContext): number {
  if (json) print(escapeControls(JSON.stringify(all.map(operationDocument), undefined, 2)));
  else if (all.length === 0) print('There are no operations.');
  else for (const operation of all) print(operationLine(operation));
  return 0;
}

function printOne(operation: Operation, json: boolean, { print }: CommandContext): void {
  print(
    json ? escapeControls(JSON.stringify(operationDocument(operation), undefined, 2)) : describeOperation(operation),
  );
}
