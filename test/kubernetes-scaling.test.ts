import { execFile } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, test } from 'vitest';
import { stringify } from 'yaml';
import { z } from 'zod';
import { findTool } from './support/find-tool.ts';
import { readMetricsTable } from './support/metrics-table.ts';
import { buildOverlay } from './support/overlay.ts';
import { makeTempFolder } from './support/temp-folder.ts';
import { ofKind } from './support/workloads.ts';

const [manifest] = ofKind(buildOverlay('cluster'), 'ScaledObject');
const scaled = z
  .looseObject({
    minReplicaCount: z.number(),
    maxReplicaCount: z.number(),
    fallback: z.looseObject({ replicas: z.number() }),
    triggers: z.tuple([
      z.strictObject({
        type: z.literal('prometheus'),
        metricType: z.literal('AverageValue'),
        metadata: z.strictObject({
          serverAddress: z.string(),
          query: z.string(),
          threshold: z.coerce.number(),
          ignoreNullValues: z.literal('false'),
        }),
      }),
    ]),
  })
  .parse(manifest?.['spec']);
const { query, threshold } = scaled.triggers[0].metadata;

const backlog = (seconds: number, { shard = 0, receiver = 'a', namespace = 'landline' } = {}) => ({
  series: `landline_backlog_seconds{namespace="${namespace}",shard="${shard}",instance="${receiver}"}`,
  values: `${seconds}x4`,
});
const worker = (name: string, isWaiting = 0) => ({
  series: `landline_database_waiting{namespace="landline",instance="${name}"}`,
  values: `${isWaiting}x4`,
});

/** Returns what Prometheus answers to the query over these series, or promtool's words where it is something else than `expected`. */
async function answer(series: readonly object[], expected: number | undefined): Promise<string> {
  const samples = expected === undefined ? [] : [{ labels: '{}', value: expected }];
  const one = { expr: query, eval_time: '1m', exp_samples: samples };
  const file = join(await makeTempFolder(), 'query.yml');
  await writeFile(
    file,
    stringify({ rule_files: [], tests: [{ interval: '15s', input_series: series, promql_expr_test: [one] }] }),
  );
  return promisify(execFile)(findTool('promtool', 'prometheus'), ['test', 'rules', file]).then(
    ({ stdout, stderr }) => (/SUCCESS/.test(stdout + stderr) ? 'as expected' : stdout + stderr),
    (error: unknown) => (error instanceof Error && 'stderr' in error ? String(error.stderr) : String(error)),
  );
}

describe('the query by which KEDA scales workers, in seconds of one worker', () => {
  const workers = [worker('a'), worker('b')];

  test.each([
    ['90 seconds with two workers are 180 of one', [backlog(90), ...workers], 180],
    [
      'a receiver that has just started does not know the pace, and does not count',
      [backlog(90), backlog(3600, { receiver: 'b' }), ...workers],
      180,
    ],
    ['of several shards the slowest counts', [backlog(10), backlog(90, { shard: 1 }), ...workers], 180],
    ['nothing waits', [backlog(0), ...workers], 0],
    ['no worker is there: the backlog counts as that of one', [backlog(600)], 600],
    [
      'one worker waits for Postgres: as many as there are',
      [backlog(3600), worker('a', 1), worker('b')],
      2 * threshold,
    ],
    ['nobody tells the backlog, because Redis is away: as many as there are', workers, 2 * threshold],
    ['another Landline does not count', [backlog(0), backlog(900, { namespace: 'other' }), ...workers], 0],
    [
      'Prometheus knows nothing of Landline: no answer, so that KEDA falls back',
      [backlog(9, { namespace: 'other' })],
      undefined,
    ],
  ])('%s', async (_title, series, expected) => {
    expect(await answer(series, expected)).toBe('as expected');
  });

  test('the check can fail', async () => {
    expect(await answer([backlog(90), ...workers], 181)).not.toBe('as expected');
  });
});

test('the query names metrics of processes that are there, with their labels', () => {
  const rows = ['Receiver', 'Worker'].flatMap(readMetricsTable);
  for (const [, name = ''] of query.matchAll(/(landline_\w+)/g)) expect(rows.map((row) => row.name)).toContain(name);
  expect(rows.find(({ name }) => name === 'landline_backlog_seconds')?.labels).toEqual(['shard']);
});

test('there is always a worker, and the fallback is within the bounds', () => {
  const { minReplicaCount, maxReplicaCount, fallback } = scaled;
  expect(minReplicaCount).toBeGreaterThanOrEqual(1);
  expect(fallback.replicas).toBeGreaterThanOrEqual(minReplicaCount);
  expect(maxReplicaCount).toBeGreaterThanOrEqual(fallback.replicas);
  // "As many as there are" is a number in the query.
  expect(query).toContain(`or ${threshold} * count(`);
});
