import { readSecret } from '@landline/process';
import { queueVariables, readQueueServers, wakeOperations } from '@landline/queue';
import { openOperations, type Operation } from '@landline/store';
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
const INTERRUPTED = 130;

/** What a worker is asked to do. */
export interface AskedOperation {
  kind: string;
  filter: Readonly<Record<string, string>>;
  /** How many things it is about, as its plan has counted them. */
  total: number;
  rate?: number | undefined;
  /** Whether the answer is a JSON document. */
  json: boolean;
}

/**
 * Asks a worker for an operation, follows it to its end, and prints how it ended.
 *
 * @param env  The variables, with those of .env.
 * @returns    The exit code: 0 where the operation is done, 1 where it failed or was cancelled, 130 after Ctrl-C.
 * @throws     {CliError} `query_failed`, `configuration_invalid`.
 */
export async function runOperation(
  { json, ...asked }: AskedOperation,
  context: CommandContext,
  env: Environment,
): Promise<number> {
  const { databaseUrl } = await findOwnDatabase(context.root, env);
  const store = openOperations(databaseUrl);
  const interrupted = untilInterrupted();
  try {
    const requestedBy = `cli:${env['USER'] ?? env['LOGNAME'] ?? 'unknown'}`;
    const operation = await store.request({ ...asked, requestedBy });
    await wakeWorker(context, env);
    const ended = await followOperation({ store, operation, signal: interrupted.signal }, context);
    if (ended === undefined) return leave(operation, context);
    printEnd(ended, json, context);
    return ended.status === 'done' ? 0 : 1;
  } catch (cause) {
    throw cause instanceof CliError ? cause : new CliError('query_failed', explainDatabaseFault(cause), { cause });
  } finally {
    interrupted.end();
    await store.close();
  }
}

/** Wakes a worker for an operation. One looks by itself every few seconds, so a Redis that cannot be reached from here is no fault. */
export async function wakeWorker(context: CommandContext, env: Environment): Promise<void> {
  try {
    const given = { ...env, REDIS_URL: await findRedis(context.root, env), REDIS_CA: readSecret('REDIS_CA', env) };
    await wakeOperations(await readQueueServers(z.object(queueVariables).parse(given)));
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    complain(`No worker could be woken; one looks by itself every few seconds. ${reason}`, context);
  }
}

function leave({ id, kind }: Operation, context: CommandContext): number {
  complain(
    `The ${kind} goes on in the worker. To see how far it is: landline operations show ${id}; to end it: landline operations cancel ${id}`,
    context,
  );
  return INTERRUPTED;
}

function printEnd(operation: Operation, json: boolean, { print }: CommandContext): void {
  print(
    json ? escapeControls(JSON.stringify(operationDocument(operation), undefined, 2)) : describeOperation(operation),
  );
}
