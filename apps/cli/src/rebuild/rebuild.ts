import { parseArgs } from 'node:util';
import { REBUILD, rebuildCheckpointSchema } from '@landline/operations';
import { openRebuilds, type Operation, type Rebuilds, type TableDifference } from '@landline/store';
import type { CommandContext } from '../command-context.ts';
import { CliError } from '../errors.ts';
import { explainDatabaseFault } from '../explain-database-fault.ts';
import { readCount } from '../find/read-filter.ts';
import { findOwnDatabase } from '../find-database.ts';
import { describeOperation } from '../operations/describe-operation.ts';
import { complain } from '../operations/follow-operation.ts';
import { INTERRUPTED, runOperation } from '../operations/run-operation.ts';
import { readEnvFile } from '../start/env-file.ts';
import { describeDifferences, describePlan, differencesDocument, planDocument } from './describe-rebuild.ts';
import { dropOld } from './drop-old.ts';
import type { RebuildCall, WantedRebuild } from './rebuild-call.ts';
import { rebuildConversation } from './rebuild-conversation.ts';

/** The greatest rate, in events a second. */
const MOST_RATE = 1_000_000;

const CANNOT_ASK =
  'rebuild changes tables, and nobody can be asked here: --plan shows what it would do, and --yes does it without asking.';

/**
 * `landline rebuild [--plan] [--swap] [--drop-old] [--rate n] [--yes] [--json]`: has a worker build all tables anew from the ledger, says what differs, and swaps
 * them in. On a terminal it asks before it builds, and again before it swaps, with the differences in sight. With `--conversation <id>` it is about the rows of
 * one conversation: see `rebuildConversation`.
 *
 * @returns  The exit code: 0 where it is done, 1 where it failed or was cancelled, 2 where nobody could be asked, 130 after Ctrl-C.
 * @throws   {CliError} `arguments_invalid`, `query_failed`, `configuration_invalid`.
 */
export async function rebuild(args: string[], context: CommandContext): Promise<number> {
  const wanted = readArguments(args);
  if (!wanted.plan && !wanted.yes && context.ask === undefined) throw new CliError('arguments_invalid', CANNOT_ASK);
  const env = await readEnvFile(context.root, context.env);
  const { databaseUrl } = await findOwnDatabase(context.root, env);
  const rebuilds = openRebuilds({ databaseUrl });
  const call = { wanted, context, env, databaseUrl, rebuilds };
  try {
    const { conversation } = wanted;
    if (conversation !== undefined) return await rebuildConversation(call, conversation);
    return await (wanted['drop-old'] ? dropOld(call) : planAndRun(call));
  } catch (cause) {
    throw cause instanceof CliError ? cause : new CliError('query_failed', explainDatabaseFault(cause), { cause });
  } finally {
    await rebuilds.close();
  }
}

function readArguments(args: string[]): WantedRebuild {
  const flag = { type: 'boolean', default: false } as const;
  const options = {
    plan: flag,
    swap: flag,
    'drop-old': flag,
    yes: flag,
    json: flag,
    rate: { type: 'string' },
    conversation: { type: 'string' },
  } as const;
  const { values } = parseArgs({ args, options });
  const { conversation } = values;
  if (conversation !== undefined && (values['drop-old'] || values.swap || values.rate !== undefined)) {
    throw new CliError(
      'arguments_invalid',
      '--conversation goes without --swap, --drop-old and --rate: it changes the rows of one call.',
    );
  }
  if (conversation === '') throw new CliError('arguments_invalid', '--conversation takes the id of a conversation.');
  if (values['drop-old'] && (values.swap || values.rate !== undefined)) {
    throw new CliError(
      'arguments_invalid',
      '--drop-old goes without --swap and --rate: it drops what earlier swaps have replaced.',
    );
  }
  const rate = values.rate === undefined ? undefined : readCount('--rate', values.rate, { min: 1, max: MOST_RATE });
  return { ...values, conversation, rate };
}

async function planAndRun(call: RebuildCall): Promise<number> {
  const { wanted, context, rebuilds } = call;
  const { plan: isPlan, json, yes, swap } = wanted;
  const plan = await rebuilds.plan();
  if (isPlan || !json) context.print(json ? planDocument(plan) : describePlan(plan));
  if (isPlan) return 0;
  if (yes) return (await run(call, { swap, isLast: true })).code;
  if (!(await isConfirmed(call, 'Build the tables anew, beside the others?'))) return 0;
  const built = await run(call, { swap: false, isLast: !swap });
  if (built.code !== 0 || !swap || built.differs === 0) return built.code;
  if (!(await isConfirmed(call, 'Swap them in?'))) return 0;
  return (await run(call, { swap: true, isLast: true })).code;
}

async function isConfirmed({ context }: RebuildCall, question: string): Promise<boolean> {
  if (await context.ask?.(question)) return true;
  complain('Nothing was changed in the tables that are read.', context);
  return false;
}

/** Has a worker rebuild or swap. `differs`: how many columns. */
async function run(
  call: RebuildCall,
  { swap, isLast }: { swap: boolean; isLast: boolean },
): Promise<{ code: number; differs: number }> {
  const { wanted, context, env, rebuilds } = call;
  const request = { kind: REBUILD, filter: { swap: swap ? 'yes' : 'no' }, rate: wanted.rate };
  const ended = await runOperation({ ...request, env }, context);
  if (ended === undefined) return { code: INTERRUPTED, differs: 0 };
  if (ended.status !== 'done') {
    complain(describeOperation(ended), context);
    return { code: 1, differs: 0 };
  }
  const differences = await readDifferences(ended, rebuilds);
  if (!wanted.json) context.print(describeDifferences(differences));
  else if (isLast || differences.length === 0) context.print(differencesDocument(differences));
  complain(describeOperation(ended), context);
  return { code: 0, differs: differences.length };
}

/** What differs is kept beside the tables; there is no such place where nothing does. */
async function readDifferences({ checkpoint }: Operation, rebuilds: Rebuilds): Promise<TableDifference[]> {
  const { schema } = rebuildCheckpointSchema.parse(checkpoint ?? {});
  return schema === undefined ? [] : rebuilds.differences(schema);
}
