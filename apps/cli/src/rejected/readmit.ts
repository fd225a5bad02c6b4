import { parseArgs } from 'node:util';
import { noReadmissions, readmitPage, type ReadmissionCounts, type ReadmissionPorts } from '@landline/intake';
import { createStore, StoreError, type RejectedFilter, type RejectedTable } from '@landline/store';
import type { CommandContext } from '../command-context.ts';
import { CliError } from '../errors.ts';
import { findOwnDatabase } from '../find-database.ts';
import { openJobSink } from '../job-sink.ts';
import { readWebhookSecrets, type WebhookSecrets } from '../webhook-secrets.ts';
import { FILTER_OPTIONS, readFilter } from './filter.ts';

/** How many requests are read at once: each may have 256 KiB. */
const PAGE_ROWS = 100;

/**
 * `landline rejected readmit [filter] [--plan] [--yes] [--json]`: verifies refused requests with today's secrets, at the time of their receipt,
 * and enqueues those whose signature is good.
 *
 * @param context  Its environment is that of .env as well.
 * @throws         {CliError} `arguments_invalid`, also without a terminal and without `--yes`; `configuration_invalid`, `query_failed`,
 *                 `enqueue_failed`.
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
  const { root, env, print } = context;
  const filter = readFilter(values);
  const accepting = readWebhookSecrets(env);
  const { databaseUrl } = await findOwnDatabase(root, env);
  const store = createStore({ databaseUrl, poolSize: 1 });
  const show = (counts: ReadmissionCounts, verb: string) =>
    print(values.json ? JSON.stringify(documentOf(counts), undefined, 2) : describe(counts, verb));
  try {
    if (values.plan || !values.yes) {
      const plan = await goThrough({ store, filter, accepting });
      if (values.plan || !values.json) show(plan, 'can be readmitted');
      if (values.plan) return 0;
      if (!(await isConfirmed(plan, context))) return 0;
    }
    show(await readmitAll({ store, filter, accepting }, context), 'readmitted');
    return 0;
  } catch (cause) {
    if (cause instanceof StoreError) throw new CliError('query_failed', cause.message, { cause });
    throw cause;
  } finally {
    await store.close();
  }
}

async function isConfirmed({ readmitted }: ReadmissionCounts, { ask, print }: CommandContext): Promise<boolean> {
  if (ask === undefined) {
    throw new CliError('arguments_invalid', 'There is no terminal to ask on, so nothing was changed: add --yes.');
  }
  if (readmitted > 0 && (await ask(`Readmit ${readmitted} requests?`))) return true;
  print('Nothing was changed.');
  return false;
}

interface Going {
  store: Pick<RejectedTable, 'rejectedPage' | 'markReadmitted'>;
  filter: RejectedFilter;
  accepting: WebhookSecrets;
}

async function readmitAll(going: Going, context: CommandContext): Promise<ReadmissionCounts> {
  const { root, env, print, printError = print } = context;
  const sink = await openJobSink({ root, env, print: printError });
  try {
    return await goThrough(going, {
      enqueue: (events) => sink.put(events),
      mark: (ids) => going.store.markReadmitted(ids, Date.now()),
    });
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    const message = `It stopped: ${reason}\nRun the same again when that is put right: what is there twice is applied once.`;
    throw new CliError('enqueue_failed', message, { cause });
  } finally {
    await sink.close();
  }
}

/** Goes through all requests of the filter, the oldest first. */
async function goThrough({ store, filter, accepting }: Going, ports?: ReadmissionPorts): Promise<ReadmissionCounts> {
  const counts = noReadmissions();
  // What comes meanwhile is not part of it: with a wrong secret that might never end.
  const until = Math.min(filter.until ?? Infinity, Date.now() + 1);
  let page = await store.rejectedPage({ ...filter, until }, { limit: PAGE_ROWS });
  while (page.length > 0) {
    // oxlint-disable-next-line no-await-in-loop -- page after page, so that memory stays flat
    await readmitPage(page, { counts, accepting, ...(ports && { ports }) });
    const after = page.at(-1);
    // oxlint-disable-next-line no-await-in-loop -- page after page
    page = await store.rejectedPage({ ...filter, until }, { after, limit: PAGE_ROWS });
  }
  return counts;
}

function documentOf({ total, readmitted, byCause, unfit, first, last }: ReadmissionCounts): object {
  return { total, readmittable: readmitted, by_cause: byCause, unfit, first: time(first), last: time(last) };
}

function time(ms: number | null): string | null {
  return ms === null ? null : new Date(ms).toISOString();
}

function describe(counts: ReadmissionCounts, verb: string): string {
  const { total, readmitted, byCause, unfit } = counts;
  const causes = Object.entries(byCause).map(([cause, of]) => `  ${cause}: ${of.readmitted} of ${of.total}`);
  const others = Object.entries(unfit).map(([reason, count]) => `  not: ${count}, ${reason}`);
  return [`${readmitted} of ${total} refused requests ${verb}.`, ...causes, ...others].join('\n');
}
