import { readFileSync } from 'node:fs';

/** A row of docs/metrics.md. */
export interface MetricRow {
  name: string;
  type: string;
  labels: string[];
}

/** Reads the table under a heading of docs/metrics.md. */
export function readMetricsTable(heading: string): MetricRow[] {
  const text = readFileSync(new URL('../../docs/metrics.md', import.meta.url), 'utf8');
  const section = text.split(/^## /m).find((part) => part.startsWith(`${heading}\n`)) ?? '';
  const rows = [...section.matchAll(/^\| `(\w+)` \| (\w+) \| ([^|]*)\| ([^|]+) \|$/gm)];
  return rows.map(([, name = '', type = '', labels = '']) => ({
    name,
    type,
    labels: [...labels.matchAll(/`(\w+)`/g)].map(([, label = '']) => label),
  }));
}
