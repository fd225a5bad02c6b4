import { parseArgs } from 'node:util';
import {
  counted,
  noReadmissions,
  READMIT,
  readmitPage,
  readmitWords,
  type ReadmissionCounts,
} from '@landline/operations';
import { createStore, StoreError, type RejectedFilter } from '@landline/store';
import type { CommandContext } from '../command-context.ts';
import { CliError } from '../errors.ts';
import { findOwnDatabase } from '../find-database.ts';
import { runAndPrint } from '../operations/run-operation.ts';
import { readWebhookSecrets, type WebhookSecrets } from '../webhook-secrets.ts';
import { FILTER_OPTIONS, readFilter } from './filter.ts';

/** How many requests are read at once: each may have 256 KiB. */
const PAGE_ROWS = 100;

const CANNOT_ASK =
  'readmit changes rows, and nobody can be asked here: --plan shows what it would do, and --yes does it without asking.';

/**
 * `landline rejected readmit [filter] [--plan] [--yes] [--json]`: verifies refused requests with today's secrets, at the time of their receipt,
 * and enqueues those whose signature is good. It shows the plan, asks, leaves the work to a worker, and follows it to its end.
 *
 * @param context  Its environment is that of .env as well.
 * @returns        The exit code: that of `runAndPrint`; 0 where the plan is all, or the answer was no.
 * @throws         {CliError} `arguments_invalid`, also without a terminal and without `--yes`; `configuration_invalid`, `query_failed`.
 */
export async function readmitRequests(args: string[], context: CommandContext): Promise<number> {
  const { values } = parseArgs({
    args,
    options: {
      ...FILTER_OPTIONS,
      plan: { type: 'boolean', default: false },
      yes: { type: 'boolean', default: false },
      json: { type: 'boolean', default: false },
    },
  });
  const { env, print } = context;
  // What comes meanwhile is not part of it: with a wrong secret that might never end.
  const asked = readFilter(values);
  const filter = { ...asked, until: Math.min(asked.until ?? Infinity, Date.now() + 1) };
  const accepting = readWebhookSecrets(env);
  if (!values.plan && !values.yes && context.ask === undefined) throw new CliError('arguments_invalid', CANNOT_ASK);
  const plan = await makePlan(filter, accepting, context);
  if (values.plan || !values.json) print(values.json ? JSON.stringify(documentOf(plan), undefined, 2) : describe(plan));
  if (values.plan) return 0;
  if (!values.yes && !(await isConfirmed(plan, context))) return 0;
  const words = readmitWords(filter, accepting.secrets);
  return runAndPrint({ kind: READMIT, filter: words, total: plan.total, json: values.json, env }, context);
}

async function isConfirmed({ readmitted }: ReadmissionCounts, { ask, print }: CommandContext): Promise<boolean> {
  if (readmitted > 0 && (await ask?.(`Readmit ${counted(readmitted, 'request')}?`))) return true;
  print('Nothing was changed.');
  return false;
}

/** Goes through all requests of the filter, the oldest first, and counts. */
async function makePlan(
  filter: RejectedFilter,
  accepting: WebhookSecrets,
  { root, env }: CommandContext,
): Promise<ReadmissionCounts> {
  const { databaseUrl } = await findOwnDatabase(root, env);
  const store = createStore({ databaseUrl, poolSize: 1 });
  const counts = noReadmissions();
  const known = async (ids: readonly string[]) => new Set((await store.ledger.states(ids)).keys());
  try {
    let page = await store.rejectedPage(filter, { limit: PAGE_ROWS });
    while (page.length > 0) {
      // oxlint-disable-next-line no-await-in-loop -- page after page, so that memory stays flat
      await readmitPage(page, { counts, accepting, known });
      const after = page.at(-1);
      // oxlint-disable-next-line no-await-in-loop -- page after page
      page = await store.rejectedPage(filter, { after, limit: PAGE_ROWS });
    }
    return counts;
  } catch (cause) {
    if (cause instanceof StoreError) throw new CliError('query_failed', cause.message, { cause });
    throw cause;
  } finally {
    await store.close();
  }
}

function documentOf({ total, readmitted, byCause, unfit, first, last }: ReadmissionCounts): object {
  return { total, readmittable: readmitted, by_cause: byCause, unfit, first: time(first), last: time(last) };
}

function time(ms: number | null): string | null {
  return ms === null ? null : new Date(ms).toISOString();
}

function describe(counts: ReadmissionCounts): string {
  const { total, readmitted, byCause, unfit } = counts;
  const causes = Object.entries(byCause).map(([cause, of]) => `  ${cause}: ${of.readmitted} of ${of.total}`);
  const others = Object.entries(unfit).map(([reason, count]) => `  not: ${count}, ${reason}`);
  return [`${readmitted} of ${total} refused requests can be readmitted.`, ...causes, ...others].join('\n');
}
