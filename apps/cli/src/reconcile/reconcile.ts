import { parseArgs } from 'node:util';
import { counted, RECONCILE, reconcileWords } from '@landline/operations';
import { ProviderError } from '@landline/provider';
import { createStore, type Operation } from '@landline/store';
import type { CommandContext } from '../command-context.ts';
import { CliError } from '../errors.ts';
import { explainDatabaseFault } from '../explain-database-fault.ts';
import { findOwnDatabase } from '../find-database.ts';
import { escapeControls } from '../format-table.ts';
import { describeOperation, endDocument, sayEnd } from '../operations/describe-operation.ts';
import { complain, untilInterrupted } from '../operations/follow-operation.ts';
import { INTERRUPTED, runOperation } from '../operations/run-operation.ts';
import { readEnvFile, type Environment } from '../start/env-file.ts';
import { describePlan, planDocument } from './describe-plan.ts';
import { fetchOne } from './fetch-one.ts';
import { makePlan, type Comparison } from './make-plan.ts';
import { openProgress } from './open-progress.ts';
import { readSince } from './read-since.ts';
import { readSettings } from './read-settings.ts';

const CANNOT_ASK =
  'reconcile fetches what is missing, and nobody can be asked here: --plan shows what it would fetch, and --yes does it without asking.';

/** The longest id of a conversation, in characters: as the operation takes it. */
const MOST_ID = 256;

/** What the command line asks for. */
interface Wanted {
  /** The one conversation that is fetched again; undefined: those of the window are compared. */
  conversation: string | undefined;
  since: number | undefined;
  plan: boolean;
  yes: boolean;
  json: boolean;
}

/**
 * `landline reconcile [--since t] [--plan] [--yes] [--json]`: compares the tables with what the provider has, shows what is missing, asks, and leaves it
 * to a worker to fetch it. With `--conversation <id>` it is about one call: see `fetchOne`.
 *
 * @returns  The exit code: 0 where the run is done, where the plan is all, or the answer was no; 1 where the run failed or was cancelled; 130 after Ctrl-C.
 * @throws   {CliError} `arguments_invalid`, also without a terminal and without `--yes`; `configuration_invalid`, also without a key; `query_failed`.
 *           ProviderError.
 */
export async function reconcile(args: string[], context: CommandContext): Promise<number> {
  const wanted = readArguments(args);
  if (!wanted.plan && !wanted.yes && context.ask === undefined) throw new CliError('arguments_invalid', CANNOT_ASK);
  const { conversation } = wanted;
  if (conversation !== undefined) return fetchOne({ ...wanted, conversation }, context);
  const env = await readEnvFile(context.root, context.env);
  const settings = await readSettings(context.root, env);
  const interrupted = untilInterrupted();
  const comparison = { settings, since: wanted.since, env, signal: interrupted.signal };
  try {
    return await compareAndFetch(wanted, comparison, context);
  } catch (error) {
    if (interrupted.signal.aborted) return INTERRUPTED;
    throw error;
  } finally {
    interrupted.end();
  }
}

function readArguments(args: string[]): Wanted {
  const options = {
    conversation: { type: 'string' },
    since: { type: 'string' },
    plan: { type: 'boolean', default: false },
    yes: { type: 'boolean', default: false },
    json: { type: 'boolean', default: false },
  } as const;
  const { values } = parseArgs({ args, options });
  const { conversation, since } = values;
  if (conversation !== undefined) checkOne(conversation, since);
  return { ...values, conversation, since: since === undefined ? undefined : readSince(since, Date.now()) };
}

function checkOne(conversation: string, since: string | undefined): void {
  if (since !== undefined) {
    throw new CliError(
      'arguments_invalid',
      '--conversation goes without --since: it fetches one call, whenever that began.',
    );
  }
  if (conversation === '' || conversation.length > MOST_ID) {
    throw new CliError(
      'arguments_invalid',
      `--conversation takes the id of a conversation, of ${MOST_ID} characters at most.`,
    );
  }
}

async function compareAndFetch(wanted: Wanted, comparison: Comparison, context: CommandContext): Promise<number> {
  const { plan: isPlan, yes, json } = wanted;
  // A run compares by itself: the list need not be asked for twice.
  if (isPlan || !yes) {
    const plan = await makePlan(comparison, context);
    const count = plan.missing.length + plan.withoutRecording.length;
    // A document is the only one that is printed: where a run follows, that prints it.
    if (!json) context.print(describePlan(plan));
    else if (isPlan || count === 0) printJson(planDocument(plan), context);
    if (isPlan) return 0;
    if (!(await isConfirmed(count, context))) return 0;
  }
  return fetchMissing(wanted, comparison, context);
}

async function isConfirmed(count: number, context: CommandContext): Promise<boolean> {
  if (count > 0 && (await context.ask?.(`Fetch what is missing of ${counted(count, 'conversation')}?`))) return true;
  complain(count === 0 ? 'Nothing is missing.' : 'Nothing was changed.', context);
  return false;
}

async function fetchMissing({ since, json }: Wanted, comparison: Comparison, context: CommandContext): Promise<number> {
  const { env } = comparison;
  const operation = await runComparison(reconcileWords({ since }), env, context);
  if (operation === undefined) return INTERRUPTED;
  const { status } = operation;
  if (!json) context.print(describeOperation(operation));
  else {
    // Before the provider is asked again: it may be what failed.
    if (status !== 'done') complain(sayEnd('The comparison', operation), context);
    await printEnd(operation, comparison, context);
  }
  return status === 'done' ? 0 : 1;
}

async function runComparison(
  filter: Record<string, string>,
  env: Environment,
  context: CommandContext,
): Promise<Operation | undefined> {
  const { describe, close } = await openProgress(env, context);
  try {
    return await runOperation({ kind: RECONCILE, filter, env, describe }, context);
  } finally {
    await close();
  }
}

/** Prints what a comparison finds after the run, as far as the provider answers, what the run has fetched, and how it ended. */
async function printEnd(operation: Operation, comparison: Comparison, context: CommandContext): Promise<void> {
  const fetched = await readFetched(operation.id, comparison, context);
  const plan = await makePlan(comparison, context).catch((error: unknown) => {
    if (!(error instanceof ProviderError)) throw error;
    complain(`How it is now cannot be said. ${error.message}`, context);
    return undefined;
  });
  printJson({ ...(plan && planDocument(plan)), fetched, ...endDocument(operation) }, context);
}

/** Reads what a run has fetched; one that never began has no row. */
async function readFetched(id: string, { env }: Comparison, { root }: CommandContext) {
  const { databaseUrl } = await findOwnDatabase(root, env);
  const store = createStore({ databaseUrl, poolSize: 1 });
  try {
    const run = await store.reconcile.run(id);
    return { transcripts: run?.fetched ?? 0, recordings: run?.fetchedRecordings ?? 0 };
  } catch (cause) {
    throw new CliError('query_failed', explainDatabaseFault(cause), { cause });
  } finally {
    await store.close();
  }
}

function printJson(document: object, { print }: CommandContext): void {
  print(escapeControls(JSON.stringify(document, undefined, 2)));
}
