import { parseArgs } from 'node:util';
import { RECONCILE, reconcileWords } from '@landline/operations';
import { ProviderError } from '@landline/provider';
import { createStore, type Operation } from '@landline/store';
import type { CommandContext } from '../command-context.ts';
import { CliError } from '../errors.ts';
import { explainDatabaseFault } from '../explain-database-fault.ts';
import { findOwnDatabase } from '../find-database.ts';
import { escapeControls } from '../format-table.ts';
import { readTime } from '../journal/read-time.ts';
import { describeOperation } from '../operations/describe-operation.ts';
import { complain, untilInterrupted } from '../operations/follow-operation.ts';
import { INTERRUPTED, runOperation } from '../operations/run-operation.ts';
import { readEnvFile } from '../start/env-file.ts';
import { describePlan, planDocument } from './describe-plan.ts';
import { makePlan, type Comparison } from './make-plan.ts';
import { readSettings } from './read-settings.ts';

const CANNOT_ASK =
  'reconcile fetches what is missing, and nobody can be asked here: --plan shows what it would fetch, and --yes does it without asking.';

/** What the command line asks for. */
interface Wanted {
  since: number | undefined;
  plan: boolean;
  yes: boolean;
  json: boolean;
}

/**
 * `landline reconcile [--since t] [--plan] [--yes] [--json]`: compares the tables with what the provider has, shows what is missing, asks, and leaves it
 * to a worker to fetch it.
 *
 * @returns  The exit code: 0 where the run is done, where the plan is all, or the answer was no; 1 where the run failed or was cancelled; 130 after Ctrl-C.
 * @throws   {CliError} `arguments_invalid`, also without a terminal and without `--yes`; `configuration_invalid`, also without a key; `query_failed`.
 *           ProviderError.
 */
export async function reconcile(args: string[], context: CommandContext): Promise<number> {
  const wanted = readArguments(args);
  if (!wanted.plan && !wanted.yes && context.ask === undefined) throw new CliError('arguments_invalid', CANNOT_ASK);
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
    since: { type: 'string' },
    plan: { type: 'boolean', default: false },
    yes: { type: 'boolean', default: false },
    json: { type: 'boolean', default: false },
  } as const;
  const { values } = parseArgs({ args, options });
  const { since } = values;
  return { ...values, since: since === undefined ? undefined : readTime('--since', since, Date.now()) };
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
  if (count > 0 && (await context.ask?.(`Fetch what is missing of ${count} conversations?`))) return true;
  complain(count === 0 ? 'Nothing is missing.' : 'Nothing was changed.', context);
  return false;
}

async function fetchMissing({ since, json }: Wanted, comparison: Comparison, context: CommandContext): Promise<number> {
  const { env } = comparison;
  const operation = await runOperation({ kind: RECONCILE, filter: reconcileWords({ since }), env }, context);
  if (operation === undefined) return INTERRUPTED;
  const { status, message } = operation;
  if (!json) context.print(describeOperation(operation));
  else {
    // Before the provider is asked again: it may be what failed.
    if (status !== 'done') complain(`The comparison is ${status}: ${message ?? 'no reason is known'}`, context);
    await printEnd(operation, comparison, context);
  }
  return status === 'done' ? 0 : 1;
}

/** Prints what a comparison finds after the run, as far as the provider answers, and what the run has fetched. */
async function printEnd({ id }: Operation, comparison: Comparison, context: CommandContext): Promise<void> {
  const fetched = await readFetched(id, comparison, context);
  const plan = await makePlan(comparison, context).catch((error: unknown) => {
    if (!(error instanceof ProviderError)) throw error;
    complain(`How it is now cannot be said. ${error.message}`, context);
    return undefined;
  });
  printJson({ ...(plan && planDocument(plan)), fetched, operation: id }, context);
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
