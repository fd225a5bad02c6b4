import { readFileSync } from 'node:fs';
import { type countJobs, DEAD_LETTER_QUEUE, REJECTED_QUEUE, REQUESTS_QUEUE, WEBHOOK_QUEUE } from '@landline/queue';
import type { OperationEvent } from '@landline/operations';
import { CAUSES } from '@landline/webhook/causes';
import { parser } from '@prometheus-io/lezer-promql';
import { describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { z } from 'zod';
import type { AnswerCode } from '../apps/receiver/src/answers.ts';
import type { DroppedState } from '../apps/receiver/src/connections.ts';
import { FAULT_POLICY } from '../apps/worker/src/fault-policy.ts';
import { readMetricsTable, type MetricRow } from './support/metrics-table.ts';

const text = z.string().min(1);
const panel = z.object({
  id: z.number(),
  title: text,
  gridPos: z.object({ x: z.number(), y: z.number(), w: z.number(), h: z.number() }),
  targets: z
    .array(z.object({ expr: text, legendFormat: text, datasource: z.object({ uid: z.literal('${datasource}') }) }))
    .default([]),
});
const board = z.object({
  title: text,
  templating: z.object({ list: z.tuple([z.object({ name: z.literal('datasource'), type: z.literal('datasource') })]) }),
  panels: z.array(panel),
});
const rule = z.strictObject({
  alert: z.string().regex(/^Landline[A-Z]\w+$/),
  expr: text,
  for: z.string().regex(/^\d+[smh]$/),
  labels: z.strictObject({ severity: z.enum(['critical', 'warning']) }),
  // `summary` says what is wrong, `description` what to do.
  annotations: z.strictObject({ summary: z.string().max(100), description: z.string().min(80) }),
});
const rules = z.strictObject({ groups: z.array(z.strictObject({ name: text, rules: z.array(rule).min(1) })) });

const { panels } = board.parse(JSON.parse(read('grafana-dashboard.json')));
const alerts = rules.parse(parse(read('alerts.yml'))).groups.flatMap((group) => group.rules);
const shown = panels.flatMap(({ title, targets }) => targets.map(({ expr }): [string, string] => [title, expr]));
const watched = alerts.map(({ alert, expr }): [string, string] => [alert, expr]);

/** A series, as the tables of docs/metrics.md have it. */
type Series = Omit<MetricRow, 'name'>;

/** The series that the processes expose, by name. */
const series = new Map(
  ['Receiver', 'Worker', 'Dashboard', 'Initiation', 'Monitor', 'Every process']
    .flatMap(readMetricsTable)
    .flatMap(seriesOf),
);

/** Returns the three series of a histogram, all of which only grow, or the one of another metric. */
function seriesOf({ name, type, labels }: MetricRow): [string, Series][] {
  if (type !== 'histogram') return [[name, { type, labels }]];
  const parts: [string, string[]][] = [
    ['bucket', [...labels, 'le']],
    ['sum', labels],
    ['count', labels],
  ];
  return parts.map(([part, own]) => [`${name}_${part}`, { type: 'counter', labels: own }]);
}

/** Labels that Prometheus itself sets. */
const TARGET_LABELS = ['job', 'instance'];

const VALUES: Readonly<Record<string, readonly string[]>> = {
  code: [
    'unavailable',
    'body_too_large',
    'request_timeout',
    'signature_mismatch',
    'signature_expired',
  ] satisfies AnswerCode[],
  queue: [WEBHOOK_QUEUE, DEAD_LETTER_QUEUE, REJECTED_QUEUE, REQUESTS_QUEUE],
  cause: Object.keys(CAUSES),
  state: [
    ...(['waiting', 'active', 'delayed', 'failed'] satisfies (keyof Awaited<ReturnType<typeof countJobs>>)[]),
    ...(['silent', 'receiving', 'idle', 'new'] satisfies DroppedState[]),
  ],
  class: Object.keys(FAULT_POLICY),
  kind: ['known', 'unknown', 'defaults', 'reconcile'],
  because: ['database_away', 'database_slow'],
  result: ['enqueued', 'lost'],
  event: ['failed'] satisfies OperationEvent[],
  job: ['landline.*'],
};

function read(file: string): string {
  return readFileSync(new URL(`../monitoring/${file}`, import.meta.url), 'utf8');
}

/** A use of a series in an expression. */
interface Selector {
  name: string;
  /** The function over a span of time around the series; undefined where there is none. */
  over: string | undefined;
  matchers: { label: string; values: string[] }[];
}

/** Returns the uses of series in an expression; throws where it is not PromQL. */
function takeApart(expression: string): { selectors: Selector[]; grouping: string[] } {
  const expr = expression.replaceAll('$__rate_interval', '5m');
  const selectors: Selector[] = [];
  const grouping: string[] = [];
  parser.parse(expr).iterate({
    enter({ node, type }) {
      const textOf = (child: string) => {
        const found = node.getChild(child);
        return found === null ? undefined : expr.slice(found.from, found.to);
      };
      if (type.isError) throw new Error(`Not PromQL at ${node.from}: ${expr}`);
      if (type.name === 'VectorSelector') {
        const call =
          node.parent?.name === 'MatrixSelector' ? node.parent.parent?.parent?.getChild('FunctionIdentifier') : null;
        selectors.push({
          name: textOf('Identifier') ?? '',
          over: call ? expr.slice(call.from, call.to) : undefined,
          matchers: [...(textOf('LabelMatchers') ?? '').matchAll(/(\w+)(?:=~?|!=|!~)"([^"]*)"/g)].map(
            ([, label = '', value = '']) => ({ label, values: value.split('|') }),
          ),
        });
      }
      if (type.name === 'GroupingLabels') grouping.push(...(expr.slice(node.from, node.to).match(/\w+/g) ?? []));
    },
  });
  return { selectors, grouping };
}

