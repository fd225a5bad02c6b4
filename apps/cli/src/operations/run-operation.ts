import { userInfo } from 'node:os';
import { readSecret } from '@landline/process';
import { queueVariables, readQueueServers, wakeOperations } from '@landline/queue';
import { openOperations, type Operation, type OperationRequest } from '@landline/store';
import { z } from 'zod';
import type { CommandContext } from '../command-context.ts';
import { CliError } from '../errors.ts';
import { explainDatabaseFault } from '../explain-database-fault.ts';
import { findOwnDatabase } from '../find-database.ts';
import { findRedis } from '../find-redis.ts';
import { escapeControls } from '../format-table.ts';
import type { Environment } from '../start/env-file.ts';
import { describeOperation, operationDocument } from './describe-operation.ts';
import { complain, followOperation, untilInterrupted } from './follow-operation.ts';

/** The exit code of a command that Ctrl-C ended. */
export const INTERRUPTED = 130;

/** What a worker is asked to do. */
export interface OperationCall extends Omit<OperationRequest, 'requestedBy'> {
  /** The process's environment and that of .env. */
  env: Environment;
  /** Says how far it is while it runs, on a terminal. */
  describe?: ((operation: Operation) => Promise<string>) | undefined;
}

/**
 * Asks a worker for an operation, and follows it to its end.
 *
 * @returns  The operation as it ended; undefined after Ctrl-C: it goes on in the worker, and the operator was told.
 * @throws   {CliError} `query_failed`, `configuration_invalid`.
 */
export async function runOperation(
  { env, describe, ...asked }: OperationCall,
  context: CommandContext,
): Promise<Operation | undefined> {
  const { databaseUrl } = await findOwnDatabase(context.root, env);
  const store = openOperations(databaseUrl);
  const interrupted = untilInterrupted();
  try {
    const requestedBy = ['cli', whoAsks(env)].filter((part) => part !== undefined).join(':');
    const operation = await store.request({ ...asked, requestedBy });
    await wakeWorker(context, env);
    const ended = await followOperation({ store, operation, describe, signal: interrupted.signal }, context);
    if (ended === undefined) tellItGoesOn(operation, context);
    return ended;
  } catch (cause) {
    throw cause instanceof CliError ? cause : new CliError('query_failed', explainDatabaseFault(cause), { cause });
  } finally {
    interrupted.end();
    await store.close();
  }
}

/**
 * Asks a worker for an operation, follows it to its end, and prints that: for a person, or as a JSON document.
 *
 * @returns  The exit code: 0 where the operation is done, 1 where it failed or was cancelled, 130 after Ctrl-C.
 * @throws   {CliError} `query_failed`, `configuration_invalid`.
 */
export async function runAndPrint(
  { json, ...call }: OperationCall & { json: boolean },
  context: CommandContext,
): Promise<number> {
  const ended = await runOperation(call, context);
  if (ended === undefined) return INTERRUPTED;
  context.print(
    json ? escapeControls(JSON.stringify(operationDocument(ended), undefined, 2)) : describeOperation(ended),
  );
  return ended.status === 'done' ? 0 : 1;
}

/** Returns the name of the user who types; undefined where nobody knows it, as in a container. */
function whoAsks(env: Environment): string | undefined {
  const named = env['USER'] || env['LOGNAME'];
  if (named) return named;
  try {
    return userInfo().username;
  } catch {
    return undefined;
  }
}

/** A worker looks by itself every few seconds, so a Redis that cannot be reached from here is no fault. */
async function wakeWorker(context: CommandContext, env: Environment): Promise<void> {
  try {
    const given = { ...env, REDIS_URL: await findRedis(context.root, env), REDIS_CA: readSecret('REDIS_CA', env) };
    await wakeOperations(await readQueueServers(z.object(queueVariables).parse(given)));
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    complain(`No worker could be woken; one looks by itself every few seconds. ${reason}`, context);
  }
}

function tellItGoesOn({ id, kind }: Operation, context: CommandContext): void {
  complain(
    `The ${kind} goes on in the worker. To see how far it is: landline operations show ${id}; to end it: landline operations cancel ${id}`,
    context,
  );
}
