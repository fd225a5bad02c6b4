/** One criterion of the evaluation, as the provider judged it. */
export interface Criterion {
  name: string;
  result: string | null;
  rationale: string | null;
}

/** One value that was collected from the conversation. */
export interface Collected {
  name: string;
  value: unknown;
  rationale: string | null;
}

export interface Evaluation {
  criteria: Criterion[];
  collected: Collected[];
}

/** Reads the criteria and the collected data from `analysis`. What has another shape is left to the tree beside them. */
export function readEvaluation(analysis: unknown): Evaluation {
  const fields = isFields(analysis) ? analysis : {};
  return {
    criteria: entriesOf(fields['evaluation_criteria_results']).map(([name, item]) => ({
      name: textOf(item['criteria_id']) ?? name,
      result: textOf(item['result']),
      rationale: textOf(item['rationale']),
    })),
    collected: entriesOf(fields['data_collection_results']).map(([name, item]) => ({
      name: textOf(item['data_collection_id']) ?? name,
      value: item['value'] ?? null,
      rationale: textOf(item['rationale']),
    })),
  };
}

type Fields = Readonly<Record<string, unknown>>;

function entriesOf(value: unknown): [string, Fields][] {
  if (!isFields(value)) return [];
  return Object.entries(value).filter((entry): entry is [string, Fields] => isFields(entry[1]));
}

function isFields(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function textOf(value: unknown): string | null {
  return typeof value === 'string' && value.trim() !== '' ? value : null;
}
