import { parseArgs } from 'node:util';
import { counted, REPLAY } from '@landline/operations';
import { countMatching, filterWords, openLedger, type EventCounts, type EventFilter } from '@landline/store';
import type { CommandContext } from '../command-context.ts';
import { CliError } from '../errors.ts';
import { explainDatabaseFault } from '../explain-database-fault.ts';
import { FILTER_OPTIONS, readCount, readFilter } from '../find/read-filter.ts';
import { findReadableDatabase } from '../find-database.ts';
import { escapeControls, showControls } from '../format-table.ts';
import { complain } from '../operations/follow-operation.ts';
import { runAndPrint } from '../operations/run-operation.ts';
import { readEnvFile, type Environment } from '../start/env-file.ts';

/** The greatest rate, in events a second. */
const MOST_RATE = 1_000_000;

/** How long it may take to count the events of a plan, in ms. */
const PLAN_MS = 120_000;

const CANNOT_ASK =
  'replay changes rows, and nobody can be asked here: --plan shows what it would do, and --yes does it without asking.';

/**
 * `landline replay [filter] [--plan] [--rate n] [--yes] [--json]`: puts events of the ledger through the worker again. It shows the plan, asks,
 * leaves the work to a worker, and follows it to its end.
 *
 * @returns  The exit code: 0 where the operation is done, 1 where it failed or was cancelled, 2 where nobody could be asked, 130 after Ctrl-C.
 * @throws   {CliError} `arguments_invalid`, `query_failed`, `configuration_invalid`.
 */
export async function replay(args: string[], context: CommandContext): Promise<number> {
  const { root, env, print, ask } = context;
  const wanted = readArguments(args);
  if (!wanted.plan && !wanted.yes && ask === undefined) throw new CliError('arguments_invalid', CANNOT_ASK);
  const variables = await readEnvFile(root, env);
  const counts = await makePlan(wanted.filter, context, variables);
  if (wanted.plan || !wanted.json) print(wanted.json ? planDocument(counts) : describePlan(counts));
  if (wanted.plan) return 0;
  if (!wanted.yes && !(await ask?.('Replay them?'))) {
    complain('Nothing was changed.', context);
    return 0;
  }
  const { filter, rate, json } = wanted;
  const asked = { kind: REPLAY, filter: filterWords(filter), total: counts.total, rate };
  return runAndPrint({ ...asked, json, env: variables }, context);
}

interface Wanted {
  filter: EventFilter;
  plan: boolean;
  yes: boolean;
  json: boolean;
  rate: number | undefined;
}

function readArguments(args: string[]): Wanted {
  const options = {
    ...FILTER_OPTIONS,
    plan: { type: 'boolean', default: false },
    yes: { type: 'boolean', default: false },
    json: { type: 'boolean', default: false },
    rate: { type: 'string' },
  } as const;
  const { values } = parseArgs({ args, options });
  const now = Date.now();
  const filter = readFilter(values, now);
  const rate = values.rate === undefined ? undefined : readCount('--rate', values.rate, { min: 1, max: MOST_RATE });
  // Events that come from now on are no part of it, so that it has an end.
  return { ...values, filter: { ...filter, until: Math.min(filter.until ?? Infinity, now) }, rate };
}

async function makePlan(filter: EventFilter, context: CommandContext, env: Environment): Promise<EventCounts> {
  const { url } = await findReadableDatabase(context.root, env);
  const ledger = openLedger({ databaseUrl: url, statementTimeoutMs: PLAN_MS });
  let saidAt = performance.now();
  try {
    return await countMatching(ledger, filter, (looked) => {
      if (performance.now() - saidAt < 2_000) return;
      saidAt = performance.now();
      complain(`Looked at ${counted(looked, 'event')}.`, context);
    });
  } catch (cause) {
    throw new CliError('query_failed', explainDatabaseFault(cause), { cause });
  } finally {
    await ledger.close();
  }
}

function planDocument({ total, byType, byOutcome, first, last }: EventCounts): string {
  const document = { total, by_type: byType, by_outcome: byOutcome, first: isoTime(first), last: isoTime(last) };
  return escapeControls(JSON.stringify(document, undefined, 2));
}

function describePlan({ total, byType, byOutcome, first, last }: EventCounts): string {
  if (total === 0) return 'No event matches.';
  return [
    `${counted(total, 'event')}, received from ${isoTime(first)} to ${isoTime(last)}`,
    `  by type:    ${listCounts(byType)}`,
    `  by outcome: ${listCounts(byOutcome)}`,
  ].join('\n');
}

function listCounts(counts: Readonly<Record<string, number>>): string {
  return Object.entries(counts)
    .toSorted(([, a], [, b]) => b - a)
    .map(([name, count]) => `${count} ${showControls(name)}`)
    .join(', ');
}

function isoTime(ms: number | null): string | null {
  return ms === null ? null : new Date(ms).toISOString();
}
