import { counted } from '@landline/operations';
import type { ConversationPlan, KeptTables, RebuildPlan, TableDifference } from '@landline/store';
import { escapeControls, showControls } from '../format-table.ts';

/** Returns a plan as a JSON document. Sizes in bytes. */
export function planDocument({ events, withoutBody, bodyBytes, tableBytes, kept, dependents }: RebuildPlan): string {
  return documentText({
    total: events,
    without_body: withoutBody,
    body_bytes: bodyBytes,
    table_bytes: tableBytes,
    kept: kept.map(keptDocument),
    dependents,
  });
}

/** Describes a plan for a person. */
export function describePlan({ events, withoutBody, bodyBytes, tableBytes, kept, dependents }: RebuildPlan): string {
  const lines = [
    `${counted(events, 'applied event')} of the ledger, ${megabytes(bodyBytes)} of bodies; the tables have ${megabytes(tableBytes)}, and the new ones need about as much`,
    ...(withoutBody === 0
      ? []
      : [
          `  ${withoutBody} ${withoutBody === 1 ? 'has' : 'have'} no body any more: the rows of their conversations and callers stay as they are`,
        ]),
    ...kept.map((tables) => `  kept: ${describeKept(tables)}`),
    ...dependents.map((what) => `  keeps the tables from being swapped: ${showControls(what)}`),
  ];
  return lines.join('\n');
}

/** Returns the plan for one conversation as a JSON document. @param refusal  Why it cannot be rebuilt; null: it can. */
export function conversationPlanDocument(
  conversation: string,
  { events, withoutBody, isErased }: ConversationPlan,
  refusal: string | null,
): string {
  return documentText({ conversation, total: events, without_body: withoutBody, erased: isErased, refusal });
}

/** Describes the plan for one conversation for a person. */
export function describeConversationPlan({ events, withoutBody }: ConversationPlan): string {
  return `applied events of the conversation: ${events}, without a body: ${withoutBody}`;
}

/** Returns the tables that would be dropped, or were, as a JSON document. */
export function droppedDocument(dropped: readonly KeptTables[]): string {
  return documentText({ dropped: dropped.map(keptDocument) });
}

/** Describes kept tables in a line. */
export function describeKept({ schema, madeAt, bytes }: KeptTables): string {
  return `${schema}, made at ${new Date(madeAt).toISOString()}, ${megabytes(bytes)}`;
}

/** Returns what differs as the JSON document of `rebuild --json`. */
export function differencesDocument(differences: readonly TableDifference[]): string {
  return documentText({ differences });
}

/** Describes what differs for a person: how many rows for each column, and examples. */
export function describeDifferences(differences: readonly TableDifference[]): string {
  if (differences.length === 0) return 'Nothing differs.';
  return differences.flatMap(describeDifference).join('\n');
}

function describeDifference({ table, column, rows, sample }: TableDifference): string[] {
  const what =
    column === '*'
      ? `${table}: ${counted(rows, 'row')} ${rows === 1 ? 'is' : 'are'} on one side only`
      : `${table}.${column}: ${counted(rows, 'row')} ${rows === 1 ? 'differs' : 'differ'}`;
  const examples = sample.map(({ key, before, after }) =>
    showControls(
      `  ${Object.values(key).map(String).join(' ')}: ${JSON.stringify(before)} becomes ${JSON.stringify(after)}`,
    ),
  );
  return [what, ...examples];
}

function keptDocument({ schema, operation, madeAt, bytes }: KeptTables): object {
  return { schema, operation, made_at: new Date(madeAt).toISOString(), bytes };
}

function documentText(document: object): string {
  return escapeControls(JSON.stringify(document, undefined, 2));
}

function megabytes(bytes: number): string {
  return `${(bytes / 1_000_000).toFixed(1)} MB`;
}
