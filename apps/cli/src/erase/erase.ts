import { parseArgs } from 'node:util';
import { ERASE, erasureWords } from '@landline/operations';
import { hashSubject, openErasures, type ErasurePlan, type Subject } from '@landline/store';
import type { CommandContext } from '../command-context.ts';
import { CliError } from '../errors.ts';
import { explainDatabaseFault } from '../explain-database-fault.ts';
import { findOwnDatabase, findReadableDatabase } from '../find-database.ts';
import { complain } from '../operations/follow-operation.ts';
import { INTERRUPTED, runOperation } from '../operations/run-operation.ts';
import { readEnvFile, type Environment } from '../start/env-file.ts';
import { describePlan, hasNothing, printEnd, printPlan } from './describe-erasure.ts';
import { readJournalHours, readSubject } from './read-subject.ts';

const CANNOT_ASK =
  'erase forgets for ever, and nobody can be asked here: --plan shows what it would do, and --yes does it without asking.';

/**
 * `landline erase --conversation id | --user id | --number n [--plan] [--yes] [--json]`: forgets a call, or a person, everywhere. It shows the plan, asks,
 * leaves the work to a worker, and follows it to its end.
 *
 * @returns  The exit code: 0 where all is forgotten, 1 where there is no such call or person, or the operation failed or was cancelled, 2 where nobody could be
 *           asked, 130 after Ctrl-C.
 * @throws   {CliError} `arguments_invalid`, `query_failed`, `configuration_invalid`.
 */
export async function erase(args: string[], context: CommandContext): Promise<number> {
  const { root, env, ask } = context;
  const wanted = readArguments(args);
  if (!wanted.plan && !wanted.yes && ask === undefined) throw new CliError('arguments_invalid', CANNOT_ASK);
  const variables = await readEnvFile(root, env);
  const plan = await makePlan(wanted.subject, context, variables);
  if (wanted.plan) return printPlan(plan, wanted, context);
  if (!wanted.json) context.print(describePlan(plan, wanted.subject));
  if (!wanted.yes && !(await ask?.('Forget it everywhere? Nobody can take that back.'))) {
    complain('Nothing was changed.', context);
    return 0;
  }
  return run({ ...wanted, plan }, context, variables);
}

/** What the command line asks for. */
interface Wanted {
  subject: Subject;
  plan: boolean;
  yes: boolean;
  json: boolean;
}

function readArguments(args: string[]): Wanted {
  const options = {
    conversation: { type: 'string' },
    user: { type: 'string' },
    number: { type: 'string' },
    plan: { type: 'boolean', default: false },
    yes: { type: 'boolean', default: false },
    json: { type: 'boolean', default: false },
  } as const;
  const { values } = parseArgs({ args, options });
  return { ...values, subject: readSubject(values) };
}

async function makePlan(subject: Subject, context: CommandContext, env: Environment): Promise<ErasurePlan> {
  const { url } = await findReadableDatabase(context.root, env);
  const erasures = openErasures(url);
  try {
    return await erasures.plan(subject);
  } catch (cause) {
    throw new CliError('query_failed', explainDatabaseFault(cause), { cause });
  } finally {
    await erasures.close();
  }
}

async function run(
  { subject, json, plan }: Omit<Wanted, 'plan'> & { plan: ErasurePlan },
  context: CommandContext,
  env: Environment,
): Promise<number> {
  const { databaseUrl } = await findOwnDatabase(context.root, env);
  const words = erasureWords({ subject, hash: await hashSubject(subject), journalHours: readJournalHours(env) });
  const operation = await runOperation({ kind: ERASE, filter: words, total: plan.conversations, env }, context);
  if (operation === undefined) return INTERRUPTED;
  const erasures = openErasures(databaseUrl);
  try {
    const erasure = await erasures.get(operation.id);
    printEnd({ operation, erasure, json }, context);
    if (operation.status !== 'done') return 1;
    if (!hasNothing(plan, erasure)) return 0;
    complain(sayMissing(subject), context);
    return 1;
  } catch (cause) {
    throw new CliError('query_failed', explainDatabaseFault(cause), { cause });
  } finally {
    await erasures.close();
  }
}

function sayMissing({ by, value }: Subject): string {
  return by === 'conversation'
    ? `There is no conversation ${value}. A mark is kept for it: what comes of it later is not kept.`
    : `There is no ${by === 'user' ? 'user' : 'call from'} ${value}. No mark is kept: a later call is a new call.`;
}
