import { parseArgs } from 'node:util';
import { cutoffsOf, policyWords, type RetentionPolicy } from '@landline/operations';
import { openRetention, RETENTION } from '@landline/store';
import type { CommandContext } from '../command-context.ts';
import { CliError } from '../errors.ts';
import { explainDatabaseFault } from '../explain-database-fault.ts';
import { findReadableDatabase } from '../find-database.ts';
import { escapeControls } from '../format-table.ts';
import { complain } from '../operations/follow-operation.ts';
import { runAndPrint } from '../operations/run-operation.ts';
import { readEnvFile, type Environment } from '../start/env-file.ts';
import { describePlan, dueNow, planDocument, type RetentionPlan } from './plan.ts';
import { readRetention } from './read-policy.ts';

/** How long a count of a plan may take, in ms. */
const PLAN_MS = 120_000;

const CANNOT_ASK =
  'retention deletes for good, and nobody can be asked here: --plan shows what would go, and --yes does it without asking.';

/**
 * `landline retention [--plan] [--yes] [--json]`: shows what is due, asks, and leaves it to a worker to delete it. The days are those of the
 * variables that this command reads, and the run has the same.
 *
 * @returns  The exit code: 0 where the run is done, 1 where it failed or was cancelled, 2 where nobody could be asked, 130 after Ctrl-C.
 * @throws   {CliError} `arguments_invalid`, `query_failed`, `configuration_invalid`.
 */
export async function retention(args: string[], context: CommandContext): Promise<number> {
  const { root, env, print, ask } = context;
  const options = {
    plan: { type: 'boolean', default: false },
    yes: { type: 'boolean', default: false },
    json: { type: 'boolean', default: false },
  } as const;
  const { values: wanted } = parseArgs({ args, options });
  if (!wanted.plan && !wanted.yes && ask === undefined) throw new CliError('arguments_invalid', CANNOT_ASK);
  const variables = await readEnvFile(root, env);
  const policy = readRetention(variables);
  const plan = await makePlan(policy, context, variables);
  if (wanted.plan || !wanted.json) print(wanted.json ? document(plan) : describePlan(plan));
  if (wanted.plan) return 0;
  if (!wanted.yes && !(await ask?.('Delete what is due?'))) {
    complain('Nothing was changed.', context);
    return 0;
  }
  const asked = { kind: RETENTION, filter: policyWords(policy), total: dueNow(plan), json: wanted.json };
  return runAndPrint({ ...asked, env: variables }, context);
}

async function makePlan(policy: RetentionPolicy, context: CommandContext, env: Environment): Promise<RetentionPlan> {
  const { url } = await findReadableDatabase(context.root, env);
  const store = openRetention({ databaseUrl: url, statementTimeoutMs: PLAN_MS });
  try {
    const now = await store.now();
    return { policy, now, survey: await store.survey(cutoffsOf(policy, now)) };
  } catch (cause) {
    throw new CliError('query_failed', explainDatabaseFault(cause), { cause });
  } finally {
    await store.close();
  }
}

function document(plan: RetentionPlan): string {
  return escapeControls(JSON.stringify(planDocument(plan), undefined, 2));
}