describe.each([
  ['monitoring/grafana-dashboard.json', shown],
  ['monitoring/alerts.yml', watched],
])('%s', (_file, expressions) => {
  test.each(expressions)('%s names only what exists: %s', (_where, expr) => {
    const { selectors, grouping } = takeApart(expr);
    expect(selectors.length).toBeGreaterThan(0);
    for (const { name, over, matchers } of selectors) {
      const known = series.get(name);
      expect([name, known !== undefined]).toEqual([name, true]);
      const labels = [...(known?.labels ?? []), ...TARGET_LABELS];
      expect(labels).toEqual(expect.arrayContaining([...grouping, ...matchers.map(({ label }) => label)]));
      for (const { label, values } of matchers) expect(VALUES[label]).toEqual(expect.arrayContaining(values));
      // A counter may only be read by its increase. A gauge may not: Prometheus would take each decrease for a restart.
      const isIncrease = over === 'rate' || over === 'increase';
      expect([name, isIncrease]).toEqual([name, known?.type === 'counter']);
    }
  });
});

test('the board shows every metric of ours', () => {
  const names = new Set(shown.flatMap(([, expr]) => takeApart(expr).selectors.map(({ name }) => name)));
  const ours = [...series.keys()].filter((name) => name.startsWith('landline_'));
  expect(ours.filter((name) => !names.has(name))).toEqual([]);
});

test("the board's panels have different ids and do not overlap", () => {
  expect(new Set(panels.map(({ id }) => id)).size).toBe(panels.length);
  const cells = panels.flatMap(({ gridPos: { x, y, w, h } }) =>
    Array.from({ length: w * h }, (_, i) => `${x + (i % w)},${y + Math.floor(i / w)}`),
  );
  expect(new Set(cells).size).toBe(cells.length);
});

test('no two alerts have one name', () => {
  expect(new Set(alerts.map(({ alert }) => alert)).size).toBe(alerts.length);
});
