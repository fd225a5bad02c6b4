import { parseArgs } from 'node:util';
import { counted } from '@landline/operations';
import {
  openLedger,
  searchText,
  type EventFilter,
  type EventPosition,
  type FoundEvent,
  type Ledger,
} from '@landline/store';
import type { CommandContext } from '../command-context.ts';
import { CliError } from '../errors.ts';
import { explainDatabaseFault } from '../explain-database-fault.ts';
import { findReadableDatabase } from '../find-database.ts';
import { escapeControls, showControls } from '../format-table.ts';
import { readEnvFile } from '../start/env-file.ts';
import { FILTER_OPTIONS, readCount, readFilter } from './read-filter.ts';

const DEFAULT_LIMIT = 50;
const MOST_EVENTS = 10_000;

/** How long a text is looked for, in ms. */
const SEARCH_MS = 30_000;

/** How often a search says how far it is, in ms. */
const SAY_MS = 2_000;

/** What is listed. */
interface Listing {
  filter: EventFilter;
  limit: number;
  json: boolean;
  /** Where to go on: behind this event. */
  after: EventPosition | undefined;
  /** How long a text is looked for, in ms. */
  searchMs: number;
}

/**
 * `landline events`: lists events of the ledger, the newest first.
 *
 * @returns  The exit code: 1 where the time for a search was over before it was through, else 0.
 * @throws   {CliError} `arguments_invalid`, `query_failed`, `configuration_invalid`.
 */
export async function listEvents(
  args: string[],
  context: CommandContext,
  { searchMs = SEARCH_MS } = {},
): Promise<number> {
  const options = {
    ...FILTER_OPTIONS,
    after: { type: 'string' },
    limit: { type: 'string' },
    json: { type: 'boolean', default: false },
  } as const;
  const { values } = parseArgs({ args, options });
  const { after: position, ...words } = values;
  const filter = readFilter(words, Date.now());
  const after = position === undefined ? undefined : readPosition(position);
  const limit = readCount('--limit', values.limit ?? String(DEFAULT_LIMIT), { min: 1, max: MOST_EVENTS });
  const listing = { filter, after, limit, json: values.json, searchMs };
  const { url } = await findReadableDatabase(context.root, await readEnvFile(context.root, context.env));
  const ledger = openLedger({ databaseUrl: url });
  try {
    const { text } = filter;
    if (text !== undefined) return await search(ledger, { ...listing, filter: { ...filter, text } }, context);
    return await list(ledger, listing, context);
  } catch (cause) {
    throw cause instanceof CliError ? cause : new CliError('query_failed', explainDatabaseFault(cause), { cause });
  } finally {
    await ledger.close();
  }
}

async function list(ledger: Ledger, { filter, after, limit, json }: Listing, context: CommandContext): Promise<number> {
  const { print, printError = print } = context;
  const events = await ledger.list(filter, { after, limit });
  if (json) printJson(events, context);
  else for (const event of events) print(lineOf(event));
  const last = events.at(-1);
  if (!json && last === undefined) print('No event matches.');
  if (last !== undefined && events.length === limit) printError(`There may be more: ${goOn(last)}`);
  return 0;
}

type Search = Listing & { filter: { text: string } };

async function search(ledger: Ledger, { filter, after, limit, json, searchMs }: Search, context: CommandContext) {
  const { print, printError = print } = context;
  const found: FoundEvent[] = [];
  const seen: Seen = { looked: 0, withoutBody: 0, backTo: after };
  let saidAt = performance.now();
  const steps = searchText(ledger, { filter, after, signal: AbortSignal.timeout(searchMs) });
  for (;;) {
    // oxlint-disable-next-line no-await-in-loop -- part after part
    const step = await steps.next();
    if (step.done) {
      if (json) printJson(found, context);
      if (step.value) sayThatAllWasLookedAt(found.length, { ...seen, json }, context);
      else printError(`The time was over. ${describeSeen(seen)} Further back nobody has looked: ${goOn(seen.backTo)}`);
      return step.value ? 0 : 1;
    }
    const { looked, withoutBody, position } = step.value;
    const fresh = step.value.found.slice(0, limit - found.length);
    found.push(...fresh);
    if (!json) for (const event of fresh) print(lineOf(event));
    if (found.length === limit) {
      if (json) printJson(found, context);
      // The generator waits for what it has begun.
      // oxlint-disable-next-line no-await-in-loop -- it returns
      await steps.return(true);
      printError(`There may be more: ${goOn(found.at(-1))}`);
      return 0;
    }
    seen.looked += looked;
    seen.withoutBody += withoutBody;
    seen.backTo = position;
    if (performance.now() - saidAt < SAY_MS) continue;
    saidAt = performance.now();
    printError(describeSeen(seen));
  }
}

interface Seen {
  looked: number;
  withoutBody: number;
  /** The last event that was looked at; undefined where there is none. */
  backTo: EventPosition | undefined;
}

function sayThatAllWasLookedAt(
  found: number,
  seen: Seen & { json: boolean },
  { print, printError = print }: CommandContext,
) {
  if (found === 0 && !seen.json)
    print(`No event has this text. All ${seen.looked} that match otherwise were looked at.`);
  if (seen.withoutBody > 0) {
    printError(
      `${counted(seen.withoutBody, 'event')} ${seen.withoutBody === 1 ? 'has' : 'have'} no body any more: whether the text was there, nobody can tell.`,
    );
  }
}

function describeSeen({ looked, backTo }: Seen): string {
  const time = backTo === undefined ? '' : ` back to ${new Date(backTo.receivedAt).toISOString()}`;
  return `Looked at ${counted(looked, 'event')}${time}.`;
}

function goOn(last: EventPosition | undefined): string {
  return last === undefined
    ? 'type the same again.'
    : `type the same with --after ${new Date(last.receivedAt).toISOString()},${last.id}`;
}

/** Reads what `goOn` has told. */
function readPosition(text: string): EventPosition {
  const [time = '', id = '', ...rest] = text.split(',');
  const receivedAt = Date.parse(time);
  if (Number.isNaN(receivedAt) || !UUID.test(id) || rest.length > 0) {
    throw new CliError('arguments_invalid', '--after takes what the list before has told: <time>,<event id>.');
  }
  return { receivedAt, id };
}

const UUID = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

function printJson(events: readonly FoundEvent[], { print }: CommandContext): void {
  print(escapeControls(JSON.stringify(events.map(eventDocument), undefined, 2)));
}

/** The names are those of the columns; times are ISO 8601 in UTC. */
function eventDocument(event: FoundEvent): object {
  return {
    id: event.id,
    type: event.type,
    event_key: event.eventKey,
    conversation_id: event.conversationId,
    outcome: event.outcome,
    error: event.error,
    event_at: new Date(event.eventAt).toISOString(),
    received_at: new Date(event.receivedAt).toISOString(),
    applied_at: event.appliedAt === null ? null : new Date(event.appliedAt).toISOString(),
    origin: event.origin,
    body_bytes: event.bodyBytes,
  };
}

function lineOf(event: FoundEvent): string {
  const { type, outcome, conversationId, id, error } = event;
  const facts = [
    new Date(event.receivedAt).toISOString(),
    id,
    outcome.padEnd(7),
    (type ?? 'unknown').padEnd(22),
    conversationId ?? '-',
    ...(error === null ? [] : [`${error.code}: ${error.message}`]),
  ];
  return showControls(facts.join('  '));
}
